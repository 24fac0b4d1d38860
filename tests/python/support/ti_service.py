"""A service of threat intelligence on the loopback interface, and real providers asking it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Service(ThreadingHTTPServer):
    """Answers as AlienVault OTX and GreyNoise do; keeps the paths it was asked for.

    `pulses` has the names of the reports on an address. An address in `trouble` is answered with
    that HTTP status instead.
    """

    daemon_threads = True

    def __init__(self, pulses: dict[str, list[str]], trouble: dict[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pulses, self.trouble = pulses, trouble
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        address = next((part for part in self.path.split("/") if "." in part or ":" in part), "")
        status = self.server.trouble.get(address, 200)
        names = self.server.pulses.get(address, [])
        if self.path.startswith("/v3/community/"):
            status = status if status != 200 else (200 if names else 404)
            answer: Any = {
                "ip": address,
                "noise": bool(names),
                "riot": False,
                "classification": "malicious",
            }
        else:
            answer = {"sections": [], "pulse_info": {"pulses": [{"name": n} for n in names]}}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@contextmanager
def serving(
    pulses: dict[str, list[str]] | None = None, trouble: dict[str, int] | None = None
) -> Iterator[Service]:
    service = Service(pulses or {}, trouble or {})
    threading.Thread(target=service.serve_forever, daemon=True).start()
    try:
        yield service
    finally:
        service.shutdown()
        service.server_close()


def ti_lookup(url: str, *names: str) -> Any:
    """Return a real `TILookup` with real providers, which find their service at `url`."""
    from msticpy.context.tilookup import TILookup
    from msticpy.context.tiproviders.alienvault_otx import OTX
    from msticpy.context.tiproviders.greynoise import GreyNoise

    known = {"OTX": OTX, "GreyNoise": GreyNoise}
    providers = []
    for name in names:
        here = type(name, (known[name],), {"_BASE_URL": url})
        providers.append(here(AuthKey="key"))
    return TILookup(primary_providers=providers)
