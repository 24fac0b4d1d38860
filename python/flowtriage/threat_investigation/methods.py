"""What an investigation finds and keeps, as data."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from flowtriage.errors import ArgumentError, MsticnbMissingParameterError
from flowtriage.inputs.hosts import parse_single_address
from flowtriage.msticnb import as_theirs
from flowtriage.notebooklet import Notebooklet
from flowtriage.store import FlowStore
from flowtriage.threat_investigation.investigation import Investigation, story_of
from flowtriage.threat_investigation.result import FlowThreatResult, written
from flowtriage.threat_investigation.scoring import BulkScore
from flowtriage.threat_investigation.search import check_top
from flowtriage.threat_investigation.stories import Saved
from flowtriage.threat_investigation.story import Story
from flowtriage.threat_investigation.story.spot_files import story_file


class DataMethods(Notebooklet):
    """The methods that return data and show nothing; front ends are built on them."""

    store: FlowStore | None
    _engine: Investigation | None
    _top: int

    @property
    def top_results(self) -> int:
        """Number of peers in each table and in the timeline of the next search."""
        return self._top

    @top_results.setter
    def top_results(self, top: int) -> None:
        check_top(top)
        self._top = top
        if self._engine is not None:
            self._engine.top = top

    @property
    def engine(self) -> Investigation:
        """The investigation without its display.

        Raises
        ------
        MsticnbMissingParameterError
            If there are no flows to search.
        """
        if self._engine is None:
            raise as_theirs(
                MsticnbMissingParameterError(
                    "there are no flows to search: give a store or flows to "
                    "FlowThreatInvestigation(…), data= to run(), or load a provider with "
                    "flowtriage.init(…) and give timespan="
                )
            )
        return self._engine

    @property
    def day(self) -> date:
        """The day that scores and stories belong to, in UTC."""
        return self.engine.day

    def threats(self) -> pa.Table:
        """Return the addresses of connections of high risk that have no story yet.

        Returns
        -------
        pyarrow.Table
            `ip`, `connections` (scored 1), `as_source`, `as_destination`, those with the most
            first. Empty without a store.
        """
        return self.engine.threats()

    def talkers(self) -> pa.Table:
        """Return the addresses that began the most flows, of flows that are given.

        Returns
        -------
        pyarrow.Table
            `ip` and `connections`. Empty for the raw flows of a store.
        """
        return self.engine.talkers()

    def search(self, ip: Any, timespan: Any = None) -> FlowThreatResult:
        """Search the connections of an address, and show nothing.

        Parameters
        ----------
        ip
            The address.
        timespan
            As for `run`.

        Returns
        -------
        FlowThreatResult
            What was found.
        """
        self.run(ip, timespan=timespan, silent=True)
        return self._latest()

    def history(self, ip: str | None = None) -> pa.Table:
        """Return the stories that were saved of the day, or of one address.

        Parameters
        ----------
        ip
            The address; None takes all of the day.

        Returns
        -------
        pyarrow.Table
            `ip_threat`, `title`, `text` and `saved` (when, UTC), the latest first.
        """
        return self.engine.history(None if ip is None else parse_single_address(ip))

    def save(self, title: str, text: str) -> Saved:
        """Save the story of the address that was searched last, its timeline, and its files.

        Parameters
        ----------
        title, text
            What was found. They are kept as they are: in the store, or in a file without one.

        Returns
        -------
        Saved
            When and where.

        Raises
        ------
        ArgumentError
            If nothing was searched yet, or a text has a character that no store keeps.
        StoreError
            If the store cannot be changed; then nothing is.
        OSError
            If a file cannot be written; then nothing is stored.
        """
        return self.engine.save(self._latest().found, title, text)

    def score(
        self,
        risk: int,
        *,
        peer: str | Iterable[str] | None = None,
        port: int | Iterable[int] | None = None,
        asn: int | Iterable[int] | None = None,
    ) -> BulkScore:
        """Score connections of the address that was searched last.

        Parameters
        ----------
        risk
            1 high, 2 medium, 3 low.
        peer, port, asn
            Which connections: address of the peer, port at either end, number of the peer's
            autonomous system; one or several. All that are given have to be met.

        Returns
        -------
        BulkScore
            Its length is the number of connections.

        Raises
        ------
        ArgumentError
            If nothing was searched yet, there is no store, nothing says which connections, or
            the risk is none.
        StoreError
            If the store cannot be changed.
        """
        found = self._latest().found
        done = self.engine.score(found, risk, peer=peer, port=port, asn=asn)
        self._renew_scores()
        return done

    def undo(self) -> int:
        """Take back the latest `score`; connections have the scores again that they had before.

        Returns
        -------
        int
            Number of connections whose score was taken back. What somebody else scored since
            stays.

        Raises
        ------
        ArgumentError
            If nothing was scored with this instance.
        """
        count = self.engine.undo()
        self._renew_scores()
        return count

    def story(self, title: str | None = None, text: str | None = None) -> Story:
        """Return the story of the address that was searched last, to be written or drawn.

        Parameters
        ----------
        title, text
            What is told of it; None takes what was saved last.

        Returns
        -------
        Story
            What was found, and the title and text. Its `write_html` writes a report, its
            `write_bundle` an archive that `open_bundle` opens elsewhere.

        Raises
        ------
        ArgumentError
            If nothing was searched yet, or a text has a character that no file keeps.
        StoreError
            If the store cannot be read.
        OSError
            If a file that the story was made of cannot be read.
        """
        return story_of(self.engine, self._latest().found, title, text)

    def save_report(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        title: str | None = None,
        text: str | None = None,
    ) -> Path:
        """Save the story of the address that was searched last as one HTML page.

        Parameters
        ----------
        path
            The file; it is replaced as a whole or not at all. None takes `story-<ip>.html`
            beside the other files about the address.
        title, text
            As for `story`.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ArgumentError, StoreError
            As for `story`.
        MissingExtraError
            If bokeh or jinja2 is not installed.
        OSError
            If the file cannot be written, or one that the story was made of cannot be read.
        """
        return self.story(title, text).write_html(self._place(path, "html"))

    def save_bundle(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        title: str | None = None,
        text: str | None = None,
    ) -> Path:
        """Save the story of the address that was searched last as an archive for other analysts.

        `flowtriage.threat_investigation.open_bundle` opens it.

        Parameters
        ----------
        path
            The file; None takes `story-<ip>.zip`, as `save_report` does.
        title, text
            As for `story`.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ArgumentError, MissingExtraError, StoreError, OSError
            As for `save_report`.
        """
        return self.story(title, text).write_bundle(self._place(path, "zip"))

    def _place(self, path: str | os.PathLike[str] | None, suffix: str) -> Path:
        if path is not None:
            return Path(path)
        place = story_file(self.engine.folder, self._latest().ip, suffix)
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _renew_scores(self) -> None:
        """Bring the latest result up to date with what was scored since."""
        result = self._result
        if isinstance(result, FlowThreatResult):
            result.scores = self.engine.scores(result.ip).to_pandas()
            if "written" in self._context["options"]:
                title = self.section("written").title
                others = [section for section in result.sections if section.title != title]
                result.sections[:] = [*others, *written(type(self), result)]

    def _latest(self) -> FlowThreatResult:
        if not isinstance(self._result, FlowThreatResult):
            raise ArgumentError("no address was searched yet: use search_ip() or run() first")
        return self._result
