"""Enrichment of suspicious connections: every fact at both ends, and reputation."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flowtriage.enrich.reputation import BlockLists
from flowtriage.enrich.reputation.severity import severity
from flowtriage.errors import ServiceError
from flowtriage.oa.enrichment import (
    BlockListService,
    Sources,
    TIService,
    add_reputation,
    check,
    enrich,
    open_services,
)
from spot_files import iploc, written

GOOGLE, QUAD9 = "8.8.8.8", "9.9.9.9"


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
