"""The page of an investigation: its buttons, without a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ipywidgets")

import flowtriage as ft
from flowtriage.errors import ArgumentError
from flowtriage.threat_investigation import open_bundle
from flowtriage.threat_investigation.display import View
from flowtriage.threat_investigation.widgets.boxes import (
    ScoreBox,
    SearchBox,
    StoryBox,
    parse_filter,
    suggestions,
)
from flowtriage.threat_investigation.widgets.view import WidgetView
from threat_work import HOSTILE, IP, IPV6, TWO_WAY, flow, investigation, suspicious, table

pytestmark = [pytest.mark.extra, pytest.mark.filterwarnings("ignore")]

FLOWS = table(
    flow(IP, "8.8.8.8", dst_bytes=7_000),
    flow(IP, "8.8.8.8", src_port=40001),
    flow(IP, "1.1.1.1"),
    flow(IPV6, IP, src_port=None, dst_port=None),
)


@pytest.fixture
def nb(tmp_path: Path) -> ft.FlowThreatInvestigation:
    """An investigation as in a notebook, with two addresses in the list."""
    made = investigation(tmp_path, FLOWS, silent=False)
    assert made.store is not None
    suspicious(made.store, *FLOWS.to_pylist())
    made.search(IP)
    made.score(1, peer=IPV6)
    made.view = WidgetView(made)
    made.start_investigation()
    return made


def box(nb: ft.FlowThreatInvestigation, kind: type) -> Any:
    """The only widget of a kind that is in the page."""
    found, [page] = [], [nb.view._page._box]  # type: ignore[attr-defined]
    waiting = [page]
    while waiting:
        widget = waiting.pop()
        found += [widget] if isinstance(widget, kind) else []
        waiting += getattr(widget, "children", ())
    [one] = found
    return one


def message(nb: ft.FlowThreatInvestigation) -> str:
    return str(nb.view._page._message.value)  # type: ignore[attr-defined]


def shown(nb: ft.FlowThreatInvestigation) -> str:
    page = nb.view._page  # type: ignore[attr-defined]
    outputs = (*page._results.outputs, *page._saved.outputs)
    return "".join(one["data"]["text/html"] for one in outputs)


def look_at(nb: ft.FlowThreatInvestigation, ip: str) -> None:
    search = box(nb, SearchBox)
    search.address.value = ip
    search.button.click()


def test_without_a_notebook_there_is_text() -> None:
    assert type(ft.FlowThreatInvestigation(FLOWS).view) is View


def test_search_save_and_start_again(nb: ft.FlowThreatInvestigation) -> None:
    search = box(nb, SearchBox)
    assert [ip for _, ip in search.listed.options] == [IP, IPV6]
    search.listed.value = IPV6
    search.button.click()
    assert f"{IPV6}: 1 distinct connection with 1 peer" in message(nb)
    assert "Top 20 source IP by connections" in shown(nb)
    assert nb.view.parts == ["controls", "threat_box"]
    story = box(nb, StoryBox)
    story.title.value, story.comments.value = "a < b", HOSTILE
    story.button.click()
    assert f"Story of {IPV6} on" in message(nb)
    assert nb.view.parts == ["controls"] and shown(nb) == ""
    assert [ip for _, ip in search.listed.options] == [IP]
    assert (search.listed.index, search.address.value) == (None, "")
    look_at(nb, IPV6.upper())
    story = box(nb, StoryBox)
    assert (story.title.value, story.comments.value) == ("a < b", HOSTILE)
    assert "&lt;script&gt;alert(1)" in shown(nb) and "<script>alert(1)" not in shown(nb)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", "no address given; choose one from the list or type one"),
        ("<img src=x>", "is not one address"),
        ("192.0.2.200", "192.0.2.200 does not occur in the flows searched"),
    ],
)
def test_errors_of_an_address_are_shown(
    nb: ft.FlowThreatInvestigation, typed: str, expected: str
) -> None:
    look_at(nb, typed)
    assert expected in message(nb)
    assert "<img" not in message(nb)


def test_all_errors_are_shown_and_text_stays(
    nb: ft.FlowThreatInvestigation, tmp_path: Path
) -> None:
    look_at(nb, IP)
    story = box(nb, StoryBox)
    story.button.click()
    assert "nothing to save" in message(nb) and 'role="alert"' in message(nb)
    story.title.value = "half \ud83d"
    story.button.click()
    assert "an unpaired surrogate" in message(nb)
    (tmp_path / "data").write_text("in the way")
    story.title.value = "whole"
    story.button.click()
    assert 'role="alert"' in message(nb) and "data" in message(nb)
    assert box(nb, StoryBox).title.value == "whole"
    assert nb.history().num_rows == 0


def test_report_and_bundle_have_the_content_of_the_fields(
    nb: ft.FlowThreatInvestigation, tmp_path: Path
) -> None:
    look_at(nb, IPV6)
    story = box(nb, StoryBox)
    story.title.value, story.comments.value = "a < b", HOSTILE
    place = tmp_path / "data" / "flow" / "2013-09-15" / "story-2606_4700__1"
    story.report.click()
    assert f"Report of {IPV6} saved as {place}.html. It contains unsaved changes." in message(nb)
    page = place.with_suffix(".html").read_text()
    assert "<h1>a &lt; b</h1>" in page and "<script>alert(1)" not in page
    story.bundle.click()
    assert f"Bundle of {IPV6} saved as {place}.zip. It contains unsaved changes." in message(nb)
    opened = open_bundle(place.with_suffix(".zip"))
    assert (opened.ip, opened.title, opened.text) == (IPV6, "a < b", HOSTILE)
    assert nb.history().num_rows == 0 and story.draft is not None
    story.button.click()
    look_at(nb, IPV6)
    box(nb, StoryBox).report.click()
    assert message(nb).endswith(f"{place}.html.</p>")


def test_errors_of_report_and_bundle_are_shown(
    nb: ft.FlowThreatInvestigation, tmp_path: Path
) -> None:
    look_at(nb, IP)
    story = box(nb, StoryBox)
    for button in (story.report, story.bundle):
        story.title.value = "half \ud83d"
        button.click()
        assert "an unpaired surrogate" in message(nb) and 'role="alert"' in message(nb)
        story.title.value = "whole"
        (tmp_path / "data").write_text("in the way")
        button.click()
        assert 'role="alert"' in message(nb) and str(tmp_path / "data") in message(nb)
        (tmp_path / "data").unlink()
        nb.search(IPV6)
        button.click()
        assert "another address was searched since then" in message(nb)
        nb.search(IP)
    assert not (tmp_path / "data").exists()


def test_story_is_saved_for_its_own_address(nb: ft.FlowThreatInvestigation) -> None:
    look_at(nb, IP)
    story = box(nb, StoryBox)
    story.title.value = "of the first"
    nb.search(IPV6)
    story.button.click()
    assert "another address was searched since then" in message(nb)
    assert nb.history().num_rows == 0


def test_what_is_not_saved_comes_back(nb: ft.FlowThreatInvestigation) -> None:
    look_at(nb, IP)
    box(nb, StoryBox).comments.value = "half a thought"
    look_at(nb, IPV6)
    assert box(nb, StoryBox).comments.value == ""
    nb.start_investigation()
    look_at(nb, IP)
    assert box(nb, StoryBox).comments.value == "half a thought"
    box(nb, StoryBox).button.click()
    look_at(nb, IP)
    assert box(nb, StoryBox).draft is None


@pytest.mark.parametrize(
    ("by", "which", "count"), [("peer", "8.8.8.8, 1.1.1.1", 3), ("port", "443", 3), ("asn", "", 2)]
)
def test_scores_are_written_and_reverted(
    nb: ft.FlowThreatInvestigation, by: str, which: str, count: int
) -> None:
    look_at(nb, IP)
    scores = box(nb, ScoreBox)
    scores.risk.value, scores.by.value = 2, by
    [google] = [
        one for one in suggestions(nb.search(IP).search, "asn") if one.startswith("AS15169 ")
    ]
    scores.which.value = which or google
    scores.button.click()
    assert f"{count} connections scored 2" in message(nb)
    assert nb.store is not None
    where = {"score": 2}
    assert nb.store.read("flow_threat_investigation", where=where).num_rows == count
    scores.undo.click()
    assert f"Scores of {count} connections reverted" in message(nb)
    assert nb.store.read("flow_threat_investigation", where=where).num_rows == 0


def test_the_table_of_scores_follows_what_is_scored(nb: ft.FlowThreatInvestigation) -> None:
    def scores() -> list[tuple[str, str, int]]:
        assert nb.result is not None
        frame = nb.result.scores  # type: ignore[attr-defined]
        return sorted(zip(frame["srcip"], frame["dstip"], frame["score"], strict=True))

    look_at(nb, IP)
    before, page = scores(), shown(nb)
    assert before == [(IPV6, IP, 1)] and "1.1.1.1" not in page.split(">Saved stories and scores")[1]
    found = nb.view._page._results.outputs  # type: ignore[attr-defined]
    box(nb, ScoreBox).which.value = "1.1.1.1"
    box(nb, ScoreBox).button.click()
    assert scores() == [(IP, "1.1.1.1", 1), *before]
    assert "1.1.1.1" in shown(nb).split(">Saved stories and scores")[1]
    assert [one.title for one in nb.result.sections].count("Saved stories and scores") == 1
    assert nb.view._page._results.outputs is found  # type: ignore[attr-defined]
    box(nb, ScoreBox).undo.click()
    assert scores() == before and shown(nb) == page
    nb.undo()
    assert scores() == [] and page.startswith(shown(nb))
    assert ">Saved stories and scores" not in shown(nb)


def test_suggestions_are_sorted_by_connections() -> None:
    found = ft.FlowThreatInvestigation(FLOWS, silent=True).search(IP).search
    assert suggestions(found, "peer")[0] == "8.8.8.8"
    assert suggestions(found, "port") == ("443", "40000", "40001")
    assert suggestions(found, "asn")[0].split()[0] == "AS15169"


@pytest.mark.parametrize(("by", "text"), [("peer", " "), ("port", "http"), ("asn", "Cloudflare")])
def test_invalid_filter_is_an_error(by: str, text: str) -> None:
    with pytest.raises(ArgumentError, match="choose one from the list or type one such as"):
        parse_filter(by, text)


def test_a_log_without_a_store_has_no_scores(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    nb = ft.FlowThreatInvestigation(FLOWS)
    nb.view = WidgetView(nb)
    nb.start_investigation()
    search = box(nb, SearchBox)
    assert search.listed.options[0][1] == IP
    look_at(nb, TWO_WAY)
    with pytest.raises(ValueError, match="not enough values"):
        box(nb, ScoreBox)
    box(nb, StoryBox).title.value = "no flows"
    box(nb, StoryBox).button.click()
    assert f"Story of {TWO_WAY}" in message(nb)


def test_the_page_moves_to_the_cell_that_asks(
    nb: ft.FlowThreatInvestigation, capsys: pytest.CaptureFixture[str]
) -> None:
    first = nb.view._page._box  # type: ignore[attr-defined]
    nb.search_ip(IP)
    assert "Top 20 source IP by connections" in capsys.readouterr().out
    assert "later cell" in first.children[0].value
    assert box(nb, SearchBox) and box(nb, StoryBox).ip == IP
    assert f"{IP}: 4 distinct connections" in message(nb)
    assert nb.view.parts == ["controls", "threat_box"]
    nb.removeWidget(1)
    assert nb.view.parts == ["controls"]
    with pytest.raises(ValueError, match="not enough values"):
        box(nb, StoryBox)


def test_press_arrives_with_the_values_of_the_fields(nb: ft.FlowThreatInvestigation) -> None:
    box(nb, SearchBox).event.value = json.dumps({"button": 0, "fields": [IP]})
    assert f"{IP}: 4 distinct connections" in message(nb)
    box(nb, ScoreBox).event.value = json.dumps({"button": 0, "fields": [2, 1, "443"]})
    assert "3 connections scored 3" in message(nb)
    box(nb, ScoreBox).event.value = json.dumps({"button": 1, "fields": [2, 1, "443"]})
    assert "Scores of 3 connections reverted" in message(nb)
    box(nb, StoryBox).event.value = json.dumps({"button": 2, "fields": ["a title", HOSTILE]})
    assert f"Bundle of {IP} saved as" in message(nb)
    box(nb, StoryBox).event.value = json.dumps({"button": 0, "fields": ["a title", HOSTILE]})
    assert nb.history(IP).to_pylist()[0]["text"] == HOSTILE


def test_silent_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    nb = ft.FlowThreatInvestigation(FLOWS, silent=True)
    nb.view = WidgetView(nb)
    nb.start_investigation()
    nb.search_ip(IP)
    assert nb.view.parts == ["controls", "threat_box"]
    assert capsys.readouterr().out == ""
