"""Methods of the notebooklet that return data."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from flowtriage.errors import ArgumentError, MsticnbMissingParameterError
from flowtriage.inputs.addresses import HostsLike
from flowtriage.inputs.hosts import parse_single_address
from flowtriage.inputs.timespan import TimespanLike
from flowtriage.msticnb import as_theirs
from flowtriage.notebooklet import Notebooklet
from flowtriage.store import FlowStore
from flowtriage.threat_investigation.investigation import Investigation, make_story
from flowtriage.threat_investigation.result import FlowThreatResult, saved_sections
from flowtriage.threat_investigation.scoring import BulkScore, Integers
from flowtriage.threat_investigation.search import check_top
from flowtriage.threat_investigation.stories import Saved
from flowtriage.threat_investigation.story import Story
from flowtriage.threat_investigation.story.spot_files import safe_ip

if TYPE_CHECKING:
    from msticpy.datamodel.entities import IpAddress


class DataMethods(Notebooklet):
    """Methods that return data and display nothing; front ends build on them."""

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
        """The investigation without display; an error if there are no flows to search."""
        if self._engine is None:
            raise as_theirs(
                MsticnbMissingParameterError(
                    "no flows to search; give a store or flows to FlowThreatInvestigation(…), "
                    "data= to run(), or load a provider with flowtriage.init(…) and give "
                    "timespan="
                )
            )
        return self._engine

    @property
    def day(self) -> date:
        """Day of scores and stories, in UTC."""
        return self.engine.day

    def threats(self) -> pa.Table:
        """Return the addresses of high-risk connections that have no story.

        Returns
        -------
        pyarrow.Table
            `ip`, `connections` (allowed flows of the connections scored 1), `as_source` and
            `as_destination` (parts of them), and `denied_connections` (denied flows), sorted by
            flows, descending. Empty without a store.
        """
        return self.engine.threats()

    def talkers(self) -> pa.Table:
        """Return the top initiators of loaded flows that have no story.

        Returns
        -------
        pyarrow.Table
            `ip` and `connections` (allowed flows). Empty for raw flows and query providers.
        """
        return self.engine.talkers()

    def search(self, ip: str | IpAddress, timespan: TimespanLike | None = None) -> FlowThreatResult:
        """Search the connections of an address without display.

        Parameters
        ----------
        ip
            The address, or a msticpy `IpAddress`.
        timespan
            As in `run`.

        Returns
        -------
        FlowThreatResult
            Connections and peers of the address.
        """
        self.run(ip, timespan=timespan, silent=True)
        return self._latest()

    def history(self, ip: str | None = None) -> pa.Table:
        """Return the saved stories of the day or of one address.

        Parameters
        ----------
        ip
            The address; None means all of the day.

        Returns
        -------
        pyarrow.Table
            `ip_threat`, `title`, `text` and `saved` (UTC), latest first.
        """
        return self.engine.history(None if ip is None else parse_single_address(ip))

    def save(self, title: str, text: str) -> Saved:
        """Save story, timeline and files of the latest search.

        Parameters
        ----------
        title, text
            The story, saved verbatim in the store, or in a file without a store.

        Returns
        -------
        Saved
            Time and storage.

        Raises
        ------
        ArgumentError
            If there is no search, or title or text contain a NUL character or an unpaired
            surrogate.
        StoreError
            If the store cannot be changed; the transaction is rolled back.
        OSError
            If a file cannot be written; nothing is stored.
        """
        return self.engine.save(self._latest().search, title, text)

    def score(
        self,
        risk: int,
        *,
        peer: HostsLike | None = None,
        port: Integers | None = None,
        asn: Integers | None = None,
    ) -> BulkScore:
        """Score connections of the latest search.

        Parameters
        ----------
        risk
            1 high, 2 medium, 3 low.
        peer, port, asn
            Connections to score: address or CIDR prefix of the peer, port at either end, AS number
            of the peer; one or several. Connections have to match all that are given.

        Returns
        -------
        BulkScore
            Its length is the number of connections.

        Raises
        ------
        ArgumentError
            If there is no search, no store or no filter, or the risk, a peer, a port or an AS
            number is invalid.
        StoreError
            If the store cannot be changed.
        """
        search = self._latest().search
        done = self.engine.score(search, risk, peer=peer, port=port, asn=asn)
        self._refresh_scores()
        return done

    def undo(self) -> int:
        """Revert the latest `score` and restore the earlier scores of its connections.

        Returns
        -------
        int
            Number of reverted connections. Connections that somebody else scored since then are
            not reverted.

        Raises
        ------
        ArgumentError
            If this instance has no score to revert.
        """
        count = self.engine.undo()
        self._refresh_scores()
        return count

    def story(self, title: str | None = None, text: str | None = None) -> Story:
        """Return the story of the latest search.

        Parameters
        ----------
        title, text
            Title and text of the story; None means those saved last.

        Returns
        -------
        Story
            The data. Its `write_html` writes a report, its `write_bundle` an archive that
            `open_bundle` opens.

        Raises
        ------
        ArgumentError
            As in `save`.
        StoreError, OSError
            If the store or an input file of the story cannot be read.
        """
        return make_story(self.engine, self._latest().search, title, text)

    def save_report(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        title: str | None = None,
        text: str | None = None,
    ) -> Path:
        """Save the story of the latest search as one HTML page.

        Parameters
        ----------
        path
            The file; an existing one is replaced atomically. None means `story-<ip>.html` in the
            directory of the day.
        title, text
            As in `story`.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ArgumentError, StoreError
            As in `story`.
        MissingExtraError
            If bokeh or jinja2 is not installed.
        OSError
            If the file cannot be written, or an input file of the story cannot be read.
        """
        return self.story(title, text).write_html(self._story_path(path, "html"))

    def save_bundle(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        title: str | None = None,
        text: str | None = None,
    ) -> Path:
        """Save the story of the latest search as an archive for other analysts.

        `flowtriage.threat_investigation.open_bundle` opens it.

        Parameters
        ----------
        path
            As in `save_report`; None means `story-<ip>.zip`.
        title, text
            As in `story`.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ArgumentError, MissingExtraError, StoreError, OSError
            As in `save_report`.
        """
        return self.story(title, text).write_bundle(self._story_path(path, "zip"))

    def _story_path(self, path: str | os.PathLike[str] | None, suffix: str) -> Path:
        if path is not None:
            return Path(path)
        folder = self.engine.folder
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"story-{safe_ip(self._latest().ip)}.{suffix}"

    def _refresh_scores(self) -> None:
        """Update the scores of the latest result and their section."""
        result = self._result
        if isinstance(result, FlowThreatResult):
            result.scores = self.engine.scores(result.ip).to_pandas()
            if "written" in self._context["options"]:
                title = self.section("written").title
                others = [section for section in result.sections if section.title != title]
                result.sections[:] = [*others, *saved_sections(type(self), result)]

    def _latest(self) -> FlowThreatResult:
        if not isinstance(self._result, FlowThreatResult):
            raise ArgumentError("no address searched yet; call search_ip() or run()")
        return self._result
