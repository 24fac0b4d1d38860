"""Enrichment: internal networks, context, places, reputation."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gti_program
from flowtriage import _core
from flowtriage.errors import FormatError, ServiceError
from flowtriage.oa.context import InternalNetworks, read_context
from flowtriage.oa.enrichment import Sources, add_reputation, enrich
from flowtriage.oa.geolocation import IpLocations, MaxMindLocations
from flowtriage.oa.reputation import (
    BlockListService,
    Gti,
    TIService,
    check,
    open_services,
    severity,
)
from flowtriage.reputation import BlockLists

GOOGLE, QUAD9 = "8.8.8.8", "9.9.9.9"


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


class Fixed:
    """A service that knows some addresses."""

    def __init__(self, name: str, answers: dict[str, str]) -> None:
        self.name, self.answers, self.asked = name, answers, list[str]()

    def check(self, addresses: Any) -> dict[str, str]:
        self.asked += addresses
        return {address: self.answers[address] for address in addresses if address in self.answers}


class Broken:
    name = "broken"

    def check(self, addresses: Any) -> dict[str, str]:
        raise ServiceError("gone")


_ends = st.tuples(st.integers(0, 255), st.integers(0, 255)).map(sorted)


@given(st.lists(_ends, max_size=12), st.integers(0, 255))
def test_the_narrowest_range_is_found(ranges: list[list[int]], probe: int) -> None:
    texts = [f"10.0.0.{first}-10.0.0.{last}" for first, last in ranges]
    holding = [(b - a, row) for row, (a, b) in enumerate(ranges) if a <= probe <= b]
    nulls = pa.nulls(len(texts), pa.string())
    found = _core.RangeList(pa.array(texts, pa.string()), nulls).find(pa.array([f"10.0.0.{probe}"]))
    assert found["range"].to_pylist() == [min(holding)[1] if holding else None]


def test_internal_networks(tmp_path: Path) -> None:
    path = written(
        tmp_path / "ipranges.csv", "start_ip,end_ip,name\n10.0.0.5,10.0.0.9,office\nfd00::/8,,lab\n"
    )
    asked = pa.array(["10.0.0.4", "10.0.0.5", "10.0.0.9", "10.0.0.10", "fd00::1", None])
    expected = [False, True, True, False, True, None]
    assert InternalNetworks(path).check(asked).to_pylist() == expected


def test_context_is_that_of_the_narrowest_entry(tmp_path: Path) -> None:
    path = written(
        tmp_path / "networkcontext_1.csv",
        'ip,name\n10.0.0.0/8,everything\n10.0.0.0-10.0.3.255,four\n10.0.1.0/24,"one, the first"\n'
        "10.0.1.7, printer \nno address,nothing\n",
    )
    context = read_context(path)
    asked = pa.array(["10.0.1.7", "10.0.1.8", "10.0.2.1", "10.9.9.9", "11.0.0.1", None])
    expected = ["printer", "one, the first", "four", "everything", None, None]
    assert context.find(asked).to_pylist() == expected
    assert context.unusable["ip"].to_pylist() == ["no address"]


def test_context_without_a_heading_keeps_its_first_line(tmp_path: Path) -> None:
    context = read_context(written(tmp_path / "nc.csv", "10.0.0.1,first\n10.0.0.2,second\n"))
    assert context.find(pa.array(["10.0.0.1"])).to_pylist() == ["first"]


@pytest.mark.parametrize("text", ["", "ip\n10.0.0.1\n", "a,b\nc,d\n", "ip,name\n10.0.0.1,x,y\n"])
def test_context_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match=r"nc\.csv"):
        read_context(written(tmp_path / "nc.csv", text))


def number(address: str) -> int:
    return int(ipaddress.ip_address(address))


def iploc(folder: Path) -> Path:
    lines = [
        (number("8.8.8.0"), number("8.8.8.255"), "US", "United States", "California"),
        (number("9.9.9.9"), number("9.9.9.9"), "CH", "Switzerland", ""),
        ("x", "y", "", "", ""),
    ]
    rest = ("Mountain, View", "37.4", "-122.1", 'Google "LLC"', "google.com")
    others = ("", "", "", "", ""), ("", "", "", "", "")
    text = ""
    for line, more in zip(lines, (rest, *others), strict=True):
        fields = (str(field).replace('"', '""') for field in (*line, *more))
        text += ",".join(f'"{field}"' for field in fields) + "\n"
    return written(folder / "iploc.csv", text)


def test_spots_file_of_places(tmp_path: Path) -> None:
    places = IpLocations(iploc(tmp_path))
    assert places.unusable == 1
    found = places.find(pa.array([GOOGLE, QUAD9, "8.8.9.0", "2001:db8::1", None])).to_pylist()
    nothing = dict.fromkeys(("geoloc", "domain", "latitude", "longitude"))
    google = {
        "geoloc": 'California;Mountain, View Google "LLC"',
        "domain": "google.com",
        "latitude": 37.4,
        "longitude": -122.1,
    }
    assert found == [google, nothing, nothing, nothing, nothing]
    with pytest.raises(FormatError, match="ten columns"):
        IpLocations(written(tmp_path / "bad.csv", "1,2,3\n"))


def test_places_in_maxminds_format(shared: Path) -> None:
    city = shared / "mmdb" / "maxmind-test" / "GeoIP2-City-Test.mmdb"
    if not city.exists():
        pytest.skip("no city file")
    found = MaxMindLocations([city]).find(pa.array(["81.2.69.142", "10.0.0.1"])).to_pylist()
    assert found == [
        {"geoloc": "GB;London", "domain": None, "latitude": 51.5142, "longitude": -0.0931},
        dict.fromkeys(("geoloc", "domain", "latitude", "longitude")),
    ]


def test_every_fact_at_both_ends(tmp_path: Path) -> None:
    sources = Sources(
        ipranges=written(tmp_path / "ipranges.csv", "10.0.0.0,10.255.255.255,own\n"),
        network_context=written(tmp_path / "nc.csv", "ip,name\n10.0.0.1,desk\n"),
        iploc=iploc(tmp_path),
        services=[Fixed("a", {GOOGLE: "a:Medium:2"})],
    )
    flows = pa.table({"srcip": ["10.0.0.1", GOOGLE], "dstip": [GOOGLE, None], "rank": [0, 1]})
    first, second = enrich(flows, sources).to_pylist()
    google = 'California;Mountain, View Google "LLC"'
    assert first == {
        "srcip": "10.0.0.1",
        "dstip": GOOGLE,
        "rank": 0,
        "srcip_internal": True,
        "destip_internal": False,
        "src_context": "desk",
        "dst_context": None,
        "src_geoloc": None,
        "dst_geoloc": google,
        "src_domain": None,
        "dst_domain": "google.com",
        "src_rep": None,
        "dst_rep": "a:Medium:2",
    }
    assert (second["src_rep"], second["destip_internal"]) == ("a:Medium:2", None)
    assert enrich(enrich(flows, sources), sources).equals(enrich(flows, sources))


def test_without_files_what_is_embedded_is_told(tmp_path: Path) -> None:
    flows = pa.table({"sip": ["10.0.0.1"], "dip": [GOOGLE]})
    (row,) = enrich(flows, Sources(iploc=tmp_path / "absent.csv")).to_pylist()
    assert (row["src_geoloc"], row["dst_geoloc"]) == (None, "US Google LLC")
    assert (row["srcip_internal"], row["src_context"], row["dst_rep"]) == (None, None, None)
    assert enrich(flows.slice(0, 0)).num_rows == 0


def test_each_address_is_asked_once_and_answers_are_merged_by_severity() -> None:
    mild = Fixed("mild", {GOOGLE: "mild:Minimal:1", QUAD9: "mild:Minimal:1"})
    bad = Fixed("bad", {GOOGLE: "bad:High:3"})
    unsure = Fixed("unsure", {GOOGLE: "unsure:Unverified:-1"})
    flows = pa.table({"sip": [GOOGLE, GOOGLE], "dip": [QUAD9, GOOGLE]})
    for services in ([mild, bad, unsure], [bad, unsure, mild]):
        told, said = add_reputation(flows, services)
        assert (
            told["src_rep"].to_pylist() == ["bad:High:3::mild:Minimal:1::unsure:Unverified:-1"] * 2
        )
        assert told["dst_rep"][0].as_py() == "mild:Minimal:1"
        assert said.problems == {}
    assert mild.asked == [GOOGLE, QUAD9] * 2


def test_a_service_that_fails_does_not_cost_the_answers_of_others() -> None:
    said = check([GOOGLE], [Broken(), Fixed("a", {GOOGLE: "a:High:3"})])
    assert said.texts == {GOOGLE: "a:High:3"}
    assert said.problems == {"broken": "ServiceError: gone"}
    assert severity("whatever") == 0


def test_block_lists(tmp_path: Path) -> None:
    one = written(tmp_path / "a:b.txt", "8.8.8.0/24\n")
    two = written(tmp_path / "feodo.csv", "ip,severity\n8.8.8.8,medium\n10.0.0.1,\n")
    said = BlockListService(BlockLists([one, two])).check(["10.0.0.1", GOOGLE, QUAD9])
    assert said == {
        "10.0.0.1": "feodo:High:3:10.0.0.1",
        GOOGLE: "a b:High:3:8.8.8.0/24::feodo:Medium:2:8.8.8.8",
    }
    (service,) = open_services(block_lists=[two])
    assert service.check([QUAD9]) == {}


def client(folder: Path, known: dict[str, str], **settings: Any) -> tuple[Gti, Path]:
    config, log = gti_program.written(folder, known, **settings)
    return Gti.configured(config, timeout=20), log


def test_the_gti_client_is_called_as_spot_calls_it_but_without_a_shell(tmp_path: Path) -> None:
    known = {
        GOOGLE: '{"a":[{"rep":10}]}',
        QUAD9: '{"a":[{"rep":"75","cat":[1]}]}',
        "1.1.1.1": '{"a":[{"rep":30}]}',
        "1.0.0.1": '{"a":[{"rep":90,"aflag":1}]}',
        "8.8.4.4": "not JSON",
    }
    gti, log = client(tmp_path, known)
    said = gti.check([*known, "10.0.0.1", "9.9.9.10"])
    assert said == {
        GOOGLE: "gti:Minimal:1",
        QUAD9: "gti:High:3",
        "1.1.1.1": "gti:Medium:2",
        "1.0.0.1": "gti:Unverified:-1",
        "8.8.4.4": "gti:Unverified:-1",
        "9.9.9.10": "gti:Unverified:-1",
    }
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    query = '{"ci":{"cliid":"1"},"q":[{"op": "ip", "ip": "8.8.8.8"}]}'
    password = "'; touch hacked; '"
    assert calls[0] == ["-s", "gti.example", "-q", query, "-i", "o'hara", "-p", password, "-t"]
    assert len(calls) == 6
    assert not list(tmp_path.glob("*hacked*"))


def test_a_gti_client_that_never_answers_is_a_problem(tmp_path: Path) -> None:
    gti, log = client(tmp_path, {})
    said = check([GOOGLE, QUAD9, "1.1.1.1", "1.0.0.1"], [gti])
    assert said.texts == {}
    assert "ended with 1: no route" in said.problems["gti"]
    assert len(log.read_text().splitlines()) == 3
    absent, _ = client(tmp_path, {}, refclient=str(tmp_path / "absent"))
    assert "No such file" in check([GOOGLE], [absent]).problems["gti"]


@pytest.mark.parametrize("text", ["{", "{}", '{"gti": {}}', "[]"])
def test_a_gti_configuration_that_is_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match="does not configure gti"):
        Gti.configured(written(tmp_path / "c.json", text))


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_threat_intelligence_of_msticpy() -> None:
    pytest.importorskip("msticpy")
    from ti_service import serving, ti_lookup

    with serving({GOOGLE: ["Botnet"]}) as service:
        said = TIService(ti_lookup(service.url, "OTX")).check(["10.0.0.1", GOOGLE, QUAD9])
    assert said == {GOOGLE: "OTX:Medium:2", QUAD9: "OTX:Minimal:1"}
    with pytest.raises(ServiceError, match="no provider answered"):
        TIService(ti_lookup("http://127.0.0.1:1", "OTX")).check([GOOGLE])
    # msticpy leaves its event loop open.
    asyncio.set_event_loop(None)
    gc.collect()
