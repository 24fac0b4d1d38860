"""The notebooklet class."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from flowtriage.asn import as_database
from flowtriage.errors import ArgumentError
from flowtriage.notebooklet.display import show
from flowtriage.oa.configuration import Settings
from flowtriage.oa.dates import day_of
from flowtriage.store import FlowStore
from flowtriage.threat_investigation.data_methods import DataMethods
from flowtriage.threat_investigation.engine import Investigation
from flowtriage.threat_investigation.places import settings_for
from flowtriage.threat_investigation.result import FlowThreatResult
from flowtriage.threat_investigation.sections import DIRECTIONS, sections, top_tables
from flowtriage.threat_investigation.source import (
    AskedFlows,
    FlowSource,
    StoredFlows,
    day_span,
    one_address,
    open_source,
)
from flowtriage.threat_investigation.tables import Connections, as_connections, check_top, top_of
from flowtriage.threat_investigation.widgets import make_view
from flowtriage.timespan import Span, resolve

_KEYWORDS = {"start", "end", "silent"}
_URLS = ("duckdb://", "postgresql://", "postgres://")


class FlowThreatInvestigation(DataMethods):
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
    >>> result.ip == sample.BEACON.peer, result.peers["peer"].tolist()
    (True, ['10.20.30.41'])
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
        self._top = top_results
        self.store = FlowStore(store) if isinstance(store, str) else store
        self._settings = settings_for(configuration, self.store)
        self._asn = as_database(asn)
        self._date = None if date is None else day_of(date)
        self._engine: Investigation | None = None
        self.selected: str | None = None
        self.title = self.comments = ""
        self.view = make_view(self)
        if data is not None or self.store is not None:
            self._take(open_source(data, self._date, self._settings, self.store))

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
            Flows to search from now on, in any form that `read_flows` takes.
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
        ip = one_address(value)
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
        hint = "" if found.connections.num_rows else self.engine.source.hint()
        for section in sections(type(self), result, chosen, hint):
            self._present(result, section, silent=silent)
        return result

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
            listed = pa.array([one_address(ip) for ip in threat_list], pa.string())
            threat_list = pa.table({"ip": listed})
        self.view.controls(threat_list)

    def search_ip(self, ip: str | None = None) -> None:
        """Search an address, show its tables, and where to write down a story.

        Parameters
        ----------
        ip
            The address; None takes the one that is `selected`.
        """
        self.view.results(self.search(self.selected if ip is None else ip))
        self.display_threat_box(self._latest().ip)

    def get_in_out_and_twoway_conns(self) -> tuple[Connections, Connections, Connections]:
        """Show the four tables of the address, and return its peers.

        Returns
        -------
        tuple of dict
            Inbound, outbound and two-way peers: what is known of each, by its address.
        """
        result = self._latest()
        for section in top_tables(type(self), result):
            if not self.silent:
                show(section)
        inbound, outbound, two_way = (
            as_connections(result.found.direction(name)) for name in DIRECTIONS
        )
        return inbound, outbound, two_way

    def display_threat_box(self, ip: str) -> None:
        """Show where to write down the story of an address.

        Parameters
        ----------
        ip
            The address.
        """
        self.view.threat_box(one_address(ip))

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

    def _take(self, source: FlowSource) -> None:
        """Go on with other flows; what was scored can still be undone."""
        if self._engine is None:
            self._engine = Investigation(source, self.store, self._settings, self._asn, self._top)
        else:
            self._engine.source = source

    def _prepare(self, data: Any, span: Span | None) -> None:
        """Make sure that there are flows to search."""
        source = self._engine.source if self._engine else None
        if data is not None:
            self._take(open_source(data, self._date, self._settings, self.store))
        elif isinstance(source, StoredFlows) and self._date is None and span and span.start:
            self._take(replace(source, day=span.start.date()))
        elif (source is None or isinstance(source, AskedFlows)) and self.query_provider:
            whole = span or (day_span(self._date) if self._date else None)
            if whole is not None and whole.start is not None and whole.end is not None:
                self._take(AskedFlows(self.query_provider, self._date, whole))


def _is_store(source: Any) -> bool:
    return isinstance(source, FlowStore) or (isinstance(source, str) and source.startswith(_URLS))
