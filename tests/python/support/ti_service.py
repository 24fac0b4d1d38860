"""A service of threat intelligence on the loopback interface, and real providers asking it."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CLOSES, HANGS = "closes", "hangs"
Trouble = int | str | bytes
"""A status, a body instead of the right one, or what happens to the connection."""


class Service(ThreadingHTTPServer):
    """Answers as AlienVault OTX and GreyNoise do; keeps the paths it was asked for.

    `pulses` has the names of the reports on an address. An address in `trouble` is answered with
    that trouble instead; with those of a list one after the other, and then rightly. A thread
    that hangs ends with the service.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(
        self, pulses: dict[str, list[str]], trouble: dict[str, Trouble | list[Trouble]]
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pulses, self.trouble = pulses, dict(trouble)
        self.asked: list[str] = []
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Number of questions by provider and address."""
        return Counter(
            ("GreyNoise" if path.startswith("/v3/") else "OTX", address_in(path))
            for path in self.asked
        )

    def trouble_of(self, address: str) -> Trouble | None:
        trouble = self.trouble.get(address)
        if isinstance(trouble, list):
            return trouble.pop(0) if trouble else None
        return trouble

    def handle_error(self, *_: Any) -> None:
        """Stay silent about clients that went away."""


def address_in(path: str) -> str:
    return next((part for part in path.split("/") if "." in part or ":" in part), "")


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        address = address_in(self.path)
        trouble = self.server.trouble_of(address)
        if trouble == HANGS:
            self.server.ended.wait()
        if trouble in (HANGS, CLOSES):
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        names = self.server.pulses.get(address, [])
        status = trouble if isinstance(trouble, int) else 200
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
        body = trouble if isinstance(trouble, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@contextmanager
def serving(
    pulses: dict[str, list[str]] | None = None,
    trouble: dict[str, Any] | None = None,
) -> Iterator[Service]:
    service = Service(pulses or {}, trouble or {})
    threading.Thread(target=service.serve_forever, daemon=True).start()
    try:
        yield service
    finally:
        service.ended.set()
        service.shutdown()
        service.server_close()


def ti_lookup(url: str, *names: str) -> Any:
    """Return a real `TILookup` with real providers, which find their service at `url`."""
    from msticpy.context.tilookup import TILookup

    return TILookup(primary_providers=ti_providers(url, *names))


def ti_providers(url: str, *names: str) -> Sequence[Any]:
    """Return real providers, which find their service at `url`."""
    from msticpy.context.tiproviders.alienvault_otx import OTX
    from msticpy.context.tiproviders.greynoise import GreyNoise

    known = {"OTX": OTX, "GreyNoise": GreyNoise}
    return [type(name, (known[name],), {"_BASE_URL": url})(AuthKey="key") for name in names]
