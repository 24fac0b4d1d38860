"""What a run shows of hostile text, in front ends that can do more or less than JupyterLab."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jupyterlab")
pytest.importorskip("msticpy")
pytest.importorskip("playwright")

import nbformat

import flowtriage
import hostile_notebook as made
from command_line import CONTROL
from jupyter_lab import Notebook, lab, open_tab
from kernel import execute

pytestmark = [
    pytest.mark.extra,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]

PATHS = [str(Path(flowtriage.__file__).parents[1]), str(Path(made.__file__).parent)]
CELLS = [
    f"import sys; sys.path[:0] = {PATHS!r}\n"
    "import flowtriage as ft, hostile_notebook as made\n"
    "nb = ft.NetworkFlowSummary()",
    "result = nb.run(made.HOST, data=made.flows(), options=['+geo_map'], asn=made.HostileNames())",
    "nb.select_asns()",
    "result",
]
SHOWN = [text.replace("\u202e", "\\u202e") for text in made.ATTACKS]
FLOWS = ["2", "5", "70", "80", "90"]
ROWS = len(FLOWS) * len(SHOWN)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook as it is saved after a run."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in CELLS])
    folder = tmp_path_factory.mktemp("notebook")
    execute(notebook, folder)
    return notebook


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page without a network; at the end, no dialog was opened and no foreign image made."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    dialogs: list[str] = []
    tab.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    tab.route("http*://**/*", lambda route: route.abort())
    yield tab
    tab.wait_for_timeout(200)
    assert dialogs == []
    assert tab.locator("img[src=x]").count() == 0
    tab.close()


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.outputs]


def nbconverted(notebook: Any, folder: Path) -> str:
    from nbconvert import HTMLExporter

    path = folder / "notebook.html"
    path.write_text(HTMLExporter().from_notebook_node(notebook)[0], encoding="utf-8")
    return path.as_uri()


def without_widgets(notebook: Any, folder: Path) -> str:
    """Write what a front end shows that knows HTML and text only."""
    parts = [
        output.data.get("text/html") or f"<pre>{escape(output.data.get('text/plain', ''))}</pre>"
        for output in outputs(notebook)
        if "data" in output
    ]
    path = folder / "page.html"
    body = "".join(f"<div>{part}</div>" for part in parts)
    path.write_text(f'<!DOCTYPE html><meta charset="utf-8"><body>{body}', encoding="utf-8")
    return path.as_uri()


def index_table(page: Any) -> Any:
    return page.locator(".ft-table", has_text="FlowDirection").first


def texts(table: Any, heading: str) -> list[str]:
    """Read the cells of a column that are visible."""
    names = [text.split("\n")[0] for text in table.locator("th").all_inner_texts()]
    cells = table.locator(f"tbody tr:visible td:nth-child({names.index(heading) + 1})")
    return cells.all_inner_texts()


def check_that_it_sorts_and_filters(table: Any) -> None:
    heading = table.get_by_role("button", name="TotalAllowedFlows")
    heading.click()
    assert texts(table, "TotalAllowedFlows") == sorted(FLOWS * len(SHOWN), key=int)
    heading.click()
    assert texts(table, "TotalAllowedFlows") == sorted(FLOWS * len(SHOWN), key=int, reverse=True)
    search, count = table.get_by_role("searchbox"), table.locator(".ft-count")
    for attack in SHOWN:
        search.fill(attack)
        expected = [one for one in SHOWN if attack in one for _ in FLOWS]
        assert sorted(texts(table, "L7Protocol")) == sorted(expected)
        assert count.inner_text() == f"{len(expected)} of {ROWS} rows shown"
    search.fill("")
    assert count.inner_text() == f"{ROWS} rows"


@pytest.mark.parametrize("front_end", [nbconverted, without_widgets])
def test_tables_sort_and_filter(page: Any, saved: Any, tmp_path: Path, front_end: Any) -> None:
    page.goto(front_end(saved, tmp_path))
    check_that_it_sorts_and_filters(index_table(page))
    summary = page.locator("div[style*='--ft-height'] .ft-table", has_text="FlowDirection").first
    check_that_it_sorts_and_filters(summary)
    picture(page, front_end.__name__)


def test_nbconvert_keeps_plots_and_maps(page: Any, saved: Any, tmp_path: Path) -> None:
    page.goto(nbconverted(saved, tmp_path))
    page.locator(".bk-Figure").first.wait_for(timeout=20_000)
    assert page.locator(".bk-Figure").count() >= 3
    maps = [frame for frame in page.frames if frame.locator(".leaflet-container").count()]
    assert len(maps) == 2


def test_without_javascript_everything_is_there_to_read(
    browser: Any, saved: Any, tmp_path: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.route("http*://**/*", lambda route: route.abort())
    page.goto(nbconverted(saved, tmp_path))
    table = index_table(page)
    assert sorted(texts(table, "TotalAllowedFlows")) == sorted(FLOWS * len(SHOWN))
    assert sorted(set(texts(table, "L7Protocol"))) == sorted(SHOWN)
    assert table.locator("button, input").count() == 0
    context.close()


def test_without_widgets_it_is_told_how_to_choose(page: Any, saved: Any, tmp_path: Path) -> None:
    page.goto(without_widgets(saved, tmp_path))
    assert 'select_asns(["AS15169 Google LLC"])' in page.inner_text("body")


def test_what_is_shown_is_told_as_text_too(saved: Any) -> None:
    rich = [output.data for output in outputs(saved) if "text/html" in output.get("data", {})]
    plain = [data["text/plain"] for data in rich if "text/plain" in data]
    assert not [text for text in plain if "IPython.core.display" in text]
    assert "Flow Index.\n-----------" in "\n".join(plain)
    assert [attack in "\n".join(plain) for attack in SHOWN] == [True] * len(SHOWN)
    assert not [text for text in plain if CONTROL.search(text)]


def test_an_untrusted_notebook_shows_its_tables_and_running_it_brings_them_to_life(
    browser: Any, saved: Any, tmp_path: Path
) -> None:
    with lab(tmp_path, []) as address:
        nbformat.write(saved, tmp_path / "work" / "triage.ipynb")
        tab, dialogs = open_tab(browser, address)
        notebook = Notebook(tab)
        table = index_table(notebook.cell(1))
        table.wait_for()
        assert sorted(texts(table, "TotalAllowedFlows")) == sorted(FLOWS * len(SHOWN))
        assert table.locator("button, input").count() == 0
        table.scroll_into_view_if_needed()
        notebook.picture("untrusted")

        notebook.run(0)
        table = index_table(notebook.run(1))
        check_that_it_sorts_and_filters(table)
        before = tab.locator(".jp-Cell").count()
        table.get_by_role("searchbox").press_sequentially("adds")
        assert table.get_by_role("searchbox").input_value() == "adds"
        assert tab.locator(".jp-Cell").count() == before
        table.get_by_role("searchbox").fill("ALERT")
        notebook.picture("filtered")
        assert tab.locator("img[src=x]").count() == 0
        tab.close()
    assert dialogs == []


@pytest.mark.parametrize("width", [80, 500])
def test_a_terminal_shows_text(tmp_path: Path, width: int) -> None:
    command = [sys.executable, "-m", "IPython", "--colors=NoColor", "--no-banner", "-c"]
    environment = {**os.environ, "COLUMNS": str(width), "IPYTHONDIR": str(tmp_path)}
    done = subprocess.run(
        [*command, "\n".join(CELLS[:3]) + "\nprint(result)"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not CONTROL.search(done.stdout.replace("\n", ""))
    assert "Flow Index.\n-----------" in done.stdout
    assert "Locations on the map:" in done.stdout
    assert "[plot: shown in a notebook or a report]" in done.stdout
    assert [attack in done.stdout for attack in SHOWN] == [True] * len(SHOWN)
    tables = re.findall(r"^(source  .*\n(?:(?!…|\n).+\n)*)", done.stdout, re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()]
    assert len(lines) > 20
    assert max(map(len, lines)) <= width
    assert ("Columns not shown: " in done.stdout) == (width == 80)


def picture(page: Any, name: str) -> None:
    folder = os.environ.get("FLOWTRIAGE_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
