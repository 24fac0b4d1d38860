"""The sequence of an analyst's cells, in a real JupyterLab, in a real Chromium, by mouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jupyterlab")
pytest.importorskip("msticpy")
pytest.importorskip("playwright")

from hostile_notebook import ATTACKS, THREAT
from jupyter_lab import Notebook, lab, open_tab

pytestmark = [
    pytest.mark.extra,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]

CELLS = [
    "import flowtriage as ft, hostile_notebook as made\n"
    "nb = ft.NetworkFlowSummary(made.providers(made.service().url, 'list.txt'))",
    "nb.run(made.HOST, data=made.flows(), options=['+geo_map'], asn=made.HostileNames())",
    "nb.select_asns()",
    "nb.lookup_ti_for_asn_ips()",
    "nb.show_selected_asn_map()",
    "nb.result.write_html('report.html').name",
]
COLOURS = {
    "outbound": "rgb(0, 114, 178)",
    "inbound": "rgb(170, 68, 153)",
    "threat": "rgb(193, 18, 31)",
    "host": "rgb(34, 139, 85)",
}
COLOUR = """(one) => {
  const svg = one.querySelector("svg");
  return svg ? getComputedStyle(svg).fill : getComputedStyle(one).backgroundColor;
}"""


def test_the_four_cells_by_mouse(browser: Any, tmp_path: Path) -> None:
    cells = tmp_path / "lab"
    cells.mkdir()
    with lab(cells, CELLS) as address:
        (cells / "work" / "list.txt").write_text(f"{THREAT} {ATTACKS[1]}\n", encoding="utf-8")
        tab, trouble = open_tab(browser, address)
        notebook = Notebook(tab)
        notebook.run(0)

        shown = notebook.run(1)
        assert "Flow Summary with ASN details." in shown.inner_text()
        shown.locator(".bk-Figure").first.wait_for()
        assert shown.locator(".ft-table", has_text=ATTACKS[0]).count() > 0
        notebook.picture("1_run")

        shown = notebook.run(2)
        source, selected = shown.locator("select").nth(0), shown.locator("select").nth(1)
        selected.wait_for()
        assert source.locator("option").count() == 4
        (rare,) = selected.locator("option").all_inner_texts()
        assert "NIC.BR" in rare
        others = ["AS15169 Google", "AS13335 Cloudflare"]
        for at, label in enumerate(others):
            option = source.locator("option", has_text=label).first
            option.click(modifiers=["Control"] if at else [])
        shown.get_by_role("button", name="Add ⇾", exact=True).click()
        selected.locator("option").nth(2).wait_for()
        chosen = " ".join(selected.locator("option").all_inner_texts()).replace("\xa0", " ")
        assert [label in chosen for label in others] == [True, True], chosen
        notebook.picture("2_select_asns")

        shown = notebook.run(3)
        told = shown.inner_text()
        assert "1 address is known as a threat" in told
        assert [text in told for text in (*ATTACKS[:4], ATTACKS[5])] == [True] * 5
        assert "turned \\u202egpj" in told
        assert "GreyNoise" in told
        notebook.picture("3_lookup_ti")

        shown = notebook.run(4)
        frames = shown.locator("iframe")
        assert frames.count() == 1
        frames.scroll_into_view_if_needed()
        drawn = shown.frame_locator("iframe")
        drawn.locator(".ft-marker.ft-host").wait_for()
        seen = {
            kind: drawn.locator(f".ft-marker.ft-{kind}").first.evaluate(COLOUR) for kind in COLOURS
        }
        assert seen == COLOURS
        notebook.picture("4_map")
        facts = drawn.locator(".leaflet-popup .ft-facts")
        for _ in range(10):  # the page may still be scrolling under the mouse
            tab.wait_for_timeout(500)
            if facts.count():
                break
            drawn.locator(".ft-marker.ft-threat").click()
        assert THREAT in facts.inner_text() and ATTACKS[1] in facts.inner_text()
        notebook.picture("5_click")

        assert "report.html" in notebook.run(5).inner_text()
        assert tab.locator("img[src=x]").count() == drawn.locator("img[src=x]").count() == 0
        page = (cells / "work" / "report.html").read_text(encoding="utf-8")
        assert not [text for text in ATTACKS[:3] if text in page]
        tab.close()
    assert trouble == []
