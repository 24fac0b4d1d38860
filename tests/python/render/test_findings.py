"""Lists of findings: order, folds, escaping, pictures, links."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtriage.render import write_page
from flowtriage.render.findings import (
    FOLDED,
    IN_TEXT,
    IN_VIEW,
    OF_A_KIND,
    FindingCard,
    FindingList,
    TableLink,
)
from flowtriage.render.notebook import as_text, bundle
from flowtriage.render.section import Section
from flowtriage.render.sparkline import Sparkline
from html_page import Page

HOSTILE = "</p></script><script>alert(1)</script>\"><img src=x onerror=alert(1)>'&amp;\u202e\x1b"
SHOWN = HOSTILE.replace("\u202e", "\\u202e").replace("\x1b", "\\x1b")


def cards(severity: str, kind: str, count: int) -> list[FindingCard]:
    return [FindingCard(severity, kind, f"{kind} {severity} {at}.") for at in range(count)]


def listed(*groups: tuple[str, str, int]) -> FindingList:
    every = [card for group in groups for card in cards(*group)]
    counts = {(severity, kind): count for severity, kind, count in groups}
    return FindingList(every, counts, "result.findings has all of them.")


def sentences(page: Page, *, folded: bool) -> list[str]:
    """Return the sentences of the findings in view, or those in folds."""
    found = []
    for tag, attrs, parts in page.tags:
        if tag == "div" and attrs.get("class") == "ft-list":
            found.append("".join(parts))
    return found[1:] if folded else found[:1]


def test_a_few_findings_are_all_in_view() -> None:
    made = listed(("high", "Beacon", 1), ("warning", "Upload", 2))
    page = Page(made.as_html())
    [view] = sentences(page, folded=False)
    assert sentences(page, folded=True) == []
    places = [view.index(text) for text in ("Beacon high 0.", "Upload warning 0.", "warning 1.")]
    assert places == sorted(places)
    assert page.texts("p")[0] == "3 findings: 1 high, 2 warning"
    assert "more" not in "".join(page.texts("summary"))


def test_information_folds_even_alone() -> None:
    page = Page(listed(("information", "Rare network", 1)).as_html())
    assert page.texts("summary")[0] == "information 1Rare network 1"
    assert page.texts("p")[0] == "1 finding: 1 information"


def test_hundreds_fold_by_severity_and_each_kind_stays_in_view() -> None:
    groups = [("high", "Beacon", 2), ("warning", "Port scan", 250), ("warning", "Upload", 8)]
    made = listed(*groups, ("information", "Rare network", 40))
    page = Page(made.as_html())
    [view] = sentences(page, folded=False)
    assert view.count("high") == 2 * 2
    assert [view.count(kind) for kind in ("Beacon ", "Port scan ", "Upload ")] == [
        2,
        OF_A_KIND,
        OF_A_KIND,
    ]
    warnings, information = sentences(page, folded=True)
    assert warnings.count("Evidence") == FOLDED
    assert "Port scan warning 3." in warnings
    assert "Port scan warning 2." not in warnings
    assert information.count("Evidence") == 40
    folds = [text for text in page.texts("summary") if "Evidence" not in text]
    assert folds == ["warning 252 morePort scan 247, Upload 5", "information 40Rare network 40"]
    assert f"… {252 - FOLDED:,} more. result.findings has all of them." in page.texts("p")
    assert page.texts("p")[0] == "300 findings: 2 high, 258 warning, 40 information"


def test_no_more_than_ten_are_in_view() -> None:
    kinds = [("warning", f"Kind {at}", 3) for at in range(6)]
    [view] = sentences(Page(listed(*kinds).as_html()), folded=False)
    assert view.count("Evidence") == IN_VIEW


def test_text_has_severity_and_sentence_and_what_is_left() -> None:
    made = listed(("high", "Beacon", 1), ("information", "Rare network", 30))
    lines = made.as_text().split("\n")
    assert lines[:3] == [
        "31 findings: 1 high, 30 information.",
        "HIGH         Beacon high 0.",
        "INFORMATION  Rare network information 0.",
    ]
    assert len(lines) == 1 + IN_TEXT + 1
    assert lines[-1] == "… 11 more. result.findings has all of them."


@pytest.mark.extra
def test_everything_is_escaped(tmp_path: Path) -> None:
    card = FindingCard(
        severity=HOSTILE,
        detector=HOSTILE,
        summary=HOSTILE,
        remarks=[HOSTILE],
        technique=HOSTILE,
        evidence=[(HOSTILE, HOSTILE, HOSTILE)],
        facts={HOSTILE: HOSTILE},
        links=[TableLink(HOSTILE, HOSTILE, HOSTILE)],
        sparkline=Sparkline((1.0,), HOSTILE, HOSTILE, HOSTILE, HOSTILE),
    )
    made = FindingList([card], {("high", HOSTILE): 1, ("information", HOSTILE): 900}, HOSTILE)
    file = write_page(
        [Section("Findings", contents=(made,))], tmp_path / "r.html", title="T", summary={}
    )
    page = Page(file.read_text(encoding="utf-8"))
    assert "img" not in [tag for tag, *_ in page.tags]
    assert not any("alert" in text for text in page.texts("script"))
    assert not any(name.startswith("on") for _, attrs, _ in page.tags for name in attrs)
    assert page.texts("td").count(SHOWN) == 3
    assert page.attributes("data-ft-filter") == page.attributes("data-ft-table") == [SHOWN]
    assert not [link for link in page.attributes("href") if "mitre" in link]
    rich = bundle(made, "Findings", with_bokeh=False)
    assert rich is not None
    assert "<script>alert" not in rich["text/html"]
    assert "\x1b" not in rich["text/plain"] and "\u202e" not in rich["text/plain"]


def test_techniques_link_to_their_page() -> None:
    page = Page(FindingCard("high", "Sweep", "Text.", technique="T1595.001").as_html())
    assert page.attributes("href") == ["https://attack.mitre.org/techniques/T1595/001/"]
    assert page.attributes("rel") == ["noopener noreferrer"]
    assert "ATT&CK T1595.001" in page.texts("a")


@pytest.mark.extra
def test_links_lead_to_sections_of_the_page(tmp_path: Path) -> None:
    card = FindingCard("high", "Beacon", "Text.", links=[TableLink("Index", "Flow Index.", "x")])
    made = FindingList([card], {("high", "Beacon"): 1})
    sections = [
        Section("Findings", contents=(made,)),
        Section("Flow Index."),
        Section("Flow Index"),
    ]
    file = write_page(sections, tmp_path / "r.html", title="T", summary={})
    page = Page(file.read_text(encoding="utf-8"))
    ids = [name for name in page.attributes("id") if name.startswith("ft-")]
    assert ids == ["ft-findings", "ft-flow-index", "ft-flow-index-2"]
    links = [(attrs.get("href"), "".join(text)) for tag, attrs, text in page.tags if tag == "a"]
    assert ("#ft-flow-index", "Index") in links


def test_a_picture_has_bars_and_a_text() -> None:
    page = Page(Sparkline((0, 4, 1), "flows per 5 min", "10:00", "10:15", "4").as_html())
    [path] = page.attributes("d")
    assert path == "M4 32v-32h3v32zM8 32v-8h3v8z"
    [label] = page.attributes("aria-label")
    assert label == "flows per 5 min from 10:00 to 10:15: in 2 of 3 intervals, at most 4"
    assert page.attributes("role") == ["img"]
    assert "script" not in [tag for tag, *_ in page.tags]


def test_sections_show_findings_as_text() -> None:
    text = as_text(Section("Findings", contents=(listed(("high", "Beacon", 1)),)))
    assert text.endswith("1 finding: 1 high.\nHIGH         Beacon high 0.")
