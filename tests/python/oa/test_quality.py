"""Quality of raw flows: what reading counted is stated by each run and search of their days."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import flowtriage as ft
from command_line import run as command
from flowtriage.errors import FormatError
from flowtriage.inputs.timespan import parse_timespan
from flowtriage.oa import RawFlows
from flowtriage.quality import QualityWarning
from oa_work import settings_in

pytestmark = pytest.mark.extra

DAY, START = "2025-03-01", 1740830400
FACTS = {
    "Bad rows": "1",
    "Unknown actions": "1 (1 action MAYBE); counted as allowed",
    "End before start": "1 record; its end is missing",
    "32-bit counter overflow": "1 row; totals are too low",
    "Unidirectional records": "7 of 7",
    "Repeated rows": "4",
}
"""Facts of the log, with their right values."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    head = "version srcaddr dstaddr srcport dstport protocol packets bytes start end action"
    usual = f"50000 443 6 10 1000 {START + 7} {START + 8}"
    rows = [
        *[f"2 10.0.0.1 9.9.9.9 {usual} ACCEPT"] * 5,
        f"2 10.0.0.1 9.9.9.9 50000 443 6 10 1000 {START + 50} {START} MAYBE",
        f"2 10.0.0.2 9.9.9.9 50000 443 6 100000 10 {START} {START} ACCEPT",
        f"2 10.0.0.1 bad {usual} ACCEPT",
    ]
    path = tmp_path / "x.log"
    path.write_text("\n".join([head, *rows, ""]))
    return path


def stated(report: ft.ReadReport | None) -> dict[str, str]:
    assert report is not None
    return {label: text for label, text in report.facts().items() if label in FACTS}


def test_a_run_of_logs_and_a_search_state_what_reading_counted(log: Path, tmp_path: Path) -> None:
    assert stated(ft.read_flows(log).report) == FACTS
    settings = settings_in(tmp_path)
    with pytest.warns(QualityWarning, match="Unknown actions.*End before start") as caught:
        run = ft.FlowOA(DAY, log, settings=settings).run()
    assert [one.filename for one in caught] == [__file__]
    assert stated(run.report) == FACTS
    assert run.report is not None
    assert (run.report.rows_read, run.report.records) == (8, 7)
    assert "line 9, column dstaddr" in str(run.report.bad_rows[0])
    nb = ft.FlowThreatInvestigation(
        ft.FlowStore(settings.store.url), DAY, configuration=settings, silent=True
    )
    with pytest.warns(QualityWarning, match="Unknown actions.*32-bit counter overflow") as caught:
        result = nb.run("9.9.9.9")
    assert len(caught) == 1
    assert stated(result.report) == FACTS
    assert result.report.quality is not None
    assert "service" in result.report.quality.empty  # read for the detectors


def test_the_banner_of_a_search_states_what_reading_counted(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = RawFlows(tmp_path / "flows")
    raw.ingest(log)
    ft.FlowThreatInvestigation(raw, DAY, silent=False).run("9.9.9.9", options=["top_tables"])
    shown = capsys.readouterr().out
    for label in ("Bad rows", "Unknown actions", "End before start", "32-bit counter overflow"):
        assert label in shown


def test_flows_in_memory_do_not_warn(log: Path, tmp_path: Path) -> None:
    flows = ft.read_flows(log)
    run = ft.FlowOA(DAY, flows, settings=settings_in(tmp_path)).run()
    assert stated(run.report) == FACTS


def test_records_of_earlier_versions_state_their_bad_rows(log: Path, tmp_path: Path) -> None:
    raw = RawFlows(tmp_path / "flows")
    raw.ingest(log)
    (path,) = (raw.folder / "_sources").glob("*.json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"report": {"counts": {"rows_read": "8"}}}))
    with pytest.raises(FormatError, match="is not the record of an ingested source"):
        raw.sources()
    del record["report"]
    path.write_text(json.dumps(record))
    report = raw.report(ft.read_flows(log).report.start.date())  # type: ignore[union-attr]
    assert (report.rows_read, report.rows_bad, report.unknown_actions) == (8, 1, {})


def test_the_command_warns_of_what_reading_counted(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("flowtriage.toml").write_text("[ranking]\niterations = 2\ntopics = 3\n")
    done = command("oa", "run", DAY, "--flows", log)
    for label in ("Unknown actions", "End before start", "32-bit counter overflow"):
        assert f"warning: {label}: {FACTS[label]}" in done.stderr
    assert "line 9, column dstaddr: 'bad' is not an IP address" in done.stderr
    again = json.loads(command("oa", "run", DAY, "--json").stdout)
    assert again["report"]["unknown_actions"] == {"action MAYBE": 1}
    assert again["steps"][0]["name"] == "ingest"


def outlier_log(path: Path, *starts: int) -> Path:
    head = "version srcaddr dstaddr srcport dstport protocol packets bytes start end action"
    rows = [f"2 10.0.0.1 9.9.9.9 50000 443 6 10 1000 {at} {at + 1} ACCEPT" for at in starts]
    path.write_text("\n".join([head, *rows, ""]))
    return path


OUTLIER = "1 record starts more than 30 days from all others of a source: 1 on 2023-01-01"


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_time_outlier_on_another_day_is_stated(tmp_path: Path, *, in_memory: bool) -> None:
    starts = [START + 60 * n for n in range(30)]
    # Another day near by is no outlier.
    log = outlier_log(tmp_path / "x.log", *starts, START + 2 * 86_400, 1672531200)
    flows = ft.read_flows(log).to_arrow() if in_memory else log
    with pytest.warns(QualityWarning, match=f"Time outliers by day: {OUTLIER}"):
        run = ft.FlowOA(DAY, flows, settings=settings_in(tmp_path)).run()
    assert run.report is not None
    assert run.report.facts()["Time outliers by day"] == OUTLIER
    assert {day.isoformat(): n for day, n in run.report.far_days.items()} == {"2023-01-01": 1}
    assert run.report.records == 30


def test_the_day_of_an_outlier_states_it_and_the_command_too(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    log = outlier_log(tmp_path / "x.log", *[START + n for n in range(30)], 1672531200)
    with pytest.warns(QualityWarning, match="1 on 2023-01-01"):
        run = ft.FlowOA("2023-01-01", log, settings=settings, limit=5).run(
            ["ingest", "results", "store"]
        )
    assert run.report is not None
    assert run.report.records == 1
    raw = RawFlows(settings.folders.flows)
    assert "far from" not in str(raw.report(raw.days()[0]).facts())
    assert raw.report(raw.days()[1]).facts()["Time outliers by day"] == OUTLIER


def test_a_timespan_does_not_hide_an_outlier(tmp_path: Path) -> None:
    days = [START + 86_400 * n for n in range(60)]
    usual = outlier_log(tmp_path / "usual.log", *days)
    span = parse_timespan(start="2025-03-02", end="2025-03-03")
    read = ft.read_flows(usual, timespan=span)
    assert (read.report.rows_outside, read.report.far_days) == (58, {})
    log = outlier_log(tmp_path / "x.log", *days, 0)
    for report in (
        ft.read_flows(log, timespan=span).report,
        ft.flow_report(log, timespan=span),
    ):
        assert report.to_dict()["far_days"] == {"1970-01-01": 1}
