"""Exact locations: from providers, from city files, and messages where they fail."""

from __future__ import annotations

import gc
import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("msticpy")

from flow_map import GOOGLE, HOST, draw, layers, note, row
from flowtriage import AsnDatabase
from flowtriage.errors import DatabaseError

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]

LONDON, BOXFORD = "81.2.69.142", "2.125.160.216"


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """Let go of the connections that msticpy leaves open, and of its warnings."""
    yield
    gc.collect()


@pytest.fixture
def test_files(shared: Path) -> Path:
    return shared / "mmdb" / "maxmind-test"


def known(drawn: Any) -> dict[str, tuple[Any, ...]]:
    return {
        str(marker["Address"]): (marker["point"], marker["City"], marker["Location"])
        for marker in layers(drawn)[0]
    }


ROWS = [row(HOST, one, "O") for one in (LONDON, BOXFORD, GOOGLE)]


def test_a_city_file_of_the_user_gives_exact_locations(test_files: Path) -> None:
    country = Path(test_files.parent) / "country.mmdb"
    drawn = draw(*ROWS, asn=AsnDatabase([country, test_files / "GeoLite2-City-Test.mmdb"]))
    assert known(drawn) == {
        LONDON: ([51.5142, -0.0931], "London", "city level"),
        BOXFORD: ([51.75, -1.25], "Boxford", "city level"),
        GOOGLE: ([39.5, -98.4], None, "country level"),
    }
    assert "2 locations are city level, from country.mmdb, GeoLite2-City-Test.mmdb" in note(drawn)
    assert "1 location is country level, from the given database" in note(drawn)


def test_geolite_of_msticpy_comes_first(test_files: Path, tmp_path: Path) -> None:
    from msticpy.context.geoip import GeoLiteLookup

    shutil.copy(test_files / "GeoLite2-City-Test.mmdb", tmp_path / "GeoLite2-City.mmdb")
    provider = GeoLiteLookup(db_folder=str(tmp_path), auto_update=False)
    drawn = draw(*ROWS, geoip={"geolitelookup": provider}, hosts=[HOST, LONDON])
    assert known(drawn)[BOXFORD] == ([51.75, -1.25], "Boxford", "city level")
    (host,) = layers(drawn)[1]
    assert (host["point"], host["City"]) == ([51.5142, -0.0931], "London")
    assert "city level, from geolitelookup" in note(drawn)
    assert "country level, from the bundled database" in note(drawn)


def test_geolite_without_a_database_leaves_countries(tmp_path: Path) -> None:
    from msticpy.context.geoip import GeoLiteLookup

    drawn = draw(*ROWS, geoip={"geolitelookup": GeoLiteLookup(db_folder=str(tmp_path))})
    assert set(known(drawn)) == {LONDON, BOXFORD, GOOGLE}
    assert {exactness for *_, exactness in known(drawn).values()} == {"country level"}
    said = "Lookup by geolitelookup failed: Maxmind GeoIP database not found\n"
    assert said in note(drawn)


class _Stack(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        address = self.path.strip("/").partition("?")[0]
        self.server.asked.append(address)  # type: ignore[attr-defined]
        place = {"ip": address, "country_code": "GB", "country_name": "UK", "region_name": ""}
        place |= {"city": "<b>London</b>", "latitude": 51.5, "longitude": 0.1}
        if address == BOXFORD:
            place |= {"latitude": 4000, "longitude": None}
        body = json.dumps(place).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


def test_ipstack_looks_up_public_addresses_only() -> None:
    from msticpy.context.geoip import IPStackLookup

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Stack)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        api = f"http://127.0.0.1:{server.server_port}/{{iplist}}?access_key={{access_key}}"
        here = type("IPStackLookup", (IPStackLookup,), {"_IPSTACK_API": api})
        rows = [row(HOST, one, "O") for one in (LONDON, BOXFORD, "10.9.9.9")]
        drawn = draw(*rows, geoip={"ipstacklookup": here(api_key="key")})
    finally:
        server.shutdown()
        server.server_close()
    assert sorted(server.asked) == sorted([LONDON, BOXFORD])  # type: ignore[attr-defined]
    assert known(drawn)[LONDON] == ([51.5, 0.1], "<b>London</b>", "city level")
    assert known(drawn)[BOXFORD][2] == "country level"


def test_a_damaged_city_file_is_named(test_files: Path) -> None:
    broken = test_files / "GeoIP2-City-Test-Broken-Double-Format.mmdb"
    with pytest.raises(DatabaseError, match="Broken-Double"):
        draw(*ROWS, asn=AsnDatabase([test_files / "GeoLite2-Country-Test.mmdb", broken]))
