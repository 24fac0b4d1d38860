"""The notebooklet: investigate high-risk addresses and save their stories."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import date as Date
from importlib.util import find_spec
from typing import TYPE_CHECKING

from flowtriage.configuration import Settings, beside, load_settings
from flowtriage.detect.allow_list import AllowLike, as_allow_list
from flowtriage.enrich.asn import AsnDatabase, as_database
from flowtriage.inputs.arrow import FlowSource
from flowtriage.inputs.hosts import parse_single_address
from flowtriage.inputs.timespan import TimeLike, Timespan, TimespanLike, day_span, parse_day
from flowtriage.providers import DataProviders
from flowtriage.quality import warn_notices
from flowtriage.render.notebook import in_notebook
from flowtriage.store import FlowStore
from flowtriage.store.raw_flows import RawFlows
from flowtriage.threat_investigation.display import DisplayMethods, View
from flowtriage.threat_investigation.flow_source import (
    ProviderFlows,
    RawDayFlows,
    SearchSource,
    open_source,
)
from flowtriage.threat_investigation.investigation import Investigation
from flowtriage.threat_investigation.result import FlowThreatResult, sections
from flowtriage.threat_investigation.search import check_top

if TYPE_CHECKING:
    from msticpy.datamodel.entities import IpAddress

_URLS = ("duckdb://", "postgresql://", "postgres://")


class FlowThreatInvestigation(DisplayMethods):
    """Investigate high-risk addresses and save their stories.

    Lists the addresses of connections that were scored as high risk, searches all connections of
    an address, and saves the story that an analyst writes about it. Methods have the names of
    Apache Spot's notebook.

    Parameters
    ----------
    store_or_flows
        A `FlowStore` or its URL, to search the raw flows of Flow OA; or flows in any form that
        `read_flows` takes. None means the query provider.
    date
        The day, in UTC. None means the latest day that was run of a store, and all flows of a log.
    top_results
        Number of peers in each table and in the timeline.
    store
        Store of scores and stories, if `store_or_flows` are flows. Without a store, stories are
        saved in files. A URL is that of an existing store; `FlowStore` creates one.
    flows
        Folder of raw flows, or flows in any form that `read_flows` takes. None means the
        configured folder, or the one beside the store if it exists.
    configuration
        Configuration of Flow OA, or the path of its file; None means the result of
        `flowtriage.configuration.load_settings`.
    asn
        An `AsnDatabase`, or the path of one; None means the bundled database.
    data_providers
        Providers of flows if neither a store nor flows are given; None means the current
        `DataProviders` at each run.
    allow
        An `AllowList` or its file: findings that it has are hidden and counted.
    silent
        Whether to display nothing; None takes the option `silent` of the session.

    Attributes
    ----------
    selected : str or None
        Default address of `search_ip`.
    title, comments : str
        Default story of `save_threat_summary`.

    Methods
    -------
    - run: the main method.
    - start_investigation: list the high-risk addresses.
    - search_ip: search an address.
    - save_threat_summary: save the story of the latest search.

    Default Options
    ---------------
    - findings: Look for beacons, scans, uploads and other findings about the address.
    - top_tables: Show the top sources and destinations by connections and by bytes.
    - connection_sets: Show inbound, outbound and two-way peers.
    - plot_timeline: Plot the flows with the top peers by connections.
    - written: Show saved stories of the address, and scores of its connections.

    Other Options
    -------------
    - connections: Show all connections of the address.

    Raises
    ------
    ArgumentError
        If the date is invalid, no day of the store was run, or `top_results` is not positive.
    ConfigurationError, StoreError
        If the configuration or the store cannot be used, or the store does not exist.

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
        store_or_flows: FlowStore | RawFlows | FlowSource | None = None,
        date: str | Date | None = None,
        top_results: int = 20,
        *,
        store: FlowStore | str | None = None,
        flows: RawFlows | FlowSource | None = None,
        configuration: Settings | str | os.PathLike[str] | None = None,
        asn: AsnDatabase | str | os.PathLike[str] | None = None,
        data_providers: DataProviders | None = None,
        allow: AllowLike | None = None,
        silent: bool | None = None,
    ) -> None:
        super().__init__(data_providers, silent=silent)
        check_top(top_results)
        data = flows
        if isinstance(store_or_flows, FlowStore) or (
            isinstance(store_or_flows, str) and store_or_flows.startswith(_URLS)
        ):
            store = store_or_flows
        elif store_or_flows is not None:
            data = store_or_flows
        self._top = top_results
        self.store = FlowStore(store, create=False) if isinstance(store, str) else store
        if not isinstance(configuration, Settings):
            configuration = load_settings(configuration)
        folder = self.store.folder if self.store else None
        self._settings = beside(configuration, folder) if folder else configuration
        self._asn = as_database(asn)
        self._allow = None if allow is None else as_allow_list(allow)
        self._date = None if date is None else parse_day(date)
        self._engine: Investigation | None = None
        self.selected: str | None = None
        self.title = self.comments = ""
        self.view = _make_view(self)
        if data is not None or self.store is not None:
            self._set_source(open_source(data, self._date, self._settings, self.store))

    def run(
        self,
        value: str | IpAddress | None = None,
        data: RawFlows | FlowSource | None = None,
        timespan: TimespanLike | None = None,
        options: Iterable[str] | None = None,
        *,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        silent: bool | None = None,
    ) -> FlowThreatResult:
        """Search the connections of one address.

        Stories and scores are about one address; `NetworkFlowSummary` takes networks and lists.

        Parameters
        ----------
        value
            The address, or a msticpy `IpAddress`; required. Not a network or several addresses.
        data
            Flows for this and later searches, in any form that `read_flows` takes.
        timespan
            Restricts the search to flows that start within it; None means the whole day.
        options
            Names of options; None means the default ones. `+name` adds an option to the default
            ones, `-name` removes one. `list_options` lists them.
        start, end
            Alternative to `timespan`.
        silent
            Whether this run displays nothing; None means the setting of the notebooklet.

        Returns
        -------
        FlowThreatResult
            Connections, peers, stories and scores.

        Raises
        ------
        MsticnbMissingParameterError
            If the value is missing, or there are no flows to search.
        ArgumentError
            If the value is not one address, an option is unknown, or the timespan is invalid.
        FlowtriageError, OSError
            If the flows, the store or a configured file cannot be read.

        Warns
        -----
        UserWarning
            If the run is silent, and the address does not occur or the flows have limits that a
            notice would show, such as bad rows.
        """
        arguments = self._run_arguments(
            value, data, timespan, options, start=start, end=end, silent=silent
        )
        ip = parse_single_address(value)
        self._update_source(data, arguments.span)
        search = self.engine.search(ip, arguments.span)
        result = FlowThreatResult(
            search=search,
            description=f"Flow threat investigation of {ip}",
            timespan=arguments.span or self.engine.source.span,
            notebooklet=self,
            report=search.flows.report,
        )
        result.credits = self._asn.credits
        result.stories = self.engine.history(ip).to_pandas()
        if self.store is not None:
            result.scores = self.engine.scores(ip).to_pandas()
        if "findings" in arguments.options:
            about = self.engine.findings(search, arguments.span, self._allow)
            result.set_findings(about)
        self.selected = ip
        self._finish(result, arguments)
        hint = "" if search.connections.num_rows else self.engine.source.hint()
        for section in sections(type(self), result, arguments.options, hint):
            result.present(section, silent=arguments.silent)
        if arguments.silent:
            warn_notices(result.report, "" if search.connections.num_rows else result.summary)
        return result

    def _set_source(self, source: SearchSource) -> None:
        """Replace the flows; earlier scores can still be undone."""
        if self._engine is None:
            self._engine = Investigation(source, self.store, self._settings, self._asn, self._top)
        else:
            self._engine.source = source

    def _update_source(self, data: RawFlows | FlowSource | None, span: Timespan | None) -> None:
        """Set the flows that a run searches, if they are not those of the previous one."""
        source = self._engine.source if self._engine else None
        if data is not None:
            self._set_source(open_source(data, self._date, self._settings, self.store))
        elif isinstance(source, RawDayFlows) and self._date is None and span and span.start:
            self._set_source(replace(source, day=span.start.date()))
        elif (source is None or isinstance(source, ProviderFlows)) and self.query_provider:
            whole = span or (day_span(self._date) if self._date else None)
            if whole is not None and whole.start is not None and whole.end is not None:
                self._set_source(ProviderFlows(self.query_provider, self._date, whole))


def _make_view(investigation: DisplayMethods) -> View:
    """Return the view that the front end supports."""
    if in_notebook() and find_spec("ipywidgets"):
        from flowtriage.threat_investigation.widgets.view import WidgetView

        return WidgetView(investigation)
    return View(investigation)
