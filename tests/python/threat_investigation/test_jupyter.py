"""An investigation in a real JupyterLab, in a real Chromium: by mouse, and by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jupyterlab")
pytest.importorskip("ipywidgets")
pytest.importorskip("playwright")

import duckdb

from flowtriage import FlowStore, sample
from flowtriage.threat_investigation.story.spot_files import safe_ip
from jupyter_lab import Notebook, lab, open_tab
from oa_work import sample_day
from threat_page import TOP

pytestmark = [
    pytest.mark.extra,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]

CELLS = [
    "import threat_page\nnb = threat_page.made('day')",
    "nb.start_investigation()",
    "'the end'",
]
TITLE = (
    """'; DROP TABLE flow_storyboard; -- "x" <img src=x onerror=alert(1)> $$\\alpha$$ 😀 {{7*7}}"""
)
ATTACK = "</textarea><script>alert(2)</script> `${alert(3)}` \\u202e é 😀 %s $1\n"
COMMENTS = (ATTACK * 2_000)[:99_999] + "!"
RECORD = """() => {
  window.messages = [];
  new MutationObserver(() => {
    for (const one of document.querySelectorAll(".ft-message")) {
      window.messages.push(one.innerText.trim());
    }
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
ROWS = """(table) => Array.from(table.tBodies[0].rows, (row) => Object.fromEntries(
  Array.from(row.cells, (cell, at) => [
    table.tHead.rows[0].cells[at].innerText.trim().split(/\\s/)[0],
    cell.dataset.sort ?? cell.innerText,
  ])
))"""
SAVED = "Saved stories and scores"
HOST, BEACON, SCAN, UPLOAD = (
    sample.HOST_IP,
    *(finding.peer for finding in (sample.BEACON, sample.SCAN, sample.UPLOAD)),
)


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    with lab(tmp_path, CELLS) as address:
        tab, trouble = open_tab(browser, address)
        tab.evaluate(RECORD)
        yield Notebook(tab), tmp_path / "work" / "day"
        assert tab.locator("img[src=x]").count() == 0
        tab.close()
    assert trouble == []


def listed(page: Any) -> list[str]:
    """Addresses in the list."""
    return [
        text.split()[0]
        for text in page.get_by_label("Candidates").locator("option").all_inner_texts()
    ]


def press(page: Any, name: str) -> None:
    """Press a button."""
    page.locator(".ft-box").get_by_role("button", name=re.compile(rf"\b{name}$")).click()


def wait_for_message(page: Any, text: str) -> None:
    """Wait until the page shows a message."""
    page.locator(".ft-message", has_text=text).wait_for(timeout=20_000)


def table(page: Any, title: str) -> list[dict[str, str]]:
    """Rows under a title."""
    heading = page.locator("h3", has_text=title)
    found = heading.locator("xpath=following::table[1]")
    rows: list[dict[str, str]] = found.evaluate(ROWS)
    return rows


def peers_by_sql(log: Path, ip: str, end: str) -> dict[str, tuple[int, int]]:
    """Connections and bytes of all peers at one end of the flows of an address."""
    other = "dst_ip" if end == "src_ip" else "src_ip"
    rows = duckdb.sql(
        f"""select {end}, sum(flows)::bigint,
                   sum(coalesce(src_bytes, 0) + coalesce(dst_bytes, 0))::bigint
            from read_parquet('{log}') where {other} = '{ip}' group by 1"""
    ).fetchall()
    return {peer: (count, size) for peer, count, size in rows}


def stories(day: Path, ip: str) -> list[dict[str, Any]]:
    """Stories of an address in the store."""
    store = FlowStore(f"duckdb:///{day}/flows.duckdb")
    return store.read("flow_storyboard", where={"ip_threat": ip}).to_pylist()


def test_by_mouse(opened: Any) -> None:
    notebook, day = opened
    tab = notebook.tab
    notebook.run(0)
    page = notebook.run(1)
    assert listed(page)[0] == HOST
    assert set(listed(page)[1:]) == {finding.peer for finding in sample.FINDINGS}
    notebook.picture("threat_1_start")

    press(page, "Search")
    wait_for_message(page, "no address given; choose one from the list or type one")
    page.locator("option", has_text=HOST).click()
    press(page, "Search")
    page.get_by_label("Comments").wait_for()
    wait_for_message(page, f"{HOST}: ")
    assert f"Searching the connections of {HOST} …" in tab.evaluate("window.messages")
    notebook.picture("threat_2_search")

    log = day / "log.parquet"
    sql = {end: peers_by_sql(log, HOST, end) for end in ("src_ip", "dst_ip")}
    for end, name in (("src_ip", "source"), ("dst_ip", "destination")):
        for at, title in enumerate(("by connections", "per bytes transfered")):
            rows = table(page, f"Top {TOP} {name} IP {title}")
            most = sorted((sums[at] for sums in sql[end].values()), reverse=True)[:TOP]
            shown = {row["peer"]: (int(row["connections"]), int(row["bytes"])) for row in rows}
            assert [sums[at] for sums in shown.values()] == most
            assert shown.items() <= sql[end].items()
    two_way = set(sql["src_ip"]) & set(sql["dst_ip"])
    expected = (set(sql["src_ip"]) - two_way, set(sql["dst_ip"]) - two_way, two_way)
    for name, peers in zip(("Inbound", "Outbound", "Two way"), expected, strict=True):
        assert {row["peer"] for row in table(page, f"{name} peers")} == peers
    flows, size = (
        sum(sums[at] for peers in sql.values() for sums in peers.values()) for at in (0, 1)
    )
    [(denied,)] = duckdb.sql(
        f"""select sum(denied_flows)::bigint from read_parquet('{log}')
            where '{HOST}' in (src_ip, dst_ip)"""
    ).fetchall()
    counts = f"{flows:,} allowed, {denied:,} denied flows, {size / 1e9:.1f} GB"
    assert counts in page.locator(".ft-message").inner_text()
    plot = page.locator(".bk-Figure").first
    plot.scroll_into_view_if_needed()
    plot.wait_for()
    notebook.picture("threat_3_timeline")
    plot.evaluate("(one) => one.setAttribute('data-same', '')")

    page.get_by_label("Risk").select_option(label="3 – low")
    page.get_by_role("combobox", name="Peer").fill(BEACON)
    press(page, "Score")
    wait_for_message(page, "285 connections scored 3")
    # The risk is in the column before the time of scoring.
    risks = page.locator("h3", has_text=SAVED).locator("xpath=following::table[1]//td[last()-3]")
    low = risks.filter(has_text=re.compile("^3$"))
    low.first.wait_for()
    assert page.locator(".bk-Figure[data-same]").count() == 1
    press(page, "Undo")
    wait_for_message(page, "Scores of 285 connections reverted.")
    low.first.wait_for(state="detached")
    assert risks.count() > 0
    page.get_by_role("combobox", name="Peer").fill("192.0.2.77")
    press(page, "Score")
    wait_for_message(page, "no connection matches")

    page.locator("option", has_text=BEACON).click()
    press(page, "Search")
    wait_for_message(page, f"{BEACON}: 285 distinct connections")
    page.get_by_label("Title").fill(TITLE)
    page.get_by_label("Comments").fill(COMMENTS)
    files = day / "data" / "flow" / f"{sample_day()[0]}"
    for what, ending in (("report", "html"), ("bundle", "zip")):
        press(page, f"Save {what}")
        wait_for_message(page, f"{what.capitalize()} of {BEACON} saved as {files}/story-")
        assert (files / f"story-{safe_ip(BEACON)}.{ending}").stat().st_size > 10_000
    notebook.picture("threat_3_files")
    press(page, "Save")
    wait_for_message(page, f"Story of {BEACON} on")
    assert page.get_by_label("Comments").count() == page.locator(".ft-table").count() == 0
    assert BEACON not in listed(page) and HOST in listed(page)
    [kept] = stories(day, BEACON)
    assert (kept["title"], kept["text"]) == (TITLE, COMMENTS)
    notebook.picture("threat_4_saved")

    page.get_by_label("Address").fill(BEACON)
    press(page, "Search")
    page.get_by_label("Comments").wait_for()
    assert page.get_by_label("Title").input_value() == TITLE
    assert page.get_by_label("Comments").input_value() == COMMENTS
    [row] = [row for row in table(page, SAVED) if row["ip_threat"] == BEACON]
    assert "<img src=x onerror=alert(1)>" in row["title"]
    notebook.picture("threat_5_kept")


def test_by_keyboard_alone(opened: Any) -> None:
    notebook, day = opened
    tab = notebook.tab
    notebook.run(0)
    page = notebook.run(1)
    page.get_by_label("Candidates").wait_for()

    def keys(*pressed: str) -> None:
        for key in pressed:
            tab.keyboard.press(key)

    def focused() -> str:
        text = "(one) => one.labels?.[0]?.innerText ?? one.innerText"
        return str(tab.evaluate_handle("document.activeElement").evaluate(text)).strip()

    keys("Shift+Tab", "Shift+Tab")
    assert focused() == "Address"
    tab.keyboard.type("no address")
    keys("Enter")
    wait_for_message(page, "'no address' is not one address")
    assert page.get_by_role("alert").count() == 1
    keys("Control+A")
    tab.keyboard.type(UPLOAD)
    keys("Enter")
    wait_for_message(page, f"{UPLOAD}: 96 distinct connections")
    assert page.locator(".ft-message").get_attribute("aria-live") == "polite"
    keys("Tab")
    assert focused() == "Search"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert tab.evaluate(outline) == "solid"
    keys("Tab")
    assert focused() == "Title"
    tab.keyboard.type("Upload at night")
    keys("Tab")
    assert focused() == "Comments"
    tab.keyboard.type("To whom?")
    keys("Enter")
    tab.keyboard.type("4.5 GB.")
    keys("Tab")
    assert focused() == "Save"
    keys("Tab")
    assert focused() == "Save report"
    keys("Enter")
    wait_for_message(page, f"Report of {UPLOAD} saved as")
    keys("Tab")
    assert focused() == "Save bundle"
    keys("Enter")
    wait_for_message(page, f"Bundle of {UPLOAD} saved as")
    keys("Tab", "ArrowDown", "Tab", "ArrowDown", "ArrowDown", "Tab")
    page.get_by_role("combobox", name="ASN").wait_for()
    assert focused() == "ASN"
    tab.keyboard.type("AS64496 nobody's")
    keys("Tab", "Enter")
    wait_for_message(page, "no connection matches")
    notebook.picture("threat_6_keyboard")
    keys(*["Shift+Tab"] * 6, "Enter")
    wait_for_message(page, f"Story of {UPLOAD} on")
    [kept] = stories(day, UPLOAD)
    assert (kept["title"], kept["text"]) == ("Upload at night", "To whom?\n4.5 GB.")
    assert UPLOAD not in listed(page)
    tab.wait_for_function("document.activeElement.tagName === 'SELECT'")
    assert focused() == "Candidates"

    keys("ArrowDown", "ArrowDown")
    keys("Tab")
    tab.wait_for_function("document.activeElement.value !== ''")
    second = listed(page)[1]
    keys("Enter")
    wait_for_message(page, f"{second}: ")
    keys("Tab", "Tab")
    tab.keyboard.type("not saved yet")
    keys("Shift+Tab", "Shift+Tab", "Control+A")
    tab.keyboard.type(UPLOAD)
    keys("Enter")
    wait_for_message(page, f"{UPLOAD}: ")
    keys("Tab", "Tab", "Tab")
    assert focused() == "Comments"
    assert page.get_by_label("Title").input_value() == "Upload at night"
    assert page.get_by_label("Comments").input_value() == "To whom?\n4.5 GB."
    keys("Shift+Tab", "Shift+Tab", "Shift+Tab", "Control+A")
    tab.keyboard.type(second)
    keys("Enter")
    wait_for_message(page, f"{second}: ")
    assert page.get_by_label("Title").input_value() == "not saved yet"
    assert "These changes are not saved." in page.inner_text()
