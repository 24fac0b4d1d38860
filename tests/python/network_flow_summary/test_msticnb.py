"""Beside msticnb 1.2.3: what it promises is the same here, where it does not fail."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import flowtriage as ft

pytest.importorskip("msticpy")

import azure_network
from azure_network import END, START, TOTAL, WEB, msticnb_providers

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore"),
]
KEY = ["source", "dest", "L7Protocol", "FlowDirection"]
AZURE = "azure_nta/az_net_flows_2019-02-12_13.csv"


@pytest.fixture
def theirs(msticnb: Any) -> Any:
    """The module of their notebooklet."""
    from msticnb.nb.azsent.network import network_flow_summary

    return network_flow_summary


def offline_names(data: pd.DataFrame, ip_column: str, asn_col: str, **_: Any) -> pd.DataFrame:
    """Stand in for their lookup over the internet: the same names from the embedded database."""
    found = ft.AsnDatabase().lookup(data[ip_column].tolist()).to_pandas()
    names = "AS" + found["asn"].astype("Int64").astype(str) + " " + found["as_name"]
    return data.assign(**{asn_col: names.tolist()})


def test_the_index_of_real_flows_is_the_same(theirs: Any, shared: Path) -> None:
    frame = pd.read_csv(shared / AZURE)
    expected = theirs._get_flow_index(theirs._extract_flow_ips(frame)).data
    found = ft.flow_index(frame).to_pandas()
    both = expected.merge(found, on=KEY, how="left", validate="1:1", suffixes=("", "_ours"))
    assert len(both) == 77
    assert (both["TotalAllowedFlows"] == both["TotalAllowedFlows_ours"]).all()
    lost = frame[frame["VMIPAddress"].isna()]
    assert len(found) - len(both) == 5
    assert found["TotalAllowedFlows"].sum() - expected["TotalAllowedFlows"].sum() == 38
    assert lost["TotalAllowedFlows"].sum() == 38


def outbound_only() -> pd.DataFrame:
    frame = azure_network.flows()
    return frame[(frame["VMName"] == "web") & (frame["FlowDirection"] == "O")]


def public_host() -> pd.DataFrame:
    frame = azure_network.flows()
    return frame[frame["VMName"] == "web"].replace({WEB: "20.1.2.3", "203.0.113.9": "9.9.9.9"})


@pytest.mark.parametrize(
    ("frame", "host", "columns"),
    [
        (outbound_only(), WEB, ["DestASN"]),
        (public_host(), "20.1.2.3", ["DestASN", "SourceASN"]),
    ],
    ids=["private host, outbound", "public host, both ways"],
)
def test_runs_agree_where_theirs_does_not_fail(
    msticnb: Any,
    theirs: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    frame: pd.DataFrame,
    host: str,
    columns: list[str],
) -> None:
    from msticpy.common.timespan import TimeSpan

    monkeypatch.setattr(theirs, "get_whois_df", offline_names)
    msticnb_providers(msticnb, tmp_path, frame)
    run = {"value": host, "timespan": TimeSpan(start=START, end=END), "options": ["flow_summary"]}
    their = theirs.NetworkFlowSummary(silent=True).run(**run, silent=True)
    ours = ft.NetworkFlowSummary(silent=True).run(**run)
    assert ours.flow_index is not None
    assert ours.flow_summary is not None
    index = their.flow_index.data
    found = ours.flow_index[index.columns].sort_values(KEY, ignore_index=True)
    expected = index.sort_values(KEY, ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    summary = ours.flow_summary.sort_values(columns, ignore_index=True)
    wanted = their.flow_summary.sort_values(columns, ignore_index=True)
    assert set(wanted.columns) <= set(summary.columns)
    for name in [*columns, "TotalAllowedFlows"]:
        assert summary[name].tolist() == wanted[name].tolist()
    for name in ("L7Protocols", "source_ips", "dest_ips"):
        assert summary[name].map(sorted).tolist() == wanted[name].map(sorted).tolist()
    assert their.description == ours.description


@pytest.mark.parametrize(
    "frame", [azure_network.flows(), azure_network.flows().iloc[3:4]], ids=["mixed", "private"]
)
def test_ours_runs_where_theirs_fails(
    msticnb: Any,
    theirs: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    frame: pd.DataFrame,
) -> None:
    from msticpy.common.timespan import TimeSpan

    monkeypatch.setattr(theirs, "get_whois_df", offline_names)
    msticnb_providers(msticnb, tmp_path, frame)
    run = {"value": WEB, "timespan": TimeSpan(start=START, end=END), "options": ["flow_summary"]}
    with pytest.raises(ValueError, match="ambiguous|No group keys"):
        theirs.NetworkFlowSummary(silent=True).run(**run, silent=True)
    ours = ft.NetworkFlowSummary(silent=True).run(**run)
    assert ours.flow_summary is not None
    assert ours.flow_summary["TotalAllowedFlows"].sum() in (3, TOTAL)


def test_options_and_metadata_are_the_same(theirs: Any) -> None:
    their, ours = theirs.NetworkFlowSummary, ft.NetworkFlowSummary
    for method in ("name", "keywords", "entity_types"):
        assert getattr(ours, method)() == getattr(their, method)()
    assert ours.default_options() == [*their.default_options(), "findings"]
    assert [name for name in ours.all_options() if name != "findings"] == their.all_options()
    assert ours.description().casefold() == their.description().casefold()
    for term in ("host", "flow summary", "geo_map", "plot", "mailbox"):
        assert ours.match_terms(term) == their.match_terms(term)
    titles = {section["title"] for section in their._cell_docs.values()}
    assert {section.title for section in ours.metadata.sections.values()} == {*titles, "Findings"}


def test_every_public_name_of_theirs_is_here(msticnb: Any, theirs: Any, tmp_path: Path) -> None:
    msticnb_providers(msticnb, tmp_path, azure_network.flows())
    their, ours = theirs.NetworkFlowSummary(silent=True), ft.NetworkFlowSummary(silent=True)
    assert set(their.get_methods()) == set(ours.get_methods())
    names = {name for name, _ in inspect.getmembers(type(their)) if not name.startswith("_")}
    own = set(vars(their)) - {"query_provider", "data_providers"}
    public = {name for name in own if not name.startswith("_")}
    assert public == {"options", "timespan", "asn_selector", "flow_index_data"}
    assert {name for name in names | public if not hasattr(ours, name)} == set()
    for name in ("run", "get_provider", "check_table_exists", "check_valid_result_data"):
        expected = [p for p in inspect.signature(getattr(their, name)).parameters if p != "kwargs"]
        parameters = inspect.signature(getattr(ours, name)).parameters.values()
        assert [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY] == expected
    attributes = {name for name in vars(theirs.NetworkFlowResult()) if not name.startswith("_")}
    assert {name for name in attributes if not hasattr(ft.NetworkFlowResult(), name)} == set()


def test_help_has_the_parts_of_theirs(msticnb: Any, theirs: Any) -> None:
    from msticnb.class_doc import get_class_doc

    def headings(text: str) -> set[str]:
        found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        return {re.sub(r"[\\`*]", "", heading).strip() for heading in found}

    expected = headings(get_class_doc(theirs.NetworkFlowSummary, "md"))
    assert len(expected) == 44
    assert expected <= headings(ft.NetworkFlowSummary.get_help("md"))
