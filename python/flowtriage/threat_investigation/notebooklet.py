"""The notebooklet class."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date as Date
from typing import Any

import pyarrow as pa

from flowtriage.asn import as_database
from flowtriage.errors import ArgumentError, MsticnbMissingParameterError
from flowtriage.network_flow_summary.entity import read_value
from flowtriage.notebooklet import Notebooklet
from flowtriage.notebooklet.display import Section, show
from flowtriage.oa.configuration import Settings
from flowtriage.oa.dates import day_of
from flowtriage.oa.ingest import RawFlows
from flowtriage.providers.msticnb import as_theirs
from flowtriage.store import FlowStore
from flowtriage.threat_investigation.engine import Investigation
from flowtriage.threat_investigation.places import settings_for
from flowtriage.threat_investigation.result import FlowThreatResult
from flowtriage.threat_investigation.saving import Saved
from flowtriage.threat_investigation.scoring import BulkScore
from flowtriage.threat_investigation.source import (
    AskedFlows,
    FlowSource,
    GivenFlows,
    StoredFlows,
    day_span,
)
from flowtriage.threat_investigation.tables import (
    SHOWN,
    Connections,
    as_connections,
    check_top,
    in_order,
    top_of,
)
from flowtriage.threat_investigation.view import View
from flowtriage.timespan import Span, resolve

_KEYWORDS = {"start", "end", "silent"}
_DIRECTIONS = ("inbound", "outbound", "two-way")
_URLS = ("duckdb://", "postgresql://", "postgres://")


class FlowThreatInvestigation(Notebooklet):
    """From an address of high risk to a saved story.

    Lists the addresses of connections that were scored as high risk, searches all connections of
    one of them, and saves what an analyst writes down of it. The names of Apache Spot's notebook
    are kept.

    Parameters
    ----------
    store_or_flows
        A `FlowStore` or its URL, whose raw flows are those of Flow OA; or flows in any form that
        `read_flows` takes, of which nothing is scored beforehand. None asks the query provider.
    date
        The day, in UTC. None takes the latest day that was run of a store, and all flows of a log.
    top_results
        Number of peers in each table and in the timeline.
    store
        Where scores and stories are kept, for flows that are given themselves. Without one,
        stories are kept in files.
    flows
        Folder of the raw flows, or flows in any form that `read_flows` takes; None takes the
        folder that is configured, beside the store where it is there.
    configuration
        Configuration of Flow OA, or the path of its file; None takes it as `flowtriage.oa.load`.
    asn
        An `AsnDatabase`, or the path of one; None takes the embedded one.
    data_providers
        Where flows come from when neither a store nor flows are given; None takes, at each run,
        the current `DataProviders`.
    silent
        Whether to show nothing.

    Attributes
    ----------
    selected : str or None
        The address that `search_ip` looks at unless told otherwise.
    title, comments : str
        What `save_threat_summary` saves unless told otherwise.

    Methods
    -------
    - run: the main method.
    - start_investigation: list the addresses of high risk.
    - search_ip: look at one of them.
    - save_threat_summary: save what was found.

    Default Options
    ---------------
    - top_tables: Show the sources and destinations with the most connections and bytes.
    - connection_sets: Show inbound, outbound and two-way peers.
    - plot_timeline: Plot the flows with the peers that have the most connections.
    - written: Show earlier stories of the address, and scores of its connections.

    Other Options
    -------------
    - connections: Show all connections of the address.

    Raises
    ------
    ArgumentError
        If the date is none, no day of the store was run, or `top_results` is not positive.
    ConfigurationError, StoreError
        If the configuration or the store cannot be used.

    Examples
    --------
    >>> from flowtriage import sample
    >>> nb = FlowThreatInvestigation(sample.office_day(), top_results=5, silent=True)
    >>> result = nb.run(sample.BEACON.peer, options=["top_tables"])
    >>> result.description
    'Flow threat investigation of 203.0.113.66'
    """

    def __init__(
        self,
        store_or_flows: Any = None,
        date: Any = None,
        top_results: int = 20,
        *,
        store: FlowStore | str | None = None,
        flows: Any = None,
        configuration: Settings | str | os.PathLike[str] | None = None,
        asn: Any = None,
        data_providers: Any = None,
        **kwargs: Any,
    ) -> None:
        """Make a new instance of the notebooklet."""
        super().__init__(data_providers, **kwargs)
        check_top(top_results)
        if _is_store(store_or_flows):
            store, data = store_or_flows, flows
        else:
            data = flows if store_or_flows is None else store_or_flows
        self.top_results = top_results
        self.store = FlowStore(store) if isinstance(store, str) else store
        self._settings = settings_for(configuration, self.store)
        self._asn = as_database(asn)
        self._date = None if date is None else day_of(date)
        self._engine: Investigation | None = None
        self.selected: str | None = None
        self.title = self.comments = ""
        self.view = View(self)
        if data is not None or self.store is not None:
            self._take(self._source(data))

    def run(
        self,
        value: Any = None,
        data: Any = None,
        timespan: Any = None,
        options: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> FlowThreatResult:
        """Search the connections of an address.

        Parameters
        ----------
        value
            The address, or a msticpy `IpAddress`. It is needed.
        data
            Flows to search in place of those of the store, in any form that `read_flows` takes.
        timespan
            Only flows that start within this span; None takes the whole day.
        options
            Names of options; None means the default ones, `+name` adds to them and `-name`
            takes from them. `list_options` tells what there is.

        Other Parameters
        ----------------
        start, end
            Alternative to `timespan`.
        silent
            Whether this run shows nothing; None takes the setting of the notebooklet.

        Returns
        -------
        FlowThreatResult
            What was found.

        Raises
        ------
        MsticnbMissingParameterError
            If there is no value, or there are no flows to search.
        ArgumentError
            If the value is no address, an option is unknown, or the timespan cannot be read.
        FlowtriageError, OSError
            If the flows, the store or a file that is configured cannot be read.
        """
        if unknown := kwargs.keys() - _KEYWORDS:
            raise ArgumentError(f"unknown parameters of run: {', '.join(sorted(unknown))}")
        ip = _address(value)
        chosen = self.choose_options(options)
        silent = self.silent if kwargs.get("silent") is None else bool(kwargs["silent"])
        span = resolve(timespan, start=kwargs.get("start"), end=kwargs.get("end"))
        self._prepare(data, span)
        found = self.engine.search(ip, span)
        result = FlowThreatResult(
            found=found,
            description=f"Flow threat investigation of {ip}",
            timespan=span or self.engine.source.span,
            notebooklet=self,
            report=found.flows.report,
        )
        result.credits = self._asn.credits
        result.stories = self.engine.history(ip).to_pandas()
        if self.store is not None:
            result.scores = self.engine.scores(ip).to_pandas()
        self.selected = ip
        self._finish(
            result,
            value=value,
            data=data,
            timespan=result.timespan,
            options=sorted(chosen),
            silent=silent,
        )
        for section in self._sections(result, chosen):
            self._present(result, section, silent=silent)
        return result

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
    def day(self) -> Date:
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

    def search(self, ip: str, timespan: Any = None) -> FlowThreatResult:
        """Search the connections of an address, and show nothing."""
        return self.run(ip, timespan=timespan, silent=True)

    def history(self, ip: str | None = None) -> pa.Table:
        """Return the stories that were saved of the day, or of one address.

        Returns
        -------
        pyarrow.Table
            `ip_threat`, `title`, `text` and `saved` (when, UTC), the latest first.
        """
        return self.engine.history(None if ip is None else _address(ip))

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
        return self.engine.score(found, risk, peer=peer, port=port, asn=asn)

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
        return self.engine.undo()

    def start_investigation(self) -> None:
        """Begin anew: forget what was found, and list the addresses of high risk."""
        self._result = None
        self.selected = None
        self.title = self.comments = ""
        self.view.clear()
        threats = self.threats()
        self.display_controls(threats if threats.num_rows or self.store else self.talkers())

    def display_controls(self, threat_list: Any) -> None:
        """Show addresses to choose from.

        Parameters
        ----------
        threat_list
            Result of `threats` or `talkers`, or the addresses alone.
        """
        if not hasattr(threat_list, "column_names"):
            listed = pa.array([_address(ip) for ip in threat_list], pa.string())
            threat_list = pa.table({"ip": listed})
        self.view.controls(threat_list)

    def search_ip(self, ip: str | None = None) -> None:
        """Search an address, show its tables, and where to write down a story.

        Parameters
        ----------
        ip
            The address; None takes the one that is `selected`.
        """
        self.run(self.selected if ip is None else ip)
        self.display_threat_box(self._latest().ip)

    def get_in_out_and_twoway_conns(self) -> tuple[Connections, Connections, Connections]:
        """Show the four tables of the address, and return its peers.

        Returns
        -------
        tuple of dict
            Inbound, outbound and two-way peers: what is known of each, by its address.
        """
        result = self._latest()
        for section in self._tables(result):
            if not self.silent:
                show(section)
        inbound, outbound, two_way = (
            as_connections(result.found.direction(name)) for name in _DIRECTIONS
        )
        return inbound, outbound, two_way

    def display_threat_box(self, ip: str) -> None:
        """Show where to write down the story of an address.

        Parameters
        ----------
        ip
            The address.
        """
        self.view.threat_box(_address(ip))

    def save_threat_summary(self, title: str | None = None, text: str | None = None) -> None:
        """Save the story of the address that was searched last, and begin anew.

        Parameters
        ----------
        title, text
            What was found; None takes `title` and `comments`.
        """
        saved = self.save(
            self.title if title is None else title, self.comments if text is None else text
        )
        self.start_investigation()
        self.view.say(str(saved))

    def display_results(self, cols: Sequence[str], dataframe: Any, top: int) -> None:
        """Show the first rows of a table.

        Parameters
        ----------
        cols
            Columns to show.
        dataframe
            A `pandas.DataFrame` or a `pyarrow.Table`.
        top
            Most rows.

        Raises
        ------
        ArgumentError
            If there is no such column, or `top` is not positive.
        """
        check_top(top)
        known = list(getattr(dataframe, "column_names", getattr(dataframe, "columns", [])))
        if missing := [name for name in cols if name not in known]:
            raise ArgumentError(f"there is no column {missing[0]!r}; there are {known}")
        rows = dataframe.slice(0, top) if hasattr(dataframe, "slice") else dataframe.head(top)
        rows = rows.select(list(cols)) if hasattr(rows, "select") else rows[list(cols)]
        show(self.section("results", rows))

    def get_top_bytes(self, conns_dict: Connections, top: int) -> Connections:
        """Return the peers of a dictionary with the most bytes, those first.

        Parameters
        ----------
        conns_dict
            One of what `get_in_out_and_twoway_conns` returns.
        top
            Most peers.
        """
        return top_of(conns_dict, "bytes", top)

    def get_top_conns(self, conns_dict: Connections, top: int) -> Connections:
        """Return the peers of a dictionary with the most connections, those first.

        Parameters
        ----------
        conns_dict
            One of what `get_in_out_and_twoway_conns` returns.
        top
            Most peers.
        """
        return top_of(conns_dict, "connections", top)

    def removeWidget(self, index: int) -> None:
        """Remove a part of what is shown: controls, threat box.

        Parameters
        ----------
        index
            Which part, counted from 0.
        """
        self.view.remove(index)

    def _source(self, data: Any) -> FlowSource:
        """Find out where flows are: in a folder of raw flows, or given themselves."""
        folder = self._settings.folders.flows if data is None else data
        if data is None or isinstance(data, RawFlows) or _is_raw(data):
            raw = folder if isinstance(folder, RawFlows) else RawFlows(folder)
            return StoredFlows(raw, self._date or _latest_day(self.store))
        return GivenFlows(data, self._date)

    def _take(self, source: FlowSource) -> None:
        """Go on with other flows; what was scored can still be undone."""
        if self._engine is None:
            top = self.top_results
            self._engine = Investigation(source, self.store, self._settings, self._asn, top)
        else:
            self._engine.source = source

    def _prepare(self, data: Any, span: Span | None) -> None:
        """Make sure that there are flows to search."""
        source = self._engine.source if self._engine else None
        if data is not None:
            self._take(self._source(data))
        elif isinstance(source, StoredFlows) and self._date is None and span and span.start:
            self._take(replace(source, day=span.start.date()))
        elif (source is None or isinstance(source, AskedFlows)) and self.query_provider:
            if span is not None and span.start is not None and span.end is not None:
                self._take(AskedFlows(self.query_provider, self._date, span))
            elif self._date is not None:
                self._take(AskedFlows(self.query_provider, self._date, day_span(self._date)))

    def _latest(self) -> FlowThreatResult:
        if not isinstance(self._result, FlowThreatResult):
            raise ArgumentError("no address was searched yet: use search_ip() or run() first")
        return self._result

    def _sections(self, result: FlowThreatResult, chosen: set[str]) -> Iterable[Section]:
        found = result.found
        yield self.section("run", _notice(result, self.engine.source.hint()))
        if "top_tables" in chosen:
            yield from self._tables(result)
        if "connection_sets" in chosen:
            for name in _DIRECTIONS:
                yield self.section(name, in_order(found.direction(name)).select(SHOWN))
        if "plot_timeline" in chosen:
            from flowtriage.network_flow_summary.plots import plot_flows_by_peer

            result.plot_timeline = plot_flows_by_peer(found.bins)
            yield self.section("plot_timeline", result.plot_timeline)
        if "connections" in chosen:
            yield self.section("connections", found.connections)
        written = [frame for frame in (result.stories, result.scores) if frame is not None]
        if "written" in chosen and any(map(len, written)):
            yield self.section("written", *(frame for frame in written if len(frame)))

    def _tables(self, result: FlowThreatResult) -> Iterable[Section]:
        for name, table in result.found.tables.items():
            section = self.section(name, table.select(SHOWN))
            yield replace(section, title=section.title.format(n=self.top_results))


def _is_store(source: Any) -> bool:
    return isinstance(source, FlowStore) or (isinstance(source, str) and source.startswith(_URLS))


def _is_raw(data: Any) -> bool:
    """Tell whether a path is that of a folder of raw flows."""
    from pathlib import Path

    return isinstance(data, (str, os.PathLike)) and (Path(data) / "_sources").is_dir()


def _latest_day(store: FlowStore | None) -> Date:
    days = store.days() if store else []
    if not days:
        raise ArgumentError("it is not known which day to look at: give date=")
    return days[-1]


def _address(value: Any) -> str:
    name, addresses = read_value(value)
    if name or len(addresses) != 1:
        raise ArgumentError(f"{value!r} is not one address; give one, such as 192.0.2.1")
    return addresses[0]


def _notice(result: FlowThreatResult, hint: str) -> str:
    if not len(result.connections):
        return f"{result.ip} does not occur in the flows searched.{hint}"
    return (
        f"{result.ip}: {len(result.connections):,} different connections with "
        f"{len(result.peers):,} peers, of which {len(result.inbound):,} inbound, "
        f"{len(result.outbound):,} outbound and {len(result.two_way):,} two way."
    )
