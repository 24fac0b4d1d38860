"""The notebooklet class."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from flowtriage.configuration import Settings, beside, load_settings
from flowtriage.enrich.asn import as_database
from flowtriage.inputs.hosts import parse_single_address
from flowtriage.inputs.timespan import TimeLike, Timespan, day_span, parse_day
from flowtriage.store import FlowStore
from flowtriage.threat_investigation.display import DisplayMethods
from flowtriage.threat_investigation.flow_source import (
    FlowSource,
    ProviderFlows,
    RawDayFlows,
    open_source,
)
from flowtriage.threat_investigation.investigation import Investigation
from flowtriage.threat_investigation.result import FlowThreatResult, sections
from flowtriage.threat_investigation.search import check_top
from flowtriage.threat_investigation.widgets.view import make_view

_URLS = ("duckdb://", "postgresql://", "postgres://")


class FlowThreatInvestigation(DisplayMethods):
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
        Configuration of Flow OA, or the path of its file; None takes it as
        `flowtriage.oa.load_settings`.
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
        settings = (
            configuration if isinstance(configuration, Settings) else load_settings(configuration)
        )
        folder = self.store.folder if self.store else None
        self._settings = beside(settings, folder) if folder else settings
        self._asn = as_database(asn)
        self._date = None if date is None else parse_day(date)
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
        *,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        silent: bool | None = None,
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
        asked = self._run_arguments(
            value, data, timespan, options, start=start, end=end, silent=silent
        )
        ip = parse_single_address(value)
        self._prepare(data, asked.span)
        found = self.engine.search(ip, asked.span)
        result = FlowThreatResult(
            found=found,
            description=f"Flow threat investigation of {ip}",
            timespan=asked.span or self.engine.source.span,
            notebooklet=self,
            report=found.flows.report,
        )
        result.credits = self._asn.credits
        result.stories = self.engine.history(ip).to_pandas()
        if self.store is not None:
            result.scores = self.engine.scores(ip).to_pandas()
        self.selected = ip
        self._finish(result, asked)
        hint = "" if found.connections.num_rows else self.engine.source.hint()
        for section in sections(type(self), result, asked.options, hint):
            result.present(section, silent=asked.silent)
        return result

    def _take(self, source: FlowSource) -> None:
        """Go on with other flows; what was scored can still be undone."""
        if self._engine is None:
            self._engine = Investigation(source, self.store, self._settings, self._asn, self._top)
        else:
            self._engine.source = source

    def _prepare(self, data: Any, span: Timespan | None) -> None:
        """Make sure that there are flows to search."""
        source = self._engine.source if self._engine else None
        if data is not None:
            self._take(open_source(data, self._date, self._settings, self.store))
        elif isinstance(source, RawDayFlows) and self._date is None and span and span.start:
            self._take(replace(source, day=span.start.date()))
        elif (source is None or isinstance(source, ProviderFlows)) and self.query_provider:
            whole = span or (day_span(self._date) if self._date else None)
            if whole is not None and whole.start is not None and whole.end is not None:
                self._take(ProviderFlows(self.query_provider, self._date, whole))


def _is_store(source: Any) -> bool:
    return isinstance(source, FlowStore) or (isinstance(source, str) and source.startswith(_URLS))
