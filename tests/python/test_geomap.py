"""The map of a host's peers: where they are, what is said of them, and what is not run."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

pytest.importorskip("msticpy")
maxminddb = pytest.importorskip("maxminddb")

from msticpy.vis.foliummap import FoliumMap

import flowtriage
from flowtriage import AsnDatabase
from flowtriage.network_flow_summary.geomap import geo_map

DATA = Path(flowtriage.__file__).parent / "data"
HOST = "10.0.0.5"
GOOGLE, GOOGLE_2, RIPE = "8.8.8.8", "8.8.4.4", "193.0.6.139"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "`);alert(1);(`",
    "${1+1}",
    "{{ 7 * 7 }}",
    "{% for one in (1, 2) %}again{% endfor %}",
    "{# unseen #}",
    "\\u003cb\\u003e'\"&amp;",
]
START = dt.datetime(2026, 3, 2, 8, 0, 0, 999_999, dt.UTC)
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("source", "dest", "L7Protocol", "FlowDirection")),
        *((name, pa.int64()) for name in ("TotalAllowedFlows", "denied_flows")),
        *((name, pa.int64()) for name in ("src_bytes", "dst_bytes")),
        *((name, pa.timestamp("us", "UTC")) for name in ("first_seen", "last_seen")),
    ]
)


def row(source: str | None, dest: str | None, direction: str, **facts: Any) -> dict[str, Any]:
    """One row of an index; what is not given is usual."""
    usual = {"L7Protocol": "ssl", "TotalAllowedFlows": 1, "denied_flows": 0, "src_bytes": 1}
    times = {"dst_bytes": 1, "first_seen": START, "last_seen": START}
    ends = {"source": source, "dest": dest, "FlowDirection": direction}
    return {**ends, **usual, **times, **facts}


def draw(*rows: dict[str, Any], hosts: Sequence[str] = (HOST,), asn: Any = None) -> FoliumMap:
    index = pa.Table.from_pylist(list(rows), SCHEMA)
    return geo_map(index, host_addresses=hosts, asn=asn or AsnDatabase())


def page(drawn: FoliumMap) -> str:
    return drawn.folium_map.get_root().render()


def layers(drawn: FoliumMap) -> list[list[dict[str, Any]]]:
    """Read the markers of peers and of hosts out of the page, as the browser will."""
    found = re.findall(r"= flowtriageMap\.layer\((.*)\);", page(drawn))
    read = []
    for arguments in found:
        points, columns, _ = json.loads(f"[{arguments}]")
        labels, values, codes = zip(*columns, strict=True)
        rows = [
            [None if code is None else known[code] for known, code in zip(values, row, strict=True)]
            for row in zip(*codes, strict=True)
        ]
        read.append(
            [
                {"point": point, **dict(zip(labels, facts, strict=True))}
                for point, facts in zip(points, rows, strict=True)
            ]
        )
    return read


def peer(drawn: FoliumMap) -> dict[str, Any]:
    (only,) = layers(drawn)[0]
    return only


class Text(HTMLParser):
    """Text of the note, and every tag of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.note = ""
        self._inside = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._inside |= ("class", "ft-note") in attrs

    def handle_endtag(self, tag: str) -> None:
        self._inside &= tag != "details"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.note += data + "\n"


def note(drawn: FoliumMap) -> str:
    return Text(page(drawn)).note


