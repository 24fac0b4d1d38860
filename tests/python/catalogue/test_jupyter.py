"""The cells of msticnb's documentation in a real JupyterLab, in a real Chromium."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jupyterlab")
pytest.importorskip("msticpy")
pytest.importorskip("playwright")

from jupyter_lab import Notebook, lab, open_tab

pytestmark = [
    pytest.mark.extra,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]
NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "existing_mstic_notebook.ipynb"
CELLS = [
    "".join(cell["source"])
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    if cell["cell_type"] == "code"
]
IMPORTS, DATA = CELLS[:2]
REGISTERED = [
    "import msticnb as nb\nimport flowtriage\nflowtriage.register()\n"
    + IMPORTS.replace("import flowtriage as nb", ""),
    DATA,
    "nb.init('LocalData', providers=['tilookup', 'ipstacklookup'],\n"
    "        LocalData_data_paths=[str(folder)])",
    "print(nb.nblts)",
    "nb.browse()",
    *(cell for cell in CELLS if cell.startswith(("flow_summary =", "tm_span ="))),
    "result.select_asns()",
    "Pivot().timespan = tm_span\n"
    "entities.Host.nblt.network_flow_summary(value='ws-0341', silent=True).description",
]


def position(cells: list[str], start: str) -> int:
    [found] = [number for number, cell in enumerate(cells) if cell.startswith(start)]
    return found


def select(shown: Any, name: str) -> None:
    shown.locator("select").select_option(label=name)


def test_one_import_changes(browser: Any, tmp_path: Path) -> None:
    with lab(tmp_path, CELLS) as address:
        tab, trouble = open_tab(browser, address)
        notebook = Notebook(tab)
        shown = [notebook.run(number) for number in range(len(CELLS))]
        browsed = shown[position(CELLS, "nb.browse")]
        select(browsed, "NetworkFlowSummary")
        browsed.get_by_role("heading", name="NetworkFlowSummary", exact=True).first.wait_for()
        browsed.get_by_text("run() documentation").click()
        browsed.get_by_role("heading", name="Default Options").last.wait_for()
        browsed.scroll_into_view_if_needed()
        notebook.picture("1_browse")
        run = shown[position(CELLS, "tm_span")]
        run.locator(".bk-Figure").first.wait_for()
        assert "7,310 of 7,310 records" in run.inner_text()
        events = shown[position(CELLS, "result.view_events")]
        events.locator("select").select_option(index=4)
        label = events.locator("select option").nth(4).text_content().replace("\xa0", " ")
        peer = label.partition(". ")[2].partition(" - ")[0]
        events.locator("td", has_text=peer).first.wait_for()
        events.scroll_into_view_if_needed()
        notebook.picture("2_events")
        assert "2608" in shown[position(CELLS, "nb.add_pivot_funcs")].inner_text()
        assert shown[position(CELLS, "nb.set_opt")].inner_text().endswith("(True, 7310)")
        assert trouble == []


def test_a_notebook_that_keeps_its_import(browser: Any, tmp_path: Path) -> None:
    pytest.importorskip("msticnb")
    with lab(tmp_path, REGISTERED) as address:
        tab, trouble = open_tab(browser, address)
        notebook = Notebook(tab)
        shown = [notebook.run(number) for number in range(len(REGISTERED))]
        tree = shown[position(REGISTERED, "print")].inner_text()
        assert "FlowThreatInvestigation" in tree
        assert "HostNetworkSummary" in tree
        browsed = shown[position(REGISTERED, "nb.browse")]
        select(browsed, "NetworkFlowSummary")
        browsed.get_by_text("Summarise a host's network flows").first.wait_for()
        browsed.scroll_into_view_if_needed()
        notebook.picture("3_registered_browse")
        run = shown[position(REGISTERED, "tm_span")]
        run.locator(".bk-Figure").first.wait_for()
        run.scroll_into_view_if_needed()
        notebook.picture("4_registered_run")
        assert "Network flow summary for ws-0341" in shown[-1].inner_text()
        assert trouble == []
