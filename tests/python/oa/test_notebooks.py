"""The copied notebooks of a day run without errors."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft
from flowtriage.oa import RawFlows, queries
from flowtriage.oa.notebooks import TEMPLATES
from kernel import execute
from oa_work import sample_day, settings_in

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]
SHOWN = Path(__file__).resolve().parents[3] / "notebooks" / "templates"


def executed(path: Path, *, uncommented: str = "") -> Any:
    """The notebook after a run, with the cells that have this in them no comments."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if uncommented and cell.source.startswith("# ") and uncommented in cell.source:
            cell.source = cell.source.replace("# ", "")
    execute(notebook, path.parent)
    return notebook


def shown(notebook: Any) -> str:
    return "".join(str(o) for cell in notebook.cells for o in cell.get("outputs", []))


@pytest.mark.skipif(not SHOWN.is_dir(), reason="a checkout without symbolic links")
def test_the_templates_of_the_repository_are_those_of_the_package() -> None:
    ours = {path.name: path.read_bytes() for path in TEMPLATES.glob("*.ipynb")}
    assert {path.name: path.read_bytes() for path in SHOWN.glob("*.ipynb")} == ours
    assert set(ours) == {"Advanced_Mode.ipynb", "Threat_Investigation.ipynb"}


@pytest.mark.parametrize("name", ["Advanced_Mode.ipynb", "Threat_Investigation.ipynb"])
def test_it_runs_from_a_fresh_run(tmp_path: Path, name: str) -> None:
    day, flows = sample_day()
    oa = ft.FlowOA(day, flows, settings=settings_in(tmp_path), limit=20)
    oa.run()
    first = oa.store.read("flow_scores", order=["rank"]).to_pylist()[0]
    assert queries.score_connection(oa.store, day, 1, srcip=first["srcip"], dstip=first["dstip"])
    text = shown(executed(tmp_path / "ipynb" / "flow" / str(day) / name))
    assert first["dstip"] in text
    assert "Traceback" not in text
    if name.startswith("Advanced"):
        assert text.count("plot-data") >= 3
    else:
        assert "Addresses scored as high risk" in text
        assert "widget-view" in text
    assert queries.get_scored_connections(oa.store, day).num_rows


def test_feedback_is_compared_and_withdrawn_in_the_notebook(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    day, flows = sample_day()
    log = tmp_path / "day.log"
    ft.write_flows(flows, log, format="zeek")
    RawFlows(settings.folders.flows).ingest(log)
    oa = ft.FlowOA(day, settings=settings, limit=20)
    oa.run()
    rows = oa.store.read("flow_scores", order=["rank"]).drop_columns(["day"])
    yesterday = day - dt.timedelta(days=1)
    with oa.store.transaction() as transaction:
        transaction.append("flow_scores", yesterday, rows)
    peer = rows["dstip"][0].as_py()
    scored = queries.score_connection(oa.store, yesterday, 3, dstip=peer)
    path = tmp_path / "ipynb" / "flow" / str(day) / "Advanced_Mode.ipynb"
    compared = executed(path, uncommented="compare_ranks")
    [cell] = [cell for cell in compared.cells if "RawFlows(FLOWS)" in cell.source]
    assert "rank_after" in str(cell.outputs)
    assert peer in str(cell.outputs)
    assert queries.get_scored_connections(oa.store, yesterday).num_rows == scored
    executed(path, uncommented="withdraw_feedback(store, DATE")
    assert queries.get_scored_connections(oa.store, yesterday).num_rows == scored
