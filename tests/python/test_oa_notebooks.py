"""The notebooks of a day run as they were copied."""

from __future__ import annotations

from pathlib import Path

import pytest

import flowtriage as ft
from flowtriage.oa import queries
from oa_work import sample_day, settings_in

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("name", ["Advanced_Mode.ipynb", "Threat_Investigation.ipynb"])
def test_it_runs_from_a_fresh_run(tmp_path: Path, name: str) -> None:
    day, flows = sample_day()
    oa = ft.FlowOA(day, flows, settings=settings_in(tmp_path), limit=20)
    oa.run()
    first = oa.store.read("flow_scores", order=["rank"]).to_pylist()[0]
    assert queries.score_connection(oa.store, day, 1, srcip=first["srcip"], dstip=first["dstip"])
    path = tmp_path / "ipynb" / "flow" / str(day) / name
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    nbclient.NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": path.parent}},
    ).execute()
    shown = "".join(str(o) for cell in notebook.cells for o in cell.get("outputs", []))
    assert first["dstip"] in shown
    assert "Traceback" not in shown
    if name.startswith("Threat"):
        assert "Addresses scored as high risk" in shown and "widget-view" in shown
    assert queries.get_scored_connections(oa.store, day).num_rows
