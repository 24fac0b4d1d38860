"""An investigation by list, fields and buttons, where a notebook shows widgets."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flowtriage.errors import ArgumentError, FlowtriageError
from flowtriage.render.notebook import in_notebook
from flowtriage.render.section import Section
from flowtriage.threat_investigation.display import DisplayMethods, View
from flowtriage.threat_investigation.result import FlowThreatResult

if TYPE_CHECKING:
    from flowtriage.threat_investigation.widgets.boxes import SearchBox, StoryBox
    from flowtriage.threat_investigation.widgets.page import Page


def make_view(investigation: DisplayMethods) -> View:
    """Make the view that the front end can show."""
    if in_notebook() and find_spec("ipywidgets"):
        return WidgetView(investigation)
    return View(investigation)


class WidgetView(View):
    """One page of widgets, which is where something was asked for last.

    What a button does is shown in the page, errors as well. What a cell asks for is shown in the
    output of that cell, and the page moves there.

    Parameters
    ----------
    investigation
        The notebooklet; its methods are what the buttons call.
    """

    def __init__(self, investigation: DisplayMethods) -> None:
        super().__init__(investigation)
        self._page: Page | None = None
        self._pressed = False
        self._one_at_a_time = Lock()
        self._done = ""
        self._search: SearchBox | None = None
        self._story: StoryBox | None = None
        self._drafts: dict[str, tuple[str, str]] = {}
        self._written = investigation.section("written").title

    def clear(self) -> None:
        """Remove everything."""
        super().clear()
        self._keep_draft()
        if self._page is not None:
            self._page.clear()

    def controls(self, threats: pa.Table) -> None:
        """Show the addresses to choose from."""
        from flowtriage.threat_investigation.widgets.boxes import SearchBox

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
        """Show what a search found: in the page after a button, else in the output of the cell."""
        if self._page is not None:
            self._page.show(result.sections[1:] if self._pressed else (), self._written)
        if not self._pressed:
            super().results(result)

    def refresh(self, result: FlowThreatResult) -> None:
        """Show stories and scores as they are now."""
        if self._page is not None:
            self._page.show_written(one for one in result.sections if one.title == self._written)

    def threat_box(self, ip: str) -> None:
        """Show title, comments and scores of an address."""
        from flowtriage.threat_investigation.widgets.boxes import ScoreBox, StoryBox, beside

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
            boxes.append(ScoreBox(result.found, self.press_score, self.press_undo))
        told = self.investigation.section("threat_box", f"The address is {ip}.")
        self._put("threat_box", beside(boxes), told)
        if result is not None:
            self.say(result.notice)

    def say(self, text: str) -> None:
        """Say what was done; of a button, when the page shows all of it."""
        if self._pressed:
            self._done = text
        elif self._page is None or self.investigation.silent:
            super().say(text)
        else:
            self._page.say(text)

    def remove(self, index: int) -> None:
        """Remove a part, counted from 0."""
        before = list(self.parts)
        super().remove(index)
        if self._page is not None:
            self._page.take(before[index])

    def press_search(self, ip: str) -> None:
        """Search an address, and say the sums."""

        def act() -> None:
            if not ip:
                raise ArgumentError("choose an address of the list, or type one")
            self.investigation.search_ip(ip)

        self._press(f"Searching the connections of {ip} …", act)

    def press_save(self) -> None:
        """Save the story, and start again."""
        notebooklet = self.investigation

        def act() -> None:
            box = self._story_of_latest()
            if not (box.title.value.strip() or box.comments.value.strip()):
                raise ArgumentError("there is nothing to save: write a title or comments")
            notebooklet.title, notebooklet.comments = box.title.value, box.comments.value
            notebooklet.save_threat_summary()
            self._drafts.pop(box.ip, None)

        self._press("Saving …", act)

    def press_report(self) -> None:
        """Save the story as a report, with what the fields hold."""
        self._press_file("report", self.investigation.save_report)

    def press_bundle(self) -> None:
        """Save the story as a bundle, with what the fields hold."""
        self._press_file("bundle", self.investigation.save_bundle)

    def press_score(self, risk: int, by: str, which: str) -> None:
        """Score connections."""
        from flowtriage.threat_investigation.widgets.boxes import chosen

        def act() -> None:
            done = self.investigation.score(risk, **chosen(by, which))
            if not len(done):
                raise ArgumentError("no connection of the address has that; nothing was scored")
            self.say(f"{done}. Undo takes it back.")

        self._press("Scoring …", act)

    def press_undo(self) -> None:
        """Take the latest score back."""

        def act() -> None:
            count = self.investigation.undo()
            self.say(f"The scores of {count:,} connections are taken back.")

        self._press("Taking back …", act)

    def _press_file(self, what: str, save: Callable[..., Path]) -> None:
        def act() -> None:
            box = self._story_of_latest()
            place = save(title=box.title.value, text=box.comments.value).absolute()
            told = f"The {what} of {box.ip} is saved as {place}."
            changes = " Your changes are in it, but not kept here yet: Save keeps them."
            self.say(told + changes if box.draft else told)

        self._press(f"Saving the {what} …", act)

    def _press(self, doing: str, act: Callable[[], None]) -> None:
        """Do what a button asks for; whatever goes wrong is said in the page."""
        page = self._page
        if page is None:
            return
        with self._one_at_a_time:  # a kernel may take messages in several threads
            page.say(doing, "busy")
            self._pressed, self._done = True, ""
            try:
                with page.held():
                    act()
                page.say(self._done)
            except Exception as error:
                known = isinstance(error, (FlowtriageError, OSError))
                page.say(str(error) if known else f"{type(error).__name__}: {error}", "wrong")
            finally:
                self._pressed = False

    def _put(self, name: str, part: Any, section: Section) -> None:
        """Put a part into the page; a cell that asks for it gets the page."""
        from flowtriage.threat_investigation.widgets.page import Page

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
        """Return the box of the story, if it is about the address that was searched last."""
        if self._story is None or self._result_of(self._story.ip) is None:
            raise ArgumentError("another address was searched since: search this one again")
        return self._story

    def _keep_draft(self) -> None:
        """Keep what was written and not saved, for the next time that its address is searched."""
        if self._story is not None and (draft := self._story.draft):
            self._drafts[self._story.ip] = draft
        self._story = None
