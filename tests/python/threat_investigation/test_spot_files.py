"""Files of a story: layout, names, and errors."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connection_sets import SCHEMA, connection_sets, peer
from flowtriage.errors import ArgumentError, FormatError, InputError
from flowtriage.threat_investigation.story.globe import Globe, Location
from flowtriage.threat_investigation.story.spot_files import (
    read_dendrogram,
    read_globe,
    read_stats,
    safe_ip,
    story_files,
    write_files,
)
from flowtriage.threat_investigation.story.trees import Branch, Dendrogram, Stats

IP = "10.0.0.5"
HOSTILE = "</script><script>alert(1)</script>'\"\u2028\U0001f600"
SETS = connection_sets(
    peer("8.8.8.8", "outbound", latitude=37.4, longitude=-122.1, location="Google LLC"),
    peer("10.0.0.9", "inbound", context="dmz"),
    peer("10.0.0.10", "inbound", context="dmz"),
    peer("10.0.1.1", "inbound", context=HOSTILE, latitude=1.5, longitude=2.5, location=HOSTILE),
    peer("2001:db8::1", "two-way", context="office", latitude=-90.0, longitude=180.0),
)


def feature(ip: str, kind: int, location: str, longitude: float, latitude: float) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"location": location, "ip": ip, "type": kind},
        "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
    }


GLOBE = {
    "type": "FeatureCollection",
    "sourceips": [feature("10.0.1.1", 2, HOSTILE, 2.5, 1.5)],
    "destips": [
        feature("8.8.8.8", 3, "Google LLC", -122.1, 37.4),
        feature("2001:db8::1", 1, "", 180.0, -90.0),
    ],
}
STATS = {
    "name": IP,
    "size": 5,
    "children": [
        {
            "name": "Inbound Only",
            "size": 3,
            "children": [{"name": "dmz", "size": 2}, {"name": HOSTILE, "size": 1}],
        },
        {"name": "Outbound Only", "size": 1, "children": [{"name": "no context", "size": 1}]},
        {"name": "two way", "size": 1, "children": [{"name": "office", "size": 1}]},
    ],
}
DENDROGRAM = {
    "name": IP,
    "time": "",
    "children": [
        {
            "name": "Inbound Only",
            "impact": 3,
            "children": [{"name": "dmz", "impact": 2}, {"name": HOSTILE, "impact": 1}],
        },
        {"name": "Outbound Only", "impact": 1, "children": [{"name": "no context", "impact": 1}]},
        {"name": "two way", "impact": 1, "children": [{"name": "office", "impact": 1}]},
    ],
}


def test_the_files_have_the_layout_of_spot(tmp_path: Path) -> None:
    files = write_files(tmp_path / "new", IP, SETS)
    assert [path.name for path in sorted((tmp_path / "new").iterdir())] == [
        "globe-10_0_0_5.json",
        "stats-10_0_0_5.json",
        "threat-dendro-10_0_0_5.json",
    ]
    assert json.loads(files.globe.read_bytes()) == GLOBE
    assert json.loads(files.stats.read_bytes()) == STATS
    assert json.loads(files.dendrogram.read_bytes()) == DENDROGRAM
    assert read_globe(files.globe) == Globe.of(SETS)
    assert read_stats(files.stats) == Stats.of(SETS, IP)
    assert read_dendrogram(files.dendrogram) == Dendrogram.of(SETS, IP)


def test_origin_is_paired_with_each_peer() -> None:
    globe = json.loads(Globe.of(SETS, Location("9.9.9.9", 8.0, 47.0, "Home")).to_json())
    pairs = zip(globe["sourceips"], globe["destips"], strict=True)
    found = [[(f["properties"]["ip"], f["properties"]["type"]) for f in pair] for pair in pairs]
    assert found == [
        [("9.9.9.9", 3), ("8.8.8.8", 3)],
        [("10.0.1.1", 2), ("9.9.9.9", 2)],
        [("9.9.9.9", 1), ("2001:db8::1", 1)],
    ]
    assert globe["sourceips"][0] == feature("9.9.9.9", 3, "Home", 8.0, 47.0)


def test_peers_without_valid_coordinates_are_dropped() -> None:
    nowhere = [(None, None), (1.0, None), (float("nan"), 1.0), (90.5, 0.0), (0.0, -180.5)]
    rows = [
        peer(f"8.8.8.{at}", "inbound", latitude=latitude, longitude=longitude)
        for at, (latitude, longitude) in enumerate(nowhere)
    ]
    assert len(Globe.of(connection_sets(*rows)).sources) == 0


@pytest.mark.parametrize("origin", [None, Location(IP, 8.0, 47.0)])
def test_an_address_without_peers_has_files_too(tmp_path: Path, origin: Location | None) -> None:
    files = write_files(tmp_path, IP, SCHEMA.empty_table(), origin=origin)
    globe = read_globe(files.globe)
    assert len(globe.sources) == len(globe.destinations) == 0
    assert [(one.name, one.peers) for one in read_stats(files.stats).branches] == [
        ("Inbound Only", 0),
        ("Outbound Only", 0),
        ("two way", 0),
    ]
    assert read_dendrogram(files.dendrogram) == Dendrogram(IP, ())


SPOT_GLOBE = """{"sourceips": [{"geometry": {"type": "Point", "coordinates": [-74.0, 40.7]},
"type": "Feature", "properties": {"ip": "64.1.2.3", "type": 3, "location": "Example Inc."}}],
"type": "FeatureCollection", "destips": [{"geometry": {"type": "Point", "coordinates": [8, 47]},
"type": "Feature", "properties": {"ip": "64.9.9.9", "type": 1, "location": "caf\\u00e9"}}]}"""
SPOT_STATS = """{"name": "", "children": [{"name": "Inbound Only", "children": [], "size": 0},
{"name": "Outbound Only", "children": [{"name": "DMZ", "size": 20}], "size": 20},
{"name": "two way", "children": [{"name": "DMZ", "size": 1}], "size": 1}], "size": 21}"""
SPOT_DENDROGRAM = """{"name": "10.0.2.202", "children": [{"name": "Outbound Only", "children":
[{"name": "core", "impact": 4}], "impact": 0}, {"name": "two way", "children": [], "impact": 0}],
"time": ""}"""


def test_files_that_spot_wrote_are_read() -> None:
    globe = Globe.from_json(SPOT_GLOBE)
    assert globe.sources.to_pylist() == [
        {
            "ip": "64.1.2.3",
            "type": 3,
            "location": "Example Inc.",
            "longitude": -74.0,
            "latitude": 40.7,
        }
    ]
    assert globe.destinations["location"].to_pylist() == ["café"]
    assert json.loads(globe.to_json()) == json.loads(SPOT_GLOBE)
    stats = Stats.from_json(SPOT_STATS)
    assert stats.branches[1] == Branch("Outbound Only", 20, (Branch("DMZ", 20),))
    assert json.loads(stats.to_json()) == json.loads(SPOT_STATS)
    dendrogram = Dendrogram.from_json(SPOT_DENDROGRAM)
    assert dendrogram.branches[0] == Branch("Outbound Only", 0, (Branch("core", 4),))
    assert json.loads(dendrogram.to_json()) == json.loads(SPOT_DENDROGRAM)


GOOD = feature("8.8.8.8", 1, "", 1.0, 2.0)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (None, r"destips is not an array"),
        ([GOOD, "text"], r"destips\[1\] is not a Feature"),
        ([GOOD, GOOD | {"type": "Curve"}], r'destips\[1\]: type is not "Feature"'),
        ([GOOD, {"type": "Feature"}], r"destips\[1\]: properties.ip is missing"),
        ([feature("8.8.8.8", 4, "", 0, 0)], r"destips\[0\]: properties.type is not 1, 2 or 3"),
        ([GOOD | {"geometry": {"type": "Line"}}], r'\[0\]: geometry.type is not "Point"'),
        ([feature("8.8.8.8", 1, "", 0, 91)], r"coordinates is out of range"),
        ([feature("8.8.8.8", 1, "", 0, None)], r"coordinates is out of range"),
        ([feature("8.8.8.8", 1, "", "0", 0)], r"destips\[0\] is not a Feature"),
        (
            [GOOD | {"geometry": {"type": "Point", "coordinates": [1]}}],
            r"coordinates is not a pair of numbers",
        ),
    ],
)
def test_error_states_the_position_in_a_globe(tmp_path: Path, features: Any, message: str) -> None:
    path = tmp_path / "globe.json"
    document = {"type": "FeatureCollection", "sourceips": [GOOD], "destips": features}
    path.write_text(json.dumps(document))
    with pytest.raises(FormatError, match=rf"globe\.json: .*{message}"):
        read_globe(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not valid JSON: .* line 1 column 1"),
        (b'{"type": "Feature', "not valid JSON: .*line 1 column 10"),
        (b'{"type": NaN}', "not valid JSON: NaN is not a JSON number"),
        (b"\xff\xfe{}", "not valid UTF-8"),
        (b'{"name": "\\ud800"}', "not valid UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[]", "not a globe"),
        (SPOT_STATS.encode(), "not a globe"),
    ],
)
def test_other_content_is_not_a_globe(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "globe.json"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=rf"globe\.json is {message}"):
        read_globe(path)


def with_(document: dict[str, Any], **changes: Any) -> str:
    return json.dumps(document | changes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "the stats is not an object with name"),
        (with_(STATS, name=5), "the stats: name is not a string"),
        (with_(STATS, size="5"), "size is not an integer"),
        (with_(STATS, size=True), "size is not an integer"),
        (with_(STATS, size=-1), "size is not an integer"),
        (with_(STATS, children={}), "the stats: children is not an array"),
        (
            with_(STATS, children=[{"name": "x", "size": 1}]),
            r"children\[0\]: children is not an array",
        ),
        (
            with_(STATS, children=[{"name": "x", "size": 1, "children": [{"name": None}]}]),
            r"the stats: children\[0\]: children\[0\]: name is not a string",
        ),
    ],
)
def test_error_states_the_position_in_stats(content: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        Stats.from_json(content)


def test_dendrogram_and_stats_are_not_interchangeable() -> None:
    with pytest.raises(FormatError, match="size is not an integer"):
        Stats.from_json(json.dumps(DENDROGRAM))
    with pytest.raises(FormatError, match="the dendrogram: time is not a string"):
        Dendrogram.from_json(json.dumps(STATS))


def test_tables_without_columns_of_connection_sets_are_errors() -> None:
    with pytest.raises(InputError, match="lack the columns location, longitude, latitude"):
        Globe.of(SETS.drop_columns(["location", "longitude", "latitude"]))
    with pytest.raises(InputError, match="lack the columns context"):
        Stats.of(SETS.drop_columns(["context"]), IP)
    sideways = SETS.set_column(1, "direction", [["sideways"] * len(SETS)])
    for of in (Globe.of, lambda sets: Stats.of(sets, IP)):
        with pytest.raises(InputError, match="a direction other than"):
            of(sideways)


def test_a_failure_leaves_the_earlier_file(tmp_path: Path) -> None:
    files = write_files(tmp_path, IP, SETS)
    before = files.stats.read_bytes()
    with pytest.raises(InputError):
        write_files(tmp_path, IP, SETS.drop_columns(["location"]))
    assert files.stats.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 3


addresses = st.ip_addresses().map(str)


def as_ipv6(text: str) -> int:
    address = ipaddress.ip_address(text)
    return int(address) + (0xFFFF << 32 if address.version == 4 else 0)


@given(addresses, addresses)
def test_two_addresses_never_share_a_name(one: str, other: str) -> None:
    assert (safe_ip(one) == safe_ip(other)) == (as_ipv6(one) == as_ipv6(other))


@given(st.ip_addresses(v=4))
def test_an_address_has_one_name_however_it_is_written(address: ipaddress.IPv4Address) -> None:
    assert safe_ip(f"::ffff:{address}") == safe_ip(str(address)) == str(address).replace(".", "_")


@given(st.integers(0, 2**32))
def test_small_ipv6_addresses_do_not_meet_ipv4(number: int) -> None:
    short = ipaddress.IPv6Address(number)
    assert safe_ip(str(short)).startswith("__")
    assert safe_ip(short.exploded) == safe_ip(str(short))


@given(st.text() | addresses.map(lambda ip: f"{ip}%../../x") | addresses.map("../{}".format))
def test_no_text_escapes_the_folder(text: str) -> None:
    try:
        files = story_files("/stories", text)
    except ArgumentError:
        return
    assert ipaddress.ip_address(text.strip())
    assert files.globe.resolve().parent == files.dendrogram.resolve().parent == Path("/stories")


@pytest.mark.parametrize(
    "text", ["", "..", "10.0.0.0/8", "fe80::1%eth0", "fe80::1%../../etc", "a/b", "10.0.0.1\0"]
)
def test_invalid_addresses_have_no_files(tmp_path: Path, text: str) -> None:
    with pytest.raises(ArgumentError, match="invalid address"):
        write_files(tmp_path, text, SETS)
    assert list(tmp_path.iterdir()) == []
