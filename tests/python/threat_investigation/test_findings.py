"""Findings about the investigated address: why it is in the list."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from findings import HOSTILE, finding, table
from flowtriage import sample
from flowtriage.detect import AllowList
from flowtriage.detect.stored import as_rows
from flowtriage.errors import ArgumentError
from flowtriage.oa import queries
from flowtriage.render.notebook import as_text, bundle
from flowtriage.store.raw_flows import RawFlows
from oa_work import sample_day
from oa_work import settings_in as oa_settings
from threat_work import flow
from threat_work import table as flows_of_rows

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
TITLE = "Findings about the address"


def section(nb: ft.FlowThreatInvestigation) -> object:
    assert nb.result is not None
    [found] = [one for one in nb.result.sections if one.title == TITLE]
    return found


def texts(nb: ft.FlowThreatInvestigation) -> tuple[str, str]:
    """The section as HTML and as text."""
    found = section(nb)
    contents = found.contents  # type: ignore[attr-defined]
    rich = [bundle(one, TITLE, with_bokeh=False) for one in contents]
    return "".join(one["text/html"] for one in rich if one), as_text(found)  # type: ignore[arg-type]


def test_findings_of_a_log_are_those_of_hunt_about_the_address() -> None:
    flows = sample.office_day()
    nb = ft.FlowThreatInvestigation(flows, silent=True)
    everything = ft.hunt(flows)
    for ip in (sample.BEACON.peer, sample.SCAN.peer, sample.HOST_IP, "10.20.0.10"):
        result = nb.run(ip)
        ends = pc.or_kleene(pc.equal(everything["source"], ip), pc.equal(everything["dest"], ip))
        expected = everything.filter(ends)
        assert result.findings["finding"].tolist() == expected["finding"].to_pylist()
        assert result.findings["severity"].tolist() == expected["severity"].to_pylist()
        html, text = texts(nb)
        for summary in expected["summary"].to_pylist():
            assert summary in html
            assert summary in text
    assert len(result.allowed_findings) == 0
    assert result.detector_status["ran"].all()


def test_the_result_returns_the_flows_of_a_finding() -> None:
    nb = ft.FlowThreatInvestigation(sample.office_day(), silent=True)
    result = nb.run(sample.BEACON.peer)
    first = result.findings.iloc[0]
    for which in (first, first["finding"], dict(first)):
        assert len(result.flows_of(which)) == sample.BEACON.flows
    with pytest.raises(ArgumentError, match="no finding 'other'; did you mean"):
        result.flows_of("other")
    without = nb.run(sample.BEACON.peer, options=["-findings"])
    assert without.findings is None
    assert TITLE not in [one.title for one in without.sections]
    with pytest.raises(ArgumentError, match="none was found"):
        without.flows_of(first)


def test_a_timespan_restricts_the_findings() -> None:
    flows = sample.office_day()
    nb = ft.FlowThreatInvestigation(flows, silent=True)
    span = {"start": "2026-03-02T06:00", "end": "2026-03-02T09:00"}
    result = nb.run(sample.BEACON.peer, **span)
    expected = ft.hunt(ft.read_flows(flows, timespan=(span["start"], span["end"])))
    [of_peer] = [row for row in expected.to_pylist() if row["dest"] == sample.BEACON.peer]
    assert result.findings["summary"].tolist() == [of_peer["summary"]]
    assert nb.run(sample.BEACON.peer).findings["summary"].tolist() != [of_peer["summary"]]


def test_findings_about_several_count_if_they_have_flows_of_the_address() -> None:
    start = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    swept = [
        flow(
            "10.0.0.9",
            f"10.0.1.{number}",
            start_time=start + dt.timedelta(seconds=number),
            src_bytes=60,
            dst_bytes=0,
            src_packets=1,
            dst_packets=0,
            dst_port=445,
        )
        for number in range(60)
    ]
    other = flow("10.0.0.9", "10.0.2.1", start_time=start)
    nb = ft.FlowThreatInvestigation(flows_of_rows(*swept, other), silent=True)
    [sweep] = [row for row in ft.hunt(flows_of_rows(*swept, other)).to_pylist() if not row["dest"]]
    assert sweep["detector"] == "host_sweeps"
    assert sweep["finding"] in nb.run("10.0.1.7").findings["finding"].tolist()
    assert sweep["finding"] in nb.run("10.0.0.9").findings["finding"].tolist()
    assert sweep["finding"] not in nb.run("10.0.2.1").findings["finding"].tolist()


def test_an_allow_list_hides_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "allow.toml"
    path.write_text(f'[[allow]]\ndest = "{sample.UPLOAD.peer}"\nreason = "<b>backup</b>"\n')
    for allow in (path, AllowList(path)):
        nb = ft.FlowThreatInvestigation(sample.office_day(), allow=allow, silent=True)
        result = nb.run(sample.UPLOAD.peer)
        assert len(result.findings) == 0
        assert len(result.allowed_findings) == 2
        assert result.allowed_findings["context"][0][-1] == "allowed: <b>backup</b>"
        html, text = texts(nb)
        for shown in (html, text):
            assert "No findings." in shown
            assert "2 findings are allowed and hidden: result.allowed_findings." in shown
        assert len(result.flows_of(result.allowed_findings.iloc[0])) == sample.UPLOAD.flows
        assert len(nb.run(sample.SCAN.peer).findings) == 1


@pytest.fixture
def stored(tmp_path: Path) -> ft.FlowOA:
    """A day that was run from a log."""
    day, flows = sample_day()
    log = tmp_path / "log.parquet"
    pq.write_table(flows, log)
    settings = oa_settings(tmp_path)
    oa = ft.FlowOA(day, [log], settings=settings, limit=10)
    oa.run()
    return oa


def test_raw_flows_have_the_findings_of_the_run(stored: ft.FlowOA) -> None:
    nb = ft.FlowThreatInvestigation(stored.store, configuration=stored.settings, silent=True)
    result = nb.run(sample.BEACON.peer)
    expected = queries.findings(stored.store, stored.day, sample.BEACON.peer)
    assert result.findings["finding"].tolist() == expected["finding"].to_pylist()
    assert result.findings["severity"].tolist() == ["warning"]
    assert len(result.flows_of(result.findings.iloc[0])) == sample.BEACON.flows
    html, text = texts(nb)
    assert "Found by the run of Flow OA of this day" in html
    assert "WARNING" in text


def test_raw_flows_without_a_run_are_hunted_by_address(stored: ft.FlowOA) -> None:
    """The detectors see what they need, such as the states of connections."""
    raw = RawFlows(stored.settings.folders.flows)
    nb = ft.FlowThreatInvestigation(flows=raw, date=stored.day, silent=True)
    for ip in (sample.BEACON.peer, sample.SCAN.peer):
        result = nb.run(ip)
        everything = ft.hunt(sample_day()[1]).to_pylist()
        expected = [row for row in everything if ip in (row["source"], row["dest"])]
        assert result.findings["summary"].tolist() == [row["summary"] for row in expected]
        assert result.findings["score"].tolist() == [row["score"] for row in expected]
    status = result.detector_status.set_index("detector")
    assert status.loc["rare_networks", "reason"] == "only the flows of this host were read"
    assert "Searched: the 260 records of this host only." in texts(nb)[1]


def test_a_timespan_is_hunted_even_if_the_day_was_run(stored: ft.FlowOA) -> None:
    nb = ft.FlowThreatInvestigation(stored.store, configuration=stored.settings, silent=True)
    result = nb.run(sample.BEACON.peer, start="2026-03-02T06:00", end="2026-03-02T09:00")
    [row] = result.findings.to_dict("records")
    assert row["flows"] == len(result.search.flows) == 36


def test_untrusted_text_is_escaped(stored: ft.FlowOA) -> None:
    row = finding(
        source=sample.HOST_IP,
        dest=sample.BEACON.peer,
        summary=HOSTILE,
        as_name=HOSTILE,
        context=[HOSTILE],
        detector="beacons",
    )
    with stored.store.transaction() as transaction:
        transaction.replace_day("flow_findings", stored.day, as_rows(table(row)))
    nb = ft.FlowThreatInvestigation(stored.store, configuration=stored.settings, silent=True)
    result = nb.run(sample.BEACON.peer)
    assert result.findings["summary"].tolist() == [HOSTILE]
    html, text = texts(nb)
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    for shown in (html, text):
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_an_address_without_flows_has_no_findings() -> None:
    nb = ft.FlowThreatInvestigation(sample.office_day(), silent=True)
    result = nb.run("203.0.113.99")
    assert len(result.findings) == 0
    assert "No findings: the host has no flows." in texts(nb)[1]


def test_findings_are_shown_first_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    nb = ft.FlowThreatInvestigation(sample.office_day(), top_results=2)
    nb.search_ip(sample.BEACON.peer)
    out = capsys.readouterr().out
    assert out.index(TITLE) < out.index("Top 2 source IP by connections")
    assert "every 5 min" in out


def test_flows_are_hunted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from flowtriage.threat_investigation import flow_source

    calls: list[pa.Table] = []

    def counted(flows: pa.Table, **options: object) -> pa.Table:
        calls.append(flows)
        return ft.hunt(flows, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(flow_source, "hunt", counted)
    nb = ft.FlowThreatInvestigation(sample.office_day(), silent=True)
    for ip in (sample.BEACON.peer, sample.SCAN.peer, sample.BEACON.peer):
        nb.run(ip)
    assert len(calls) == 1
