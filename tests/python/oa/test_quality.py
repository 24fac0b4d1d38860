"""Quality of raw flows: what reading counted is stated by each run and search of their days."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import flowtriage as ft
from command_line import run as command
from flowtriage.errors import FormatError
from flowtriage.oa import RawFlows
from flowtriage.quality import QualityWarning
from oa_work import settings_in

pytestmark = pytest.mark.extra

DAY, START = "2025-03-01", 1740830400
FACTS = {
    "Bad rows": "1",
    "Unknown actions": "1 (1 action MAYBE); counted as allowed",
    "End before start": "1 records; their end is missing",
    "32-bit counter overflow": "1 rows; totals are too low",
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
