"""Choosing ASNs, and what is looked up and shown of the chosen ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("msticpy")

import flowtriage as ft
from flow_map import HOST, row
from flowtriage import sample
from flowtriage.enrich.reputation import BlockLists
from flowtriage.network_flow_summary.asn_selection import AsnChoices, asn_choices, selector

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]

GOOGLE, CLOUDFLARE, NIC_BR, RIPE = (
    "AS15169 Google LLC",
    "AS13335 Cloudflare, Inc.",
    "AS22548 Nucleo de Inf. e Coord. do Ponto BR - NIC.BR",
    "AS3333 Reseaux IP Europeens Network Coordination Centre (RIPE NCC)",
)


def choices(*rows: dict[str, Any], hosts: tuple[str, ...] = (HOST,)) -> AsnChoices:
    import pyarrow as pa

    from flow_map import SCHEMA

    return asn_choices(pa.Table.from_pylist(list(rows), SCHEMA), hosts, ft.AsnDatabase())


def test_public_peers_of_either_direction_are_there_to_choose() -> None:
    found = choices(
        row(HOST, "8.8.8.8", "O"),
        row("1.1.1.1", HOST, "I"),
        row(HOST, "10.0.0.9", "L"),
        row(HOST, "224.0.0.1", "O"),
        row(HOST, None, "O"),
    )
    assert found.labels == [CLOUDFLARE, GOOGLE]
    assert found.addresses([GOOGLE, "unheard of"]).to_pylist() == ["8.8.8.8"]


def test_the_least_used_quarter_counts_all_flows_of_an_asn_and_leaves_out_the_own() -> None:
    rows = [
        row(HOST, "8.8.8.8", "O", TotalAllowedFlows=90),
        row(HOST, "8.8.4.4", "O", TotalAllowedFlows=1),
        row("1.1.1.1", HOST, "I", TotalAllowedFlows=80),
        row(HOST, "200.160.2.3", "O", TotalAllowedFlows=2),
        row(HOST, "193.0.6.1", "O", TotalAllowedFlows=1),
    ]
    assert choices(*rows).least_used == [RIPE]
    found = choices(*rows, hosts=(HOST, "193.0.6.139"))
    assert (found.own, found.least_used) == (("Private address", RIPE), [])
    assert RIPE in found.labels
    assert choices(*rows[:4]).least_used == [NIC_BR]


def test_the_widget_holds_what_is_chosen() -> None:
    found = choices(row(HOST, "8.8.8.8", "O"), row("1.1.1.1", HOST, "I", TotalAllowedFlows=9))
    assert selector(found, None).selected_items == [GOOGLE]
    with pytest.raises(ft.ArgumentError, match="unknown AS 'unheard of'; did you mean AS"):
        selector(found, [CLOUDFLARE, "unheard of"])
    widget = selector(found, [CLOUDFLARE])
    assert (widget.src_items, widget.selected_items) == ([CLOUDFLARE, GOOGLE], [CLOUDFLARE])


def test_labels_are_those_of_the_summary() -> None:
    day = sample.office_day()
    flows = ft.classify_direction(day, host=sample.HOST_IP)
    index = ft.flow_index(flows)
    summary = ft.flow_summary(index)
    known = {*summary["DestASN"].to_pylist(), *summary["SourceASN"].to_pylist()}
    found = asn_choices(index, (sample.HOST_IP,), ft.AsnDatabase())
    assert len(found.labels) > 20
    assert set(found.labels) <= known


class Providers:
    def __init__(self, **providers: Any) -> None:
        self.providers = providers


def test_from_choice_to_map_with_a_block_list_alone(tmp_path: Path) -> None:
    nb = ft.NetworkFlowSummary(silent=True)
    result = nb.run(sample.HOST_IP, data=sample.office_day())
    nb.select_asns()
    chosen = nb.asn_selector.selected_items
    listed = result.flow_summary[result.flow_summary["DestASN"].isin(chosen)]["dest_ips"].iloc[0][0]
    path = tmp_path / "drop.txt"
    path.write_text(f"{listed}/32 SBL1\n")
    nb = ft.NetworkFlowSummary(Providers(blocklists=BlockLists(path)), silent=True)
    result = nb.run(sample.HOST_IP, data=sample.office_day())
    nb.select_asns()
    before = nb.show_selected_asn_map()
    assert before.places["Threat"].null_count == len(before.places) > 0
    for _ in range(2):
        nb.lookup_ti_for_asn_ips()
        drawn = nb.show_selected_asn_map()
    assert drawn is result.geo_map_selected
    assert result.ti_coverage["hits"].tolist() == [1]
    assert result.ti_results["Ioc"].iloc[0] == listed
    threats = drawn.places.filter(drawn.places["Threat"].is_valid())
    assert threats["Address"].to_pylist() == [listed]
    titles = [section.title for section in result.sections]
    assert len(titles) == len(set(titles))
    page = result.write_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "drop: " in page and "1 address is known as a threat" in page


def test_what_to_do_first_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    nb = ft.NetworkFlowSummary(silent=True)
    nb.select_asns()
    nb.lookup_ti_for_asn_ips()
    assert nb.show_selected_asn_map() is None
    assert capsys.readouterr().out.count("Use run() with the option flow_summary") == 3
    nb.run("10.0.0.1", data=sample.office_day(), options=["flow_summary"])
    nb.select_asns()
    assert "there is no ASN to select" in capsys.readouterr().out
    assert nb.asn_selector is None
