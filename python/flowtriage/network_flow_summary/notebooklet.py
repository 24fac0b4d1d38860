"""The notebooklet `NetworkFlowSummary`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from flowtriage.analysis.aggregate import flow_summary, timeline
from flowtriage.analysis.hosts import flows_of_host
from flowtriage.enrich.asn import as_database
from flowtriage.enrich.online import messages
from flowtriage.inputs.hosts import read_value
from flowtriage.inputs.timespan import Timespan
from flowtriage.network_flow_summary.host import ask, dns_name_of, host_entity, notices
from flowtriage.network_flow_summary.result import NetworkFlowResult, locations
from flowtriage.network_flow_summary.tables import HostTables, index_data, with_lists
from flowtriage.notebooklet import Notebooklet
from flowtriage.notebooklet.result import Lazy
from flowtriage.progress import report_progress
from flowtriage.providers.host_queries import HostFacts
from flowtriage.read.read_flows import read_flows

if TYPE_CHECKING:
    from msticpy.vis.foliummap import FoliumMap


class NetworkFlowSummary(Notebooklet):
    """With whom a host communicated: timelines, flow index, summary by ASN, map.

    Takes the network flows of a host or address, from data or from a provider, and

    - plots the flows by protocol and by direction
    - plots the number of flows by protocol
    - lists the flows by source, destination, protocol and direction
    - lists the flows by ASN
    - shows the addresses on a map

    Parameters
    ----------
    data_providers
        Where flows come from when no data is given; None takes, at each run, the current
        `DataProviders`.
    silent
        Whether to show nothing while running.

    Methods
    -------
    - run: the main method.
    - select_asns: choose the ASNs to look at more closely.
    - lookup_ti_for_asn_ips: look up threat intelligence for the addresses of the chosen ASNs.
    - show_selected_asn_map: show the addresses of the chosen ASNs, and any threats, on a map.

    Default Options
    ---------------
    - plot_flows: Plot flows by protocol and by direction.
    - plot_flow_values: Plot the number of flows by protocol.
    - flow_summary: Summarise all flows, and all flows grouped by ASN.
    - resolve_host: Learn the host's name and addresses before anything else.

    Other Options
    -------------
    - geo_map: Draw a map of all addresses that the host communicated with.

    Examples
    --------
    >>> from flowtriage import sample
    >>> nb = NetworkFlowSummary(silent=True)
    >>> result = nb.run(sample.HOST_IP, data=sample.office_day(), options=["flow_summary"])
    >>> result.description
    'Network flow summary for 10.20.30.41'
    """

    _result: NetworkFlowResult | None

    def __init__(self, data_providers: Any = None, **kwargs: Any) -> None:
        """Make a new instance of the notebooklet."""
        super().__init__(data_providers, **kwargs)

    def run(
        self,
        value: Any = None,
        data: Any = None,
        timespan: Any = None,
        options: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> NetworkFlowResult:
        """Summarise the network flows of a host.

        Parameters
        ----------
        value
            Host name, address, or a msticpy `Host` or `IpAddress`. It is needed.
        data
            The flows: a path, a list of paths, a `pandas.DataFrame`, or anything Arrow. None
            asks the query provider; with data, that is asked for nothing.
        timespan
            A msticpy `TimeSpan`, or any object with `start` and `end`; only flows that start
            within it count. It is needed unless there is `data`, whose own span None stands for.
        options
            Names of options; None means the default ones, `+name` adds to them and `-name`
            takes from them. `list_options` tells what there is.

        Other Parameters
        ----------------
        start, end
            Alternative to `timespan`.
        silent
            Whether this run shows nothing; None takes the setting of the notebooklet.
        asn
            An `AsnDatabase`, or the path of one; None takes the embedded one, and `"online"`
            that and, for public addresses that it does not know, services online.
        reverse_dns
            Whether to ask the domain name system for the name of a host that has none
            otherwise. Up to five seconds for each of its addresses; nothing is asked unless True.

        Returns
        -------
        NetworkFlowResult
            Attributes of options that were not chosen are None.

        Raises
        ------
        MsticnbMissingParameterError
            If `value` is missing or, without `data`, a provider or a timespan.
        MsticnbDataProviderError
            If the provider is not connected, has no network flows, or a query fails.
        AmbiguousHostError
            If a host name stands for several hosts; its `candidates` are their names.
        ArgumentError
            If an option is unknown, or the timespan cannot be read or ends before it starts.
        InputError, OSError
            If the data cannot be read.
        """
        asked = self._run_arguments(value, data, timespan, options, kwargs, "asn", "reverse_dns")
        name, addresses = read_value(value)
        asn = as_database(kwargs.get("asn"))
        learn = "resolve_host" in asked.options
        facts = HostFacts(name, addresses)
        if data is None:
            flows, facts = ask(self.query_provider, facts, asked.span, learn=learn)
        else:
            flows = read_flows(data, timespan=asked.span)
        host = flows_of_host(flows.to_arrow(), facts.name, facts.addresses, resolve=learn)
        tables = HostTables(host.flows, host.addresses, asn)
        result = NetworkFlowResult(
            description=f"Network flow summary for {name or ', '.join(addresses)}",
            timespan=asked.span or _span_of(flows.report.start, flows.report.end),
            notebooklet=self,
            report=flows.report,
            tables=tables,
        )
        result.credits = asn.credits
        named = facts.name or host.name
        dns_name = dns_name_of(host.addresses) if kwargs.get("reverse_dns") and not named else None
        result.host_entity = host_entity(value, host, facts, dns_name)
        result.network_flows = Lazy(host.flows.to_pandas)
        result.present(
            self.section("run", *notices(host, facts, flows.to_arrow())), silent=asked.silent
        )
        steps = [
            ("plot_flows", self._plot_flows),
            ("plot_flow_values", self._plot_flow_values),
            ("flow_summary", self._summarise),
            ("geo_map", self._draw_map),
        ]
        for done, (option, step) in enumerate(steps):
            if option in asked.options:
                report_progress(f"{option} of {result.description}", done, len(steps))
                step(result, tables, asked.silent)
        report_progress(result.description, len(steps), len(steps))
        result.asn_ledger = asn.ledger.to_pandas() if asn.online else None
        self._finish(result, asked)
        return result

    @property
    def result(self) -> NetworkFlowResult | None:
        """Result of the most recent run, or None."""
        return self._result

    @property
    def asn_selector(self) -> Any:
        """The msticpy `SelectSubset` of the latest result, or None before `select_asns`."""
        return self._latest.asn_selector

    def select_asns(self, asns: Iterable[str] | None = None) -> None:
        """Select ASNs of the latest result (see `NetworkFlowResult.select_asns`).

        Parameters
        ----------
        asns
            Initial selection, for front ends without widgets.
        """
        self._latest.select_asns(asns)

    def lookup_ti_for_asn_ips(self) -> None:
        """Look up threat intelligence for the selected ASNs of the latest result.

        See `NetworkFlowResult.lookup_ti_for_asn_ips`.
        """
        self._latest.lookup_ti_for_asn_ips()

    def show_selected_asn_map(self) -> FoliumMap | None:
        """Show the selected ASNs of the latest result on a map.

        See `NetworkFlowResult.show_selected_asn_map`.

        Returns
        -------
        msticpy.vis.foliummap.FoliumMap or None
            The map; None before `select_asns`.
        """
        return self._latest.show_selected_asn_map()

    @property
    def _latest(self) -> NetworkFlowResult:
        """The latest result, or one without data, whose methods print what to run first."""
        return self._result or NetworkFlowResult(description=self.name())

    def _plot_flows(self, result: NetworkFlowResult, tables: HostTables, silent: bool) -> None:
        from flowtriage.viz import timelines as plots

        result.plot_flows_by_protocol = plots.plot_flows_by_protocol(tables.by_protocol)
        by_direction = timeline(tables.flows, by="FlowDirection")
        result.plot_flows_by_direction = plots.plot_flows_by_direction(by_direction)
        for name in ("plot_flows_by_protocol", "plot_flows_by_direction"):
            result.present(self.section(name, getattr(result, name)), silent=silent)

    def _plot_flow_values(
        self, result: NetworkFlowResult, tables: HostTables, silent: bool
    ) -> None:
        from flowtriage.viz import timelines as plots

        result.plot_flow_values = plots.plot_flow_values(tables.by_protocol)
        section = self.section("plot_flow_values", result.plot_flow_values)
        result.present(section, silent=silent)

    def _summarise(self, result: NetworkFlowResult, tables: HostTables, silent: bool) -> None:
        summary = flow_summary(tables.index, asn=tables.asn)
        result.flow_index = tables.index.to_pandas()
        result.flow_index_data = Lazy(partial(index_data, tables.flows))
        result.flow_summary = with_lists(summary)
        frequent_first = tables.index.sort_by([("TotalAllowedFlows", "descending")])
        result.present(self.section("flow_index", frequent_first), silent=silent)
        online = messages(tables.asn.ledger)
        result.present(self.section("flow_summary", *online, summary), silent=silent)

    def _draw_map(self, result: NetworkFlowResult, tables: HostTables, silent: bool) -> None:
        from flowtriage.viz.maps.geo_map import geo_map

        geoip = locations(getattr(self.data_providers, "providers", {}))
        result.geo_map = geo_map(
            tables.index, host_addresses=tables.addresses, asn=tables.asn, geoip=geoip
        )
        result.present(self.section("geo_map", result.geo_map), silent=silent)


def _span_of(start: Any, end: Any) -> Timespan | None:
    return Timespan(start, end) if start and end else None
