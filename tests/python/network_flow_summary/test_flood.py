"""A flood from thousands of forged sources: tables fold, look-ups do not drown in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.enrich.reputation import look_up
from flowtriage.errors import ArgumentError
from flowtriage.network_flow_summary.result import MAX_ADDRESSES

pytest.importorskip("msticpy")

from html_page import Page
from many_findings import FORGED, SERVER, flood
from ti_service import serving, ti_lookup

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]
CLIENTS = [f"8.8.{client}.9" for client in range(20)]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> ft.NetworkFlowResult:
    listed = tmp_path_factory.mktemp("lists") / "drop.txt"
    listed.write_text("8.8.3.0/24 ; SBL1\n", encoding="utf-8")
    providers = ft.DataProviders(
        "LocalFlows", ["blocklists"], LocalFlows_paths=listed, blocklists_paths=listed
    )
    nb = ft.NetworkFlowSummary(providers, silent=True)
    internal = [f"{SERVER}/32"]
    options = ["findings", "flow_summary"]
    return nb.run(SERVER, data=flood(), options=options, internal=internal)


def contents(result: ft.NetworkFlowResult, title: str) -> list[Any]:
    [found] = [one.contents for one in result.sections if one.title.startswith(title)]
    return list(found)


def test_the_flood_is_one_finding_with_all_flows(result: ft.NetworkFlowResult) -> None:
    floods = result.findings[result.findings["detector"] == "floods"]
    assert len(floods) == 1
    behind = result.flows_of(floods.iloc[0])
    assert behind["src_ip"].nunique() == FORGED + len(CLIENTS)
    assert len(result.findings) == 1


def test_attributes_keep_all_rows_and_sections_fold(result: ft.NetworkFlowResult) -> None:
    assert len(result.flow_index) == FORGED + len(CLIENTS)
    assert len(result.flow_summary) > 5_000
    text, index = contents(result, "Flow Index")
    assert text.startswith("24,000 rows of peers with a few flows each are folded into one row")
    assert index.table.num_rows == 1 + len(CLIENTS)
    assert set(index.table["source"].to_pylist()[1:]) == set(CLIENTS)
    *_, text, summary = contents(result, "Flow Summary")
    assert "result.flow_summary has all." in text
    assert summary.table.num_rows < 30
    folded, every = (sum(t["TotalAllowedFlows"].to_pylist()) for t in (index.table, summary.table))
    assert folded == every == result.flow_index["TotalAllowedFlows"].sum()


def test_the_report_shows_the_clients(result: ft.NetworkFlowResult, tmp_path: Path) -> None:
    file = result.write_html(tmp_path / "report.html")
    assert file.stat().st_size < 300_000
    page = Page(file.read_text(encoding="utf-8"))
    cells = page.texts("td")
    assert all(client in cells for client in CLIENTS)
    assert "24,000 addresses" in page.texts("summary")


def test_forged_networks_are_not_preselected(result: ft.NetworkFlowResult) -> None:
    result.select_asns()
    choices = result.host_tables.choices
    assert len(choices.labels) > 5_000
    selected = result.asn_selector.selected_items
    of_clients = {
        label
        for label, address in zip(
            choices.peers["label"].to_pylist(), choices.peers["address"].to_pylist(), strict=True
        )
        if address in CLIENTS
    }
    assert set(selected) <= of_clients
    assert 0 < len(selected) < len(of_clients)
    assert choices.folded_only == len(choices.labels) - len(of_clients)


def test_look_ups_begin_with_peers_of_findings_and_then_by_bytes(
    result: ft.NetworkFlowResult,
) -> None:
    tables = result.host_tables
    every = pa.array([one for one in result.flow_index["source"] if one != SERVER])
    ordered = tables.by_priority(every).to_pylist()
    assert sorted(ordered) == sorted(every.to_pylist())
    named = tables.named_peers.to_pylist()
    assert ordered[: len(named)] == named
    volumes = result.flow_index.set_index("source")[["src_bytes", "dst_bytes"]].sum(axis=1)
    sizes = volumes.loc[ordered[len(named) :]].tolist()
    assert sizes == sorted(sizes, reverse=True)
    assert {*ordered[: len(CLIENTS) + len(named)]} >= set(CLIENTS)


def test_block_lists_are_searched_for_all_addresses(result: ft.NetworkFlowResult) -> None:
    result.select_asns(result.host_tables.choices.labels)
    result.lookup_ti_for_asn_ips()
    assert result.ti_coverage["queried"].tolist() == [FORGED + len(CLIENTS)]
    found = result.ti_results
    assert found.loc[found["Result"], "Ioc"].tolist() == ["8.8.3.9"]


def test_services_are_queried_about_the_first_addresses_only() -> None:
    addresses = [f"8.8.{at}.9" for at in range(8)]
    with serving({}) as service:
        found = look_up(addresses, [ti_lookup(service.url, "OTX")], max_sent=3)
        assert {address for _, address in service.counts} == set(addresses[:3])
        every = look_up(addresses, [ti_lookup(service.url, "OTX")])
    assert (found.not_sent, every.not_sent) == (5, 0)
    assert (
        "Services were queried about the first 3 public addresses; the other 5 were looked up in "
        "local lists only." in found.messages()
    )
    assert look_up(addresses, [], max_sent=3).not_sent == 0
    for wrong in (0, -1, 1.5):
        with pytest.raises(ArgumentError, match="number of addresses must be 1 or more"):
            look_up(addresses, [], max_sent=wrong)
    assert MAX_ADDRESSES == 1000
