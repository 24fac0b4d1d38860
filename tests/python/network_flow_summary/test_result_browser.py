"""The summary of a result, as a notebook shows it, in a real Chromium."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.render.assets import asset

pytest.importorskip("msticpy")
pytest.importorskip("playwright")

import azure_network

pytestmark = [
    pytest.mark.extra,
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
HOSTILE = '"><img src=x onerror="parent.ran = 1"></script><script>parent.ran = 1</script>`\u202e'


def hostile_day() -> pa.Table:
    table = sample.office_day()
    names = pa.array([HOSTILE] * table.num_rows, pa.string())
    return table.set_column(table.column_names.index("service"), "service", names)


@pytest.mark.parametrize("day", [sample.office_day(), hostile_day()], ids=["plain", "hostile"])
def test_tables_plots_and_their_descriptions_are_shown(browser: Any, day: pa.Table) -> None:
    result = ft.NetworkFlowSummary(silent=True).run(sample.HOST_IP, data=day)
    page = browser.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    page.set_content(result._repr_html_())
    frame = page.frame_locator("iframe")
    for number in (1, 2, 3):
        frame.locator(f"#plot-{number} canvas").first.wait_for(timeout=20_000)
    headings = page.locator("h4").all_inner_texts()
    assert headings == result.properties
    assert page.locator("h4 ~ div table").count() == 6
    assert "Timeline of flows by direction." in page.inner_text("body")
    assert page.evaluate("window.ran") is None
    assert trouble == []
    page.close()


def test_hostile_host_names_stay_text(browser: Any) -> None:
    frame = azure_network.flows().assign(VMName=HOSTILE)
    nb = ft.NetworkFlowSummary(silent=True)
    result = nb.run(HOSTILE, data=frame, options=["flow_summary", "resolve_host"])
    assert result.host_entity.IpAddress.Address == azure_network.WEB
    page = browser.new_page()
    page.set_content(result._repr_html_() + nb.get_help())
    assert HOSTILE.strip("\u202e") in page.inner_text("h3 >> nth=0")
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    assert page.locator("img").count() == 0
    assert page.locator("script").all_text_contents() == [asset("tables.js")]
    page.close()
