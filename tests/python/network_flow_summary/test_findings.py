"""Findings of a run: the attribute, the section, the flows behind one, and the context."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.analysis import read_host
from flowtriage.errors import ArgumentError
from html_page import Page
from many_findings import SERVER, scanned

pytest.importorskip("msticpy")

import azure_network
from azure_network import WEB

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
OPTIONS = ["findings", "flow_summary", "resolve_host"]


def run(data: Any = None, host: str = sample.HOST_NAME, **options: Any) -> ft.NetworkFlowResult:
    day = sample.office_day() if data is None else data
    chosen = {"options": OPTIONS, "silent": True} | options
    return ft.NetworkFlowSummary(silent=True).run(host, data=day, **chosen)


@pytest.fixture(scope="module")
def result() -> ft.NetworkFlowResult:
    return run()


def section(result: ft.NetworkFlowResult, title: str = "Findings") -> Any:
    [found] = [one for one in result.sections if one.title == title]
    return found


def test_the_planted_findings_are_found(result: ft.NetworkFlowResult) -> None:
    found = result.findings
    assert type(found).__name__ == "DataFrame"
    assert found.columns.tolist() == ft.hunt(sample.office_day()).column_names
    named = {"beacon": "beacons", "scan": "port_scans", "upload": "uploads"}
    for planted in sample.FINDINGS:
        kind = named.get(planted.kind, "rare_networks")
        rows = found[found["detector"] == kind]
        assert planted.peer in {*rows["source"], *rows["dest"]}, planted.kind
    ranks = found["severity"].map(["high", "warning", "information"].index)
    assert ranks.is_monotonic_increasing
    assert type(found["evidence"][0]) is type(found["context"][0]) is list
    assert result.detector_status["ran"].all()
    assert result.prop_doc("findings")[0] == "pandas.DataFrame"


def test_the_section_comes_before_the_timelines() -> None:
    full = run(options=None)
    titles = [one.title for one in full.sections]
    assert titles[:3] == [
        "Host Network Summary",
        "Findings",
        "Timeline of network flows by protocol type.",
    ]
    [context, listed] = section(full).contents
    assert context.startswith("Searched: all 8,193 records read")
    assert len(listed.cards) == len(full.findings)
    assert [card.summary for card in listed.cards] == full.findings["summary"].tolist()


def test_flows_of_a_finding_by_id_row_and_position(result: ft.NetworkFlowResult) -> None:
    found, flows = result.findings, result.network_flows
    at = found.index[found["detector"] == "port_scans"][0]
    expected = flows[(flows["src_ip"] == sample.SCAN.peer) & (flows["dst_ip"] == sample.HOST_IP)]
    assert len(expected) == sample.SCAN.flows
    row = found.loc[at]
    for finding in (row["finding"], row, row.to_dict(), int(at), at, at - len(found)):
        assert result.flows_of(finding).equals(expected)
    for position in range(len(found)):
        behind = result.flows_of(position)
        counted = behind["flows"].sum() + behind["denied_flows"].sum()
        assert counted == found["flows"][position]


@pytest.mark.parametrize("finding", ["c12b", 7, -8, {"finding": "c12b"}])
def test_an_unknown_finding_is_an_error(result: ft.NetworkFlowResult, finding: Any) -> None:
    assert len(result.findings) == 7
    with pytest.raises(ArgumentError, match="no finding|no flows_filter"):
        result.flows_of(finding)


def test_without_the_option_there_are_none(result: ft.NetworkFlowResult) -> None:
    without = run(options=["-findings", "-plot_flows", "-plot_flow_values"])
    assert without.findings is without.detector_status is None
    assert "Findings" not in [one.title for one in without.sections]
    with pytest.raises(ArgumentError, match="option findings"):
        without.flows_of(0)
    row = result.findings.iloc[0]
    assert without.flows_of(row).equals(result.flows_of(row))
    with pytest.raises(ArgumentError, match="run"):
        ft.NetworkFlowResult().flows_of(row)
    alone = run(options=["findings"])
    assert {link for card in section(alone).contents[1].cards for link in card.links} == set()


def test_every_form_of_data_has_the_same_findings(
    result: ft.NetworkFlowResult, tmp_path: Path
) -> None:
    polars = pytest.importorskip("polars")
    day = sample.office_day()
    pq.write_table(day, tmp_path / "day.parquet")
    for data in (day.to_pandas(), polars.from_arrow(day), tmp_path / "day.parquet"):
        made = run(data)
        assert made.findings["finding"].tolist() == result.findings["finding"].tolist()
        assert made.findings["summary"].tolist() == result.findings["summary"].tolist()
        assert len(made.flows_of(0)) == len(result.flows_of(0))


def test_silent_runs_show_nothing_and_others_the_sentences(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run()
    assert capsys.readouterr().out == ""
    shown = run(silent=False)
    text = capsys.readouterr().out
    assert "Findings\n--------\n" in text
    for severity, summary in zip(
        shown.findings["severity"], shown.findings["summary"], strict=True
    ):
        assert f"{severity.upper():13}{summary}" in text
    assert text.index("Findings\n") < text.index("Flow Index.\n")


def test_large_logs_state_that_other_hosts_are_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(sample.office_day(), tmp_path / "day.parquet")
    small = run(tmp_path / "day.parquet", sample.UPLOAD.peer)
    monkeypatch.setattr(read_host, "LARGE", 0)
    large = run(tmp_path / "day.parquet", sample.UPLOAD.peer)
    assert section(small).contents[0].startswith("Searched: all 8,193 records read")
    assert section(large).contents[0].startswith("Searched: the 96 records of this host only")
    status = large.detector_status.set_index("detector")
    assert not status.loc["rare_networks", "ran"]
    assert status.loc["rare_networks", "reason"] == "only the flows of this host were read"
    assert "uploads" in large.findings["detector"].tolist()
    texts = section(large).contents
    assert texts[-1].startswith("Could not be looked for: rare networks")


def test_flows_of_a_provider_are_those_of_the_host(tmp_path: Path) -> None:
    frame = azure_network.flows()
    made = run(frame, WEB)
    contents = section(made).contents
    assert contents[0].startswith("No findings") or len(made.findings)
    assert "all" in contents[-1] or "all" in contents[0]
    assert len(made.detector_status) == 10


def test_nothing_found_is_one_line() -> None:
    day = sample.office_day()
    quiet = run(day, "10.20.30.9")
    assert len(quiet.findings) == 0
    none, context = section(quiet).contents
    assert none.startswith("No findings. Looked for: beacons, ")
    assert context.startswith("Searched: all 8,193 records")
    absent = run(day, "192.0.2.9")
    assert section(absent).contents == ("No findings: the host has no flows.",)


def test_links_filter_the_tables_by_the_peer_and_the_network(
    result: ft.NetworkFlowResult,
) -> None:
    cards = section(result).contents[1].cards
    [beacon] = [card for card in cards if sample.BEACON.peer in card.summary]
    index, summary = beacon.links
    assert (index.section, index.filter) == ("Flow Index.", f'"{sample.BEACON.peer}"')
    assert summary.section == "Flow Summary with ASN details."
    assert summary.filter in " ".join(result.flow_summary["DestASN"])
    assert summary.filter.startswith("Varna Data Center")
    internal = [card for card in cards if "10.20.5.7" in card.summary]
    assert [link.text for card in internal for link in card.links] == ["Flow index"]


def test_internal_networks_are_those_given() -> None:
    inside = run(scanned(3), SERVER, internal=[f"{SERVER}/32"])
    outside = run(scanned(3), SERVER)
    assert set(inside.findings.loc[inside.findings["detector"] == "uploads", "dest"])
    assert "uploads" not in set(outside.findings["detector"])
    with pytest.raises(ArgumentError):
        run(scanned(1), SERVER, internal=["10.0.0.0/40"])


@pytest.mark.parametrize("scanners", [3, 300])
def test_the_report_has_the_same_findings(tmp_path: Path, scanners: int) -> None:
    made = run(scanned(scanners), SERVER, internal=[f"{SERVER}/32"])
    page = Page(made.write_html(tmp_path / "report.html").read_text(encoding="utf-8"))
    text = " ".join(page.texts("main"))
    assert f"{len(made.findings):,} findings: " in text
    assert all(summary in text for summary in made.findings["summary"][:10])
    ids = {name for name in page.attributes("id") if name}
    targets = {link[1:] for link in page.attributes("href") if link.startswith("#")}
    assert targets <= ids
    assert len(page.attributes("d")) == min(len(made.findings), 50)
    assert ("result.findings has all of them." in text) is (scanners == 300)


def test_pickles_keep_the_flows_of_findings(result: ft.NetworkFlowResult) -> None:
    made = pickle.loads(pickle.dumps(result))
    assert made == result
    assert made.flows_of(0).equals(result.flows_of(0))
    assert "<h4>findings</h4>" in made._repr_html_()


def test_an_arrow_row_is_a_finding(result: ft.NetworkFlowResult) -> None:
    row = ft.hunt(sample.office_day()).to_pylist()[0]
    assert result.flows_of(row).equals(result.flows_of(0))
    assert isinstance(result.host_tables.flows, pa.Table)
