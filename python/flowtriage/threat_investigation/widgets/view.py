"""View as widgets, for notebooks that show them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa

from flowtriage.errors import ArgumentError, FlowtriageError
from flowtriage.humanize import counted
from flowtriage.render.notice import Notice
from flowtriage.render.section import Section
from flowtriage.threat_investigation.display import DisplayMethods, View
from flowtriage.threat_investigation.result import FlowThreatResult
from flowtriage.threat_investigation.widgets.boxes import (
    ScoreBox,
    SearchBox,
    StoryBox,
    parse_filter,
    row,
)
from flowtriage.threat_investigation.widgets.page import Page


class WidgetView(View):
    """View as one page of widgets, in the output of the latest cell that requested it.

    Results and errors of a button are shown in the page; results of a cell are shown in the
    output of the cell, and the page moves there.
    """

    def __init__(self, investigation: DisplayMethods) -> None:
        super().__init__(investigation)
        self._page: Page | None = None
        self._pressed = False
        self._lock = Lock()
        self._done = ""
        self._search: SearchBox | None = None
        self._story: StoryBox | None = None
        self._drafts: dict[str, tuple[str, str]] = {}
        self._saved_title = investigation.section("written").title

    def clear(self) -> None:
        """Remove all parts, and keep an unsaved draft."""
        super().clear()
        self._keep_draft()
        if self._page is not None:
            self._page.clear()

    def controls(self, threats: pa.Table) -> None:
        """Show a list of addresses."""
        if self.investigation.silent:
            super().controls(threats)
            return
        section = self._listing(threats)
        if self._search is None:
            self._search = SearchBox(self.press_search)
        self._search.fill(section.title, threats)
        self._put("controls", self._search, section)
        if self._pressed:
            self._search.listed.focus()

    def results(self, result: FlowThreatResult) -> None:
        """Show the result of a search: of a button in the page, of a cell in its output."""
        if self._page is not None:
            shown = [*_of_notice(result), *result.sections[1:]] if self._pressed else ()
            self._page.show(shown, self._saved_title)
        if not self._pressed:
            super().results(result)

    def refresh(self, result: FlowThreatResult) -> None:
        """Update the displayed stories and scores."""
        if self._page is not None:
            self._page.show_saved(one for one in result.sections if one.title == self._saved_title)

    def threat_box(self, ip: str) -> None:
        """Show the forms for story and scores of an address."""
        if self.investigation.silent:
            super().threat_box(ip)
            return
        self._keep_draft()
        history = self.investigation.history(ip)
        presses = (self.press_save, self.press_report, self.press_bundle)
        self._story = StoryBox(ip, history, self._drafts.get(ip), *presses)
        boxes: list[Any] = [self._story]
        result = self._result_of(ip)
        if result is not None and self.investigation.store is not None:
            boxes.append(ScoreBox(result.search, self.press_score, self.press_undo))
        section = self.investigation.section("threat_box", f"Address: {ip}")
        self._put("threat_box", row(boxes, "ft-row"), section)
        if result is not None:
            self.message(result.summary)

    def message(self, text: str) -> None:
        """Show a message; that of a button once the page shows its result."""
        if self._pressed:
            self._done = text
        elif self._page is None or self.investigation.silent:
            super().message(text)
        else:
            self._page.message(text)

    def remove(self, index: int) -> None:
        """Remove a part by its index, from 0."""
        before = list(self.parts)
        super().remove(index)
        if self._page is not None:
            self._page.remove(before[index])

    def press_search(self, ip: str) -> None:
        """Search an address."""

        def act() -> None:
            if not ip:
                raise ArgumentError("no address given; choose one from the list or type one")
            self.investigation.search_ip(ip)

        self._press(f"Searching the connections of {ip} …", act)

    def press_save(self) -> None:
        """Save the story, and start a new investigation."""
        notebooklet = self.investigation

        def act() -> None:
            box = self._story_of_latest()
            if not (box.title.value.strip() or box.comments.value.strip()):
                raise ArgumentError("nothing to save; enter a title or comments")
            notebooklet.title, notebooklet.comments = box.title.value, box.comments.value
            notebooklet.save_threat_summary()
            self._drafts.pop(box.ip, None)

        self._press("Saving …", act)

    def press_report(self) -> None:
        """Save the content of the fields as a report."""
        self._press_file("report", self.investigation.save_report)

    def press_bundle(self) -> None:
        """Save the content of the fields as a bundle."""
        self._press_file("bundle", self.investigation.save_bundle)

    def press_score(self, risk: int, by: str, text: str) -> None:
        """Score connections."""

        def act() -> None:
            done = self.investigation.score(risk, **parse_filter(by, text))
            if not len(done):
                raise ArgumentError("no connection matches; nothing was scored")
            self.message(f"{done}. Undo reverts it.")

        self._press("Scoring …", act)

    def press_undo(self) -> None:
        """Revert the latest score."""

        def act() -> None:
            count = self.investigation.undo()
            self.message(f"Scores of {counted(count, 'connection')} reverted.")

        self._press("Reverting …", act)

    def _press_file(self, what: str, save: Callable[..., Path]) -> None:
        def act() -> None:
            box = self._story_of_latest()
            path = save(title=box.title.value, text=box.comments.value).absolute()
            saved = f"{what.capitalize()} of {box.ip} saved as {path}."
            unsaved = " It contains unsaved changes."
            self.message(saved + unsaved if box.draft else saved)

        self._press(f"Saving the {what} …", act)

    def _press(self, busy: str, act: Callable[[], None]) -> None:
        """Run the action of a button, and show its message or error in the page."""
        page = self._page
        if page is None:
            return
        with self._lock:  # a kernel can process messages in several threads
            page.message(busy, "busy")
            self._pressed, self._done = True, ""
            try:
                with page.batch_changes():
                    act()
                page.message(self._done)
            except Exception as error:
                known = isinstance(error, (FlowtriageError, OSError))
                text = str(error) if known else f"{type(error).__name__}: {error}"
                page.message(text, "error")
            finally:
                self._pressed = False

    def _put(self, name: str, part: Any, section: Section) -> None:
        """Show a part in the page; a cell that requests one gets the page."""
        if name not in self.parts:
            self.parts.append(name)
        if self._page is None or not self._pressed:
            page = Page("controls")
            if self._page is not None:
                page.take_over(self._page)
            page.display(section)
            self._page = page
        self._page.put(name, part)

    def _result_of(self, ip: str | None) -> FlowThreatResult | None:
        result = self.investigation.result
        return result if isinstance(result, FlowThreatResult) and result.ip == ip else None

    def _story_of_latest(self) -> StoryBox:
        """Return the form of the story, if it is that of the latest search."""
        if self._story is None or self._result_of(self._story.ip) is None:
            raise ArgumentError("another address was searched since then; search this one again")
        return self._story

    def _keep_draft(self) -> None:
        """Keep unsaved title and comments for the next search of their address."""
        if self._story is not None and (draft := self._story.draft):
            self._drafts[self._story.ip] = draft
        self._story = None


def _of_notice(result: FlowThreatResult) -> list[Section]:
    """Return the notice under the heading of a result as a section of its own."""
    notices = [one for one in result.sections[0].contents if isinstance(one, Notice)]
    return [Section(one.title, contents=(one,)) for one in notices]
