"""Findings of `flowtriage summary`: text first, JSON, report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

pytest.importorskip("typer")

import flowtriage as ft
from command_line import CONTROL, on_terminal, run
from flowtriage import sample
from flowtriage.detect import detector_status
from many_findings import SERVER, flood, scanned

pytestmark = pytest.mark.extra


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    pq.write_table(scanned(300), folder / "many.parquet")
    pq.write_table(flood(2_000), folder / "flood.parquet")
    return folder


def test_findings_come_first_with_severity_and_sentence() -> None:
    text = run("summary", "--sample", "--top", "5").stdout
    lines = text.splitlines()
    at = lines.index("Findings")
    assert [line.split()[0] for line in lines[:at] if line] == ["Host", "Host", "Host"]
    found = ft.hunt(sample.office_day()).to_pylist()
    assert lines[at + 1].startswith(f"{len(found)} findings: ")
    shown = [f"{row['severity'].upper():11}  {row['summary']}" for row in found[:5]]
    assert lines[at + 2 : at + 7] == shown
    assert lines[at + 7] == f"5 of {len(found)} shown"
    assert lines[at + 8].startswith("Searched: all 8,193 records read")
    assert text.index("Findings") < text.index("Rows read") < text.index("Flow summary by AS")


def test_json_has_findings_and_what_the_detectors_did() -> None:
    document = json.loads(run("summary", "--sample", "--json").stdout)
    found = ft.hunt(sample.office_day())
    assert document["findings"] == [
        row | {name: row[name].isoformat() for name in ("first_seen", "last_seen")}
        for row in found.to_pylist()
    ]
    assert document["groups"]["findings"] == found.num_rows
    assert document["detectors"] == detector_status(found).to_pylist()


def test_hundreds_of_findings_are_counted(logs: Path) -> None:
    command = ["summary", logs / "many.parquet", "--host", SERVER, "--internal", f"{SERVER}/32"]
    text = run(*command).stdout
    assert text.count("WARNING") == 20
    assert "20 of 302 shown" in text
    document = json.loads(run(*command, "--json", "--top", "1000").stdout)
    assert len(document["findings"]) == document["groups"]["findings"] == 302


def test_nothing_found_is_one_line() -> None:
    lines = run("summary", "--sample", "--host", "10.20.30.9").stdout.splitlines()
    at = lines.index("Findings")
    assert lines[at + 1].startswith("No findings. Looked for: beacons, ")
    assert lines[at + 2].startswith("Searched: ")


def test_tables_fold_and_json_does_not(logs: Path) -> None:
    command = ["summary", logs / "flood.parquet", "--host", SERVER]
    text = run(*command).stdout
    assert "2,000 addresses  198.51.100.7" in text
    assert "2,000 rows with few flows are folded" in text
    document = json.loads(run(*command, "--json", "--top", "5000").stdout)
    assert len(document["flow_index"]) == document["groups"]["flow_index"] == 2_020


def test_a_narrow_terminal_wraps_the_sentences() -> None:
    shown = on_terminal("summary", "--sample", width=60)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", shown)
    lines = plain.split("Findings\n")[1].split("\n\n")[0].splitlines()
    assert len(lines) > 8
    assert max(map(len, lines)) <= 60
    assert [line.split()[0] for line in lines if line[:1].isupper()].count("HIGH") == 1


def test_the_report_has_them_too(logs: Path, tmp_path: Path) -> None:
    for library in ("msticpy", "bokeh", "jinja2"):
        pytest.importorskip(library, reason="needs the extra notebook")
    path = tmp_path / "report.html"
    command = ["summary", logs / "many.parquet", "--host", SERVER, "--internal", f"{SERVER}/32"]
    done = run(*command, "--html", path)
    assert done.stdout == run(*command).stdout
    assert not CONTROL.search(done.stdout.replace("\n", ""))
    page = path.read_text(encoding="utf-8")
    assert "302 findings: " in page
    assert page.count('role="listitem"') > 100
