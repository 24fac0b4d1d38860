"""A service on this machine that answers as RIPEstat, IANA and a registry do, or misbehaves."""

from __future__ import annotations

import ipaddress
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import flowtriage as ft
from flowtriage.enrich.online import Online


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        address = parse_qs(url.query).get("resource", [url.path.rpartition("/ip/")[2]])[0]
        with self.server.counting(self.path):
            if url.path.startswith("/bootstrap/"):
                self.send(200, self.server.bootstrap())
            elif url.path.startswith("/rdap/"):
                self.send(200, registration(address))
            elif address in self.server.behaviour:
                self.server.behaviour[address](self)
            else:
                self.send(200, origin(address))

    def send(self, status: int, body: Any, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


Behaviour: TypeAlias = Callable[[Handler], None]


class Service(ThreadingHTTPServer):
    """Keeps the paths it was asked for, and how many requests waited at the same time.

    `behaviour` tells what to do when asked for the origin of an address, if not to answer well.
    """

    daemon_threads = True

    def __init__(self, behaviour: dict[str, Behaviour]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour = behaviour
        self.asked: Counter[str] = Counter()
        self.now, self.most = 0, 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def online(self, cache: Any, **settings: Any) -> Online:
        defaults: dict[str, Any] = {
            "origin": f"{self.url}/origin?resource={{address}}",
            "bootstrap": f"{self.url}/bootstrap",
            "cache": cache,
            "timeout": 1.0,
        }
        return Online(**(defaults | settings))

    def origins(self, address: str) -> int:
        return self.asked[f"/origin?resource={address}"]

    def bootstrap(self) -> dict[str, Any]:
        mine = [f"{self.url}/rdap/"]
        return {"services": [[["0.0.0.0/0", "2000::/3"], mine]]}

    @contextmanager
    def counting(self, path: str) -> Iterator[None]:
        with self._lock:
            self.asked[path] += 1
        with suppress(BrokenPipeError, ConnectionResetError):  # the client had enough
            yield

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count a request of which its client has not heard yet."""
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            yield
        finally:
            with self._lock:
                self.now -= 1


@contextmanager
def serving(behaviour: dict[str, Behaviour] | None = None) -> Iterator[Service]:
    service = Service(behaviour or {})
    threading.Thread(target=service.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield service
    finally:
        service.shutdown()
        service.server_close()


def network(address: str) -> Any:
    length = 48 if ":" in address else 24
    return ipaddress.ip_network(f"{address}/{length}", strict=False)


def origin(address: str, *numbers: int) -> dict[str, Any]:
    systems = [{"asn": n, "holder": f"HOLDER {n}"} for n in numbers or (64500,)]
    return {"status": "ok", "data": {"resource": str(network(address)), "asns": systems}}


def registration(address: str) -> dict[str, Any]:
    card = ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Example Registrant"]]]
    return {
        "objectClassName": "ip network",
        "startAddress": str(network(address)[0]),
        "endAddress": str(network(address)[-1]),
        "name": "EXAMPLE-NET",
        "country": "NZ",
        "entities": [{"roles": ["abuse"]}, {"roles": ["registrant"], "vcardArray": card}],
    }


def says(status: int, body: Any = b"", **headers: str) -> Behaviour:
    return lambda handler: handler.send(status, body, **headers)


def leads_to(url: str) -> Behaviour:
    return says(302, Location=url)


def circles(handler: Handler) -> None:
    handler.send(302, b"", Location=handler.path)


def sleeps(seconds: float) -> Behaviour:
    def behave(handler: Handler) -> None:
        with handler.server.waiting():
            time.sleep(seconds)
        address = parse_qs(urlsplit(handler.path).query)["resource"][0]
        handler.send(200, origin(address))

    return behave


def drips(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        time.sleep(0.1)


def breaks_off(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"data": ')
    handler.wfile.flush()
    handler.connection.close()


def hangs_up(handler: Handler) -> None:
    handler.connection.close()


def first(behaviour: Behaviour) -> Behaviour:
    """Misbehave the first time only."""
    seen: set[str] = set()

    def behave(handler: Handler) -> None:
        again = handler.path in seen
        seen.add(handler.path)
        (sleeps(0) if again else behaviour)(handler)

    return behave


def unknown(count: int = 1) -> list[str]:
    """Public addresses that the bundled database does not know."""
    candidates = [f"{a}.{b}.0.1" for a in range(1, 224) for b in (0, 100, 200)]
    rows = ft.AsnDatabase().lookup(candidates).to_pylist()
    known = [row["address"] for row in rows if row["as_name"] == "No ASN record"]
    assert len(known) >= count
    return known[:count]


def ledger(database: ft.AsnDatabase, service: str = "origin") -> dict[str, dict[str, Any]]:
    rows = database.ledger.to_pylist()
    return {row["address"]: row for row in rows if row["service"] == service}
