"""All notebooks run."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from flowtriage import sample
from kernel import execute

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

FOLDER = Path(__file__).resolve().parents[3] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SHOWS = {
    "quickstart.ipynb": ("Flow Summary with ASN details.", 3),
    "network_flow_summary.ipynb": ("Flow Summary with ASN details.", 3),
    "existing_mstic_notebook.ipynb": ("Flow Summary with ASN details.", 3),
    "threat_investigation.ipynb": ("Top 20 destination IP per bytes transfered", 1),
}
"""A text among the outputs, and the minimum number of plots."""

MAX_SIZE = 3_000_000
"""Characters of an executed notebook; Bokeh itself is one million."""

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]


@cache
def executed(path: Path) -> Any:
    notebook = nbformat.read(path, as_version=4)
    with TemporaryDirectory() as folder:
        execute(notebook, folder)
    return notebook


def output_of(notebook: Any, source: str) -> str:
    """Return the text output of the only cell with this source."""
    [cell] = [cell for cell in notebook.cells if source in cell.source]
    return "\n".join(o.get("data", {}).get("text/plain", "") for o in cell.outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_runs(path: Path) -> None:
    assert not any(cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells)
    notebook = executed(path)
    text = nbformat.writes(notebook)
    expected, plots = SHOWS[path.name]
    assert expected in text
    assert text.count("plot-data") >= plots
    assert "Traceback" not in text
    assert len(text) < MAX_SIZE


def test_the_summary_finds_all_findings() -> None:
    story = executed(FOLDER / "network_flow_summary.ipynb")
    findings = output_of(story, "result.findings[columns]")
    assert [one.kind for one in sample.FINDINGS if one.peer not in findings] == []
    assert sample.BEACON.peer in output_of(story, "result.flows_of(beacon)")
    assert "period_seconds" in output_of(story, 'beacon["evidence"]')
    assert output_of(story, "result.flows_of(scan)").endswith(f", {sample.SCAN.flows})")
    assert sample.BEACON.peer in output_of(story, "lookup_ti_for_asn_ips")
    assert "4 of 41 selected" in output_of(story, "nb.select_asns(")
    mapped = output_of(story, "show_selected_asn_map")
    assert [one.kind for one in sample.FINDINGS if one.peer not in mapped] == []


def test_an_existing_notebook_runs_with_one_import_changed() -> None:
    notebook = executed(FOLDER / "existing_mstic_notebook.ipynb")
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert sum("import flowtriage as nb" in source for source in code) == 1
    assert not any("msticnb" in source for source in code)
    assert "'LocalData'" in output_of(notebook, "list_providers")
    assert output_of(notebook, "data_providers[").startswith("(True,")
    assert "NetworkFlowSummary" in output_of(notebook, "nb.find")
    assert "Select(" in output_of(notebook, "nb.browse")
    assert "TimeSpan(start=2026-03-02 00:00:00+00:00" in output_of(notebook, "result.timespan")
    assert "7,310 of 7,310 records" in output_of(
        notebook, 'flow_summary.run(value="ws-0341", timespan=tm_span, options'
    )
    assert "11 of 41 selected" in output_of(notebook, "result.select_asns")
    assert "30 of 30 public addresses" in output_of(notebook, "result.lookup_ti_for_asn_ips")
    assert "Wikimedia" in output_of(notebook, "result.show_selected_asn_map")
    assert "2608" in output_of(notebook, "network_flow_summary(host")
    assert output_of(notebook, "nb.set_opt") == "(True, 7310)"


def test_the_investigation_finds_and_saves_the_findings() -> None:
    notebook = executed(FOLDER / "threat_investigation.ipynb")
    listed = output_of(notebook, "start_investigation")
    assert "Addresses scored as high risk" in listed and sample.HOST_IP in listed
    planted = (sample.SCAN, sample.BEACON, sample.UPLOAD)
    assert [one.kind for one in planted if one.peer not in output_of(notebook, "nb.run")] == []
    [cell] = [cell for cell in notebook.cells if "nb.score" in cell.source]
    assert cell.outputs[0]["text"].startswith("641 connections scored 1, ")
    after = output_of(notebook, "nb.score")
    assert [one.kind for one in planted if one.peer not in after] == []
    [cell] = [cell for cell in notebook.cells if "story_board" in cell.source]
    assert cell.outputs[0]["text"] == "It is no longer in the list.\n"
    assert "Upload by ws-0341" in output_of(notebook, "story_board")