def countries() -> list[dict[str, str]]:
    with (DATA / "countries.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_country_of_the_embedded_database_has_a_point() -> None:
    with maxminddb.open_database(DATA / "country.mmdb") as reader:
        known = {record["country_code"] for _, record in reader}
    codes = [country["code"] for country in countries()]
    assert codes == sorted(set(codes))
    assert set(codes) == known
    assert len(set(codes) - {"AN", "XK"}) == 249


def test_the_points_of_countries_are_where_they_should_be() -> None:
    rows = {country["code"]: country for country in countries()}
    places = {c: (float(r["latitude"]), float(r["longitude"])) for c, r in rows.items()}
    for code, written in rows.items():
        assert re.fullmatch(r"-?\d+(\.\d\d?)?", written["latitude"]), code
        assert re.fullmatch(r"-?\d+(\.\d\d?)?", written["longitude"]), code
        assert -85 < places[code][0] < 85 and -180 <= places[code][1] <= 180, code
    corners = {
        "US": (26, 49, -124, -67),
        "NA": (-29, -17, 12, 25),
        "NO": (58, 71, 5, 31),
        "BR": (-33, 5, -73, -35),
        "JP": (31, 45, 130, 145),
        "NZ": (-47, -34, 166, 179),
        "SG": (1.2, 1.5, 103.6, 104.1),
    }
    for code, (south, north, west, east) in corners.items():
        assert south < places[code][0] < north and west < places[code][1] < east, code
    assert rows["NA"]["name"] == "Namibia"


def test_the_map_is_that_of_msticpy_and_knows_its_places() -> None:
    drawn = draw(row(HOST, GOOGLE, "O"), row(HOST, RIPE, "O"))
    assert isinstance(drawn, FoliumMap)
    united_states, netherlands = (39.5, -98.4), (52.2, 5.6)
    assert sorted(drawn.locations) == [united_states, netherlands]
    assert page(drawn).count("fitBounds") == 1


def test_a_peer_shows_the_sum_of_its_rows() -> None:
    later = START + dt.timedelta(hours=3)
    drawn = draw(
        row(HOST, GOOGLE, "O", TotalAllowedFlows=1200, src_bytes=1_500_000, dst_bytes=10),
        row(HOST, GOOGLE, "O", L7Protocol="dns", TotalAllowedFlows=34, denied_flows=5,
            src_bytes=None, dst_bytes=None, last_seen=later),
    )  # fmt: skip
    known = peer(drawn)
    assert known.pop("point") == [39.5, -98.4]
    assert known == {
        "": "outbound",
        "Address": GOOGLE,
        "Country": "United States",
        "Flows": "1,234 allowed, 5 denied",
        "Network": "AS15169 Google LLC",
        "Direction": "outbound",
        "Protocols": "ssl, dns",
        "Bytes from host": "1.5 MB",
        "Bytes to host": "10 B",
        "First seen, UTC": "2026-03-02 08:00:00",
        "Last seen, UTC": "2026-03-02 11:00:00",
    }


def test_bytes_are_told_as_seen_from_the_host() -> None:
    drawn = draw(
        row(HOST, GOOGLE, "O", src_bytes=1, dst_bytes=20),
        row(GOOGLE, HOST, "I", src_bytes=300, dst_bytes=4000),
    )
    known = peer(drawn)
    assert (known["Bytes from host"], known["Bytes to host"]) == ("4 kB", "320 B")


def test_nothing_is_said_where_nothing_is_known() -> None:
    gone = dict.fromkeys(("L7Protocol", "src_bytes", "dst_bytes", "first_seen", "last_seen"))
    known = peer(draw(row(HOST, GOOGLE, "O", **gone, denied_flows=None)))
    assert known["Protocols"] == "not known"
    assert known["Flows"] == "1"
    for label in ("Bytes from host", "Bytes to host", "First seen, UTC", "Last seen, UTC"):
        assert known[label] is None


def test_protocols_come_by_their_flows_and_no_more_than_six() -> None:
    names = "abcdefgh"
    rows = [row(HOST, GOOGLE, "O", L7Protocol=c, TotalAllowedFlows=ord(c)) for c in names]
    assert peer(draw(*rows))["Protocols"] == "h, g, f, e, d, c and 2 more"


@pytest.mark.parametrize(
    ("ways", "kind", "direction"),
    [
        ("O", "outbound", "outbound"),
        ("I", "inbound", "inbound"),
        ("OI", "both", "outbound 2, inbound 3"),
        ("OU", "outbound", "outbound"),
        ("IX", "inbound", "inbound"),
        ("L", "other", "neither inbound nor outbound"),
    ],
)
def test_the_kind_of_a_peer_is_that_of_its_flows(ways: str, kind: str, direction: str) -> None:
    counts = {"O": 2, "I": 3}
    ends = {"I": (GOOGLE, HOST)}
    rows = [
        row(*ends.get(way, (HOST, GOOGLE)), way, TotalAllowedFlows=counts.get(way, 9))
        for way in ways
    ]
    drawn = draw(*rows)
    assert (peer(drawn)[""], peer(drawn)["Direction"]) == (kind, direction)
    assert ("Both ways" in note(drawn)) == (kind == "both")
    assert ("Other direction" in note(drawn)) == (kind == "other")
    assert all(label in note(drawn) for label in ("Outbound", "Inbound", "Host"))


def test_only_flows_of_the_host_count_and_the_others_are_told() -> None:
    drawn = draw(
        row(HOST, GOOGLE, "O"),
        row("10.0.0.6", GOOGLE, "O", TotalAllowedFlows=1000, denied_flows=234),
        row(HOST, "10.0.0.5", "L", TotalAllowedFlows=7),
    )
    assert peer(drawn)["Flows"] == "1"
    assert "1,234 flows left out" in note(drawn)
    assert "left out" not in note(draw(row(HOST, GOOGLE, "O")))


def test_without_host_addresses_the_direction_tells_the_peer() -> None:
    drawn = draw(
        row("10.0.0.6", GOOGLE, "O"), row(RIPE, "10.0.0.6", "I"), row(GOOGLE, RIPE, "X"), hosts=()
    )
    assert {known["Address"] for known in layers(drawn)[0]} == {GOOGLE, RIPE}
    assert "1 flow left out" in note(drawn)


def test_addresses_without_a_location_are_counted() -> None:
    drawn = draw(
        row(HOST, GOOGLE, "O"),
        *(row(HOST, address, "O") for address in ("10.9.9.9", "224.0.0.251", "fe80::1")),
        row(HOST, None, "O"),
    )
    assert peer(drawn)["Address"] == GOOGLE
    assert "1 address in 1 country; 3 without a location" in note(drawn)
    assert "country level, from the embedded database" in note(drawn)


def test_a_map_of_nothing_is_a_map() -> None:
    drawn = draw()
    assert layers(drawn) == [[], []]
    assert drawn.locations == []
    assert "fitBounds" not in page(drawn)
    assert "0 addresses in 0 countries" in note(drawn)


def test_a_public_host_is_on_the_map_and_a_private_one_in_the_note() -> None:
    drawn = draw(row(HOST, GOOGLE, "O"), hosts=[HOST, f"::ffff:{RIPE}", RIPE])
    (host,) = layers(drawn)[1]
    assert (host[""], host["Host"], host["Country"]) == ("host", RIPE, "Netherlands")
    assert f"Host without a location: {HOST}\n" in note(drawn)
    private = [f"10.0.0.{at}" for at in range(5)]
    assert "10.0.0.0, 10.0.0.1, 10.0.0.2 and 2 more\n" in note(draw(hosts=private))
    with pytest.raises(InputError):
        draw(hosts=["not an address"])


def test_addresses_of_a_country_are_spread_close_to_its_point() -> None:
    def points(count: int) -> list[tuple[float, float]]:
        peers = [f"8.8.{at // 250}.{at % 250 + 1}" for at in range(count)]
        drawn = draw(*(row(HOST, address, "O", TotalAllowedFlows=2) for address in peers[::-1]))
        again = draw(*(row(HOST, address, "O", TotalAllowedFlows=2) for address in peers))
        assert layers(drawn) == layers(again)
        return [(y, x) for y, x in (known["point"] for known in layers(drawn)[0])]

    def reach(places: list[tuple[float, float]]) -> float:
        narrowing = math.cos(math.radians(39.5))
        return max(math.hypot(y - 39.5, (x + 98.4) * narrowing) for y, x in places)

    few, many = points(9), points(6000)
    assert few[0] == many[0] == (39.5, -98.4)
    assert (len(set(few)), len(set(many))) == (9, 6000)
    assert 0.05 < reach(few) < 0.1
    assert 1.9 < reach(many) < 2.01


def test_the_busiest_address_of_a_country_is_in_the_middle() -> None:
    drawn = draw(row(HOST, GOOGLE_2, "O"), row(HOST, GOOGLE, "O", TotalAllowedFlows=2))
    middle = next(known for known in layers(drawn)[0] if known["point"] == [39.5, -98.4])
    assert middle["Address"] == GOOGLE


class HostileNames(AsnDatabase):
    """Names every network as an attacker might."""

    def lookup(self, addresses: Any) -> pa.Table:
        known = super().lookup(addresses)
        names = [HOSTILE[at % len(HOSTILE)] for at in range(len(known))]
        return known.set_column(2, "as_name", pa.array(names, pa.string()))


def test_foreign_text_is_data_to_every_reader_on_its_way() -> None:
    peers = [f"8.8.8.{at}" for at in range(len(HOSTILE))]
    drawn = draw(
        *(row(HOST, one, "O", L7Protocol=HOSTILE[at]) for at, one in enumerate(peers)),
        hosts=[HOST, RIPE],
        asn=HostileNames(),
    )
    html = page(drawn)
    known = sorted(layers(drawn)[0], key=lambda marker: str(marker["Address"]))
    assert [marker["Network"] for marker in known] == [f"AS15169 {text}" for text in HOSTILE]
    assert [marker["Protocols"] for marker in known] == HOSTILE
    assert not [text for text in HOSTILE[:-1] if text in html]
    calm = page(draw(row(HOST, GOOGLE, "O"), hosts=[HOST, RIPE]))
    assert Text(html).tags == Text(calm).tags


def test_text_that_cannot_be_seen_is_shown() -> None:
    drawn = draw(row(HOST, GOOGLE, "O", L7Protocol="ab\u202ecd\u2028"))
    assert peer(drawn)["Protocols"] == "ab\\u202ecd\\u2028"


def test_a_notebook_shows_the_same_page() -> None:
    drawn = draw(row(HOST, GOOGLE, "O"))
    (inner,) = re.findall(r'srcdoc="([^"]*)"', drawn._repr_html_())
    assert unescape(inner) == page(drawn)


def test_a_database_of_the_user_is_not_credited_to_others() -> None:
    own = AsnDatabase(DATA / "country.mmdb")
    drawn = draw(row(HOST, GOOGLE, "O"), asn=own)
    assert "from the database given" in note(drawn)
    assert "DB-IP" not in note(drawn)
    assert "IP Geolocation by DB-IP" in note(draw())
    assert peer(drawn)["Network"] == "No ASN record"


@pytest.mark.parametrize("library", ["msticpy.vis.foliummap", "folium"])
def test_what_is_missing_is_told(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = [name for name in sys.modules if name.startswith((library, "msticpy.vis.foliummap"))]
    for name in [*gone, "flowtriage.network_flow_summary.geomap_layer"]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r'pip install "flowtriage\[notebook\]"'):
        draw()
