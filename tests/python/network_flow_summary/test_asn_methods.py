"""The methods that follow a run, with the providers of a session."""

from __future__ import annotations

from pathlib import Path

import pytest

import flowtriage as ft
from flowtriage import sample

pytest.importorskip("msticpy")

import azure_network
from azure_network import WEB

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture
def nb(tmp_path: Path) -> ft.NetworkFlowSummary:
    listed = tmp_path / "drop.txt"
    listed.write_text("1.1.1.0/24 ; SBL1\n10.0.0.0/8 ; inside\n", encoding="utf-8")
    providers = ft.DataProviders(
        "LocalFlows", ["blocklists"], LocalFlows_paths=listed, blocklists_paths=listed
    )
    made = ft.NetworkFlowSummary(providers, silent=True)
    made.run(WEB, data=azure_network.flows(), options=["flow_summary", "resolve_host"])
    return made


def test_before_a_run_each_method_says_what_comes_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nb = ft.NetworkFlowSummary(silent=True)
    nb.select_asns()
    nb.lookup_ti_for_asn_ips()
    assert nb.show_selected_asn_map() is None
    assert capsys.readouterr().out.count("Use run() with the option flow_summary") == 3
    nb.run(sample.HOST_IP, data=sample.office_day(), options=["flow_summary"])
    nb.lookup_ti_for_asn_ips()
    assert "select_asns()" in capsys.readouterr().out


def test_the_least_used_asns_are_selected_to_begin_with(nb: ft.NetworkFlowSummary) -> None:
    nb.select_asns()
    summary = nb.result.flow_summary
    labels = [*summary["DestASN"], *summary["SourceASN"]]
    assert type(nb.asn_selector).__name__ == "SelectSubset"
    assert len(nb.asn_selector.selected_items) == 1
    assert set(nb.asn_selector.selected_items) < set(labels)
    dns = next(label for label in labels if "Cloudflare" in label)
    assert nb.asn_selector.selected_items == [dns]


@pytest.mark.parametrize("silent", [True, False])
def test_methods_of_a_result_are_as_silent_as_its_run(
    nb: ft.NetworkFlowSummary, silent: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    nb.silent = not silent
    result = nb.run(WEB, data=azure_network.flows(), options=["flow_summary"], silent=silent)
    result.select_asns()
    capsys.readouterr()
    result.lookup_ti_for_asn_ips()
    assert (capsys.readouterr().out == "") is silent


def test_selected_addresses_are_looked_up_and_mapped(nb: ft.NetworkFlowSummary) -> None:
    nb.select_asns()
    nb.lookup_ti_for_asn_ips()
    result = nb.result
    assert result.ti_results["Ioc"].tolist() == ["1.1.1.1"]
    assert result.ti_results["Provider"].tolist() == ["drop"]
    assert result.ti_coverage["queried"].tolist() == [1]
    drawing = nb.show_selected_asn_map()
    assert drawing is result.geo_map_selected
    assert type(drawing).__name__ == "FoliumMap"
    assert drawing.places["Address"].to_pylist() == ["1.1.1.1"]
    titles = [section.title for section in result.sections]
    assert titles[-2:] == [
        "TI Lookup for IP Addresses in selected ASNs.",
        "Map of geographic location of selected IPs communicating with host",
    ]


def test_the_host_itself_stays_as_it_was(nb: ft.NetworkFlowSummary) -> None:
    before = repr(nb.result.host_entity.properties)
    for _ in range(2):
        nb.select_asns()
        nb.lookup_ti_for_asn_ips()
        nb.show_selected_asn_map()
    assert repr(nb.result.host_entity.properties) == before
    assert len([s for s in nb.result.sections if s.title.startswith("TI Lookup")]) == 1


def test_two_results_of_one_notebooklet_stay_apart(nb: ft.NetworkFlowSummary) -> None:
    first = nb.result
    second = nb.run(sample.HOST_IP, data=sample.office_day(), options=["flow_summary"])
    assert nb.result is second
    first.select_asns()
    first.lookup_ti_for_asn_ips()
    drawing = first.show_selected_asn_map()
    assert nb.asn_selector is second.asn_selector is None
    assert first.ti_results["Ioc"].tolist() == ["1.1.1.1"]
    assert drawing.places["Address"].to_pylist() == ["1.1.1.1"]
    assert (second.ti_results, second.geo_map_selected) == (None, None)
    nb.select_asns()
    assert nb.asn_selector is second.asn_selector is not first.asn_selector
    assert nb.asn_selector.selected_items != first.asn_selector.selected_items
