"""Enrichment of suspicious connections: every fact at both ends, and reputation."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flowtriage.enrich.reputation import BlockLists, Severity, look_up
from flowtriage.enrich.reputation.results import result_table
from flowtriage.errors import ServiceError
from flowtriage.oa.enrichment import (
    Sources,
    add_reputation,
    enrich,
    open_sources,
    severity_of,
    spot_texts,
)
from spot_files import iploc, written

GOOGLE, QUAD9 = "8.8.8.8", "9.9.9.9"


class Fixed:
    """A source with results for some addresses."""

    def __init__(self, name: str, severities: dict[str, str]) -> None:
        self.providers, self.severities, self.queried = (name,), severities, list[str]()

    def query(self, addresses: pa.Array) -> pa.Table:
        self.queried += addresses.to_pylist()
        severities = [self.severities.get(address) for address in addresses.to_pylist()]
        return result_table(
            addresses,
            Provider=self.providers[0],
            Result=pa.array([severity is not None for severity in severities]),
            Severity=pa.array(severities, pa.string()),
            Details="",
            Reference="",
            Network=pa.scalar(None, pa.string()),
        )


class Broken:
    name = "broken"

    def lookup_iocs(self, data: Any) -> Any:
        raise ServiceError("gone")


def test_every_fact_at_both_ends(tmp_path: Path) -> None:
    sources = Sources(
        ipranges=written(tmp_path / "ipranges.csv", "10.0.0.0,10.255.255.255,own\n"),
        network_context=written(tmp_path / "nc.csv", "ip,name\n10.0.0.1,desk\n"),
        iploc=iploc(tmp_path),
        reputation=[Fixed("a", {GOOGLE: "warning"})],
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
    mild = Fixed("mild", {GOOGLE: "information", QUAD9: "information"})
    bad = Fixed("bad", {GOOGLE: "high"})
    unsure = Fixed("unsure", {GOOGLE: "unknown"})
    flows = pa.table({"sip": [GOOGLE, GOOGLE], "dip": [QUAD9, GOOGLE]})
    for sources in ([mild, bad, unsure], [bad, unsure, mild]):
        told, found = add_reputation(flows, sources)
        assert (
            told["src_rep"].to_pylist() == ["bad:High:3::mild:Minimal:1::unsure:Unverified:-1"] * 2
        )
        assert told["dst_rep"][0].as_py() == "mild:Minimal:1"
        assert found.problems == {}
    assert mild.queried == [GOOGLE, QUAD9] * 2


def test_a_service_that_fails_does_not_cost_the_answers_of_others() -> None:
    found = look_up([GOOGLE], [Broken(), Fixed("a", {GOOGLE: "high"})])
    assert spot_texts(found) == {GOOGLE: "a:High:3"}
    assert found.problems == {"broken": "ServiceError: gone"}


def test_a_severity_is_read_back_from_spots_notation() -> None:
    texts = ["a:High:3", "a:Medium:2:192.0.2.1", "a:Minimal:1::b:High:3", "a:Unverified:-1", "seen"]
    assert [severity_of(text) for text in texts] == [
        *(Severity.HIGH, Severity.WARNING, Severity.INFORMATION),
        *(Severity.UNKNOWN, Severity.UNKNOWN),
    ]


def test_block_lists(tmp_path: Path) -> None:
    one = written(tmp_path / "a:b.txt", "8.8.8.0/24\n")
    two = written(tmp_path / "feodo.csv", "ip,severity\n8.8.8.8,medium\n10.0.0.1,\n")
    found = look_up(["10.0.0.1", GOOGLE, QUAD9], [BlockLists([one, two])], non_public=True)
    assert spot_texts(found) == {
        "10.0.0.1": "feodo:High:3:10.0.0.1",
        GOOGLE: "a b:High:3:8.8.8.0/24::feodo:Medium:2:8.8.8.8",
    }
    sources = open_sources(block_lists=[two])
    assert spot_texts(look_up([QUAD9], sources)) == {}


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore")
def test_threat_intelligence_of_msticpy() -> None:
    pytest.importorskip("msticpy")
    from ti_service import serving, ti_lookup

    with serving({GOOGLE: ["Botnet"]}) as service:
        found = look_up(["10.0.0.1", GOOGLE, QUAD9], [ti_lookup(service.url, "OTX")])
    assert spot_texts(found) == {GOOGLE: "OTX:Medium:2", QUAD9: "OTX:Minimal:1"}
    found = look_up([GOOGLE], [ti_lookup("http://127.0.0.1:1", "OTX")])
    assert (spot_texts(found), list(found.problems)) == ({}, ["OTX"])
    assert "ConnectError" in found.problems["OTX"]
    # msticpy leaves its event loop open.
    asyncio.set_event_loop(None)
    gc.collect()
