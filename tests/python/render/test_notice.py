"""A notice: text for terminals, HTML for notebooks and pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowtriage.render import write_page
from flowtriage.render.notebook import as_text, bundle
from flowtriage.render.notice import Notice
from flowtriage.render.section import Section

HOSTILE = "<script>alert(1)</script> $x$ \u202e\x1b"
NOTICE = Notice(
    "Quality of the flows",
    {"Bad rows": f"201 of 360 rows could not be used; the first: {HOSTILE}"},
    "The whole report (result.report)",
    {"Source": "conn.log", "Rows read": "360", HOSTILE: HOSTILE},
    [f"conn.log, line 9: {HOSTILE}", "conn.log, line 10: 'many' is no port"],
)
SECTION = Section("Host", "Text.", 1, ("10.20.0.5: 159 of 159 records.", NOTICE))


def test_text_has_the_facts_and_where_the_rest_is() -> None:
    text = as_text(SECTION)
    assert "Quality of the flows:\n  Bad rows: 201 of 360 rows" in text
    assert text.endswith("(result.report)")
    assert "Rows read" not in text
    assert "\x1b" not in text and "\u202e" not in text


def test_html_escapes_everything() -> None:
    made = bundle(NOTICE, "Host", with_bokeh=False)
    assert made is not None
    rich = made["text/html"]
    assert "<script" not in rich
    assert "&lt;script&gt;" in rich
    assert "mathjax_ignore" in rich
    assert rich.index("201 of 360") < rich.index("<details>") < rich.index("Rows read")
    assert made["text/plain"] == NOTICE.as_text()


@pytest.mark.extra
@pytest.mark.browser
@pytest.mark.parametrize("width", [1200, 380])
def test_the_report_is_one_click_away(browser: Any, tmp_path: Path, width: int) -> None:
    path = write_page([SECTION], tmp_path / "page.html", title="Host", summary={})
    page = browser.new_page(viewport={"width": width, "height": 700})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.goto(path.as_uri())
    assert page.get_by_text("201 of 360").is_visible()
    assert not page.get_by_text("Rows read").is_visible()
    page.get_by_text("The whole report").click()
    assert page.get_by_text("Rows read").is_visible()
    assert page.get_by_text("'many' is no port").is_visible()
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0
    assert problems == []
    page.close()
