"""Findings in a real Chromium: links filter tables, folds open, nothing is wider than the page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("msticpy")
pytest.importorskip("playwright")

import flowtriage as ft
from flowtriage import sample
from many_findings import SERVER, flood, scanned

pytestmark = [
    pytest.mark.extra,
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of reports of the sample, of hundreds of findings, and of a flood."""
    folder = tmp_path_factory.mktemp("reports")
    options = {"options": ["findings", "flow_summary", "resolve_host"], "silent": True}
    runs = {
        "few": (sample.HOST_NAME, sample.office_day()),
        "many": (SERVER, scanned(300)),
        "flood": (SERVER, flood(2_000)),
    }
    made = {}
    for name, (host, data) in runs.items():
        internal = ["10.0.0.0/8", "fd4c:7a1e:93b2:30::/64", f"{SERVER}/32"]
        result = ft.NetworkFlowSummary().run(host, data=data, internal=internal, **options)
        made[name] = result.write_html(folder / f"{name}.html").as_uri()
    return made


@pytest.fixture(params=[1280, 480])
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    tab = browser.new_page(viewport={"width": request.param, "height": 900})
    problems: list[str] = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("console", lambda told: problems.append(told.text) if told.type == "error" else None)
    yield tab
    assert tab.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert problems == []
    tab.close()


def picture(page: Any, name: str) -> None:
    if folder := os.environ.get("FLOWTRIAGE_PICTURES"):
        width = page.viewport_size["width"]
        page.screenshot(path=Path(folder) / f"findings_{name}_{width}.png", full_page=True)


def table(page: Any, label: str) -> Any:
    return page.locator(".ft-table", has=page.locator(f'[aria-label="{label}"]'))


def test_links_filter_tables_and_evidence_opens(page: Any, reports: dict[str, str]) -> None:
    page.goto(reports["few"])
    beacon = page.locator(".ft-finding", has_text=sample.BEACON.peer).first
    assert not beacon.get_by_text("regular gaps").is_visible()
    beacon.get_by_text("Evidence", exact=True).first.click()
    assert beacon.get_by_text("regular gaps").is_visible()
    assert beacon.get_by_role("img").get_attribute("aria-label").startswith("flows per 20 min")
    picture(page, "few")
    beacon.get_by_role("link", name="Flow index").click()
    index = table(page, "Flow Index.")
    assert index.get_by_role("searchbox").input_value() == f'"{sample.BEACON.peer}"'
    rows = index.locator("tbody tr:visible")
    assert rows.count() == 1
    assert sample.BEACON.peer in rows.inner_text()
    beacon.get_by_role("link", name="Summary by AS").click()
    rows = table(page, "Flow Summary with ASN details.").locator("tbody tr:visible")
    assert rows.count() == 1
    assert f"AS{sample.BEACON.asn}" in rows.inner_text()


def test_a_filter_in_quotes_matches_whole_addresses(page: Any, reports: dict[str, str]) -> None:
    page.goto(reports["few"])
    index = table(page, "Flow Index.")
    rows, search = index.locator("tbody tr:visible"), index.get_by_role("searchbox")
    search.fill("10.20.0.1")
    assert rows.count() > 0
    search.fill('"10.20.0.1"')
    assert rows.count() == 0
    search.fill('"10.20.0.10"')
    assert rows.count() > 0
    summary = table(page, "Flow Summary with ASN details.")
    summary.get_by_role("searchbox").fill('"10.20.0.10"')
    assert summary.locator("tbody tr:visible").count() > 0


def test_hundreds_fold(page: Any, reports: dict[str, str]) -> None:
    page.goto(reports["many"])
    findings = page.locator(".ft-findings")
    shown = findings.locator(".ft-finding:visible")
    assert shown.count() == 4
    fold = findings.locator("> details > summary").first
    assert "297 more" in fold.inner_text()
    picture(page, "many")
    fold.click()
    assert shown.count() == 4 + 100
    assert page.get_by_text("… 197 more. result.findings has all of them.").is_visible()


def test_a_flood_is_a_row_that_opens(page: Any, reports: dict[str, str]) -> None:
    page.goto(reports["flood"])
    index = table(page, "Flow Index.")
    assert index.locator(".ft-count").inner_text() == "21 rows"
    forged = index.locator("td details li")
    assert not forged.first.is_visible()
    index.get_by_text("2,000 addresses").click()
    assert forged.first.is_visible()
    picture(page, "flood")
    index.get_by_role("searchbox").fill(f'"{forged.first.inner_text()}"')
    assert index.locator("tbody tr:visible").count() == 1


def test_without_javascript_findings_can_be_read(browser: Any, reports: dict[str, str]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(reports["few"])
    first = page.locator(".ft-finding").first
    first.get_by_text("Evidence", exact=True).first.click()
    assert first.locator("table").first.is_visible()
    first.get_by_role("link", name="Flow index").click()
    assert page.url.endswith("#ft-flow-index")
    context.close()
