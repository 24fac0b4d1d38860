"""What can be done with the ASNs of a summary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flowtriage.analysis.aggregate import flow_index, flow_summary, timeline
from flowtriage.analysis.hosts import flows_of_host
from flowtriage.enrich.asn import AsnDatabase, as_database
from flowtriage.enrich.online import messages
from flowtriage.inputs.hosts import parse_host
from flowtriage.inputs.timespan import Timespan
from flowtriage.network_flow_summary.host import ask, dns_name_of, host_entity, notices
from flowtriage.network_flow_summary.result import (
    AsnWork,
    NetworkFlowResult,
    index_data,
    locations,
    shown,
    with_lists,
)
from flowtriage.notebooklet import Notebooklet
from flowtriage.notebooklet.result import Lazy
from flowtriage.progress import report_progress
from flowtriage.providers.host_queries import HostFacts
from flowtriage.read.read_flows import read_flows
from flowtriage.render.notebook import show
from flowtriage.render.section import Section

if TYPE_CHECKING:
    from msticpy.vis.foliummap import FoliumMap


class AsnMethods(Notebooklet):
    """The methods that look more closely at some ASNs of the latest summary."""

    _asn_work: AsnWork | None

    @property
    def asn_selector(self) -> Any:
        """The msticpy `SelectSubset` of `select_asns`, or None before."""
        return self._asn_work.selector if self._asn_work else None

    def select_asns(self, asns: Iterable[str] | None = None) -> None:
        """Show a widget to choose the ASNs that the next steps work on.

        Selected to begin with are the ASNs with as few flows as the least used quarter has,
        without those of the host itself. The choice can be read, at any time, from
        `asn_selector.selected_items`.

        Parameters
        ----------
        asns
            Select these to begin with, for front ends without widgets.
        """
        if self._asn_work is None:
            print("Use run() with the option flow_summary before select_asns().")
            return
        show(self.section("select_asns", *self._asn_work.select(asns)))

    def lookup_ti_for_asn_ips(self) -> None:
        """Look up threat intelligence for the addresses of the selected ASNs.

        The providers `tilookup` (msticpy's `TILookup`) and `blocklists` (local block lists) are
        asked, as far as they are loaded, about public addresses only. `ti_results` of the result
        has the answers and `ti_coverage` who was asked about how many, and who answered.
        """
        work = self._asn_work
        if work is None or work.selector is None:
            print("Use run() with the option flow_summary, then select_asns(), and then this.")
            return
        contents = work.look_up(self._providers, progress=not self.silent)
        self._refresh(work.result, self.section("ti_results", *contents))

    def show_selected_asn_map(self) -> FoliumMap | None:
        """Show the addresses of the selected ASNs on a map, threats in red.

        Threats are the addresses that `lookup_ti_for_asn_ips` found; without it, the map tells of
        none.

        Returns
        -------
        msticpy.vis.foliummap.FoliumMap or None
            The map, which is `geo_map_selected` of the result as well; None where nothing is
            selected yet.
        """
        work = self._asn_work
        if work is None or work.selector is None:
            print(
                "Use run() with the option flow_summary, then select_asns(), then "
                "lookup_ti_for_asn_ips() if wanted, and then this."
            )
            return None
        drawing = work.draw(self._providers)
        self._refresh(work.result, self.section("geo_map_selected", drawing))
        return drawing if self.silent else shown(drawing)

    @property
    def _providers(self) -> dict[str, Any]:
        return dict(getattr(self.data_providers, "providers", {}))

    def _refresh(self, result: NetworkFlowResult, section: Section) -> None:
        """Present a section in the place of an earlier one with its title."""
        result.sections[:] = [one for one in result.sections if one.title != section.title]
        self._present(result, section, silent=self.silent)


class NetworkFlowSummary(AsnMethods):
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

    def __init__(self, data_providers: Any = None, **kwargs: Any) -> None:
        """Make a new instance of the notebooklet."""
        super().__init__(data_providers, **kwargs)
        self._asn_work: AsnWork | None = None

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
        name, addresses = parse_host(value)
        asn = as_database(kwargs.get("asn"))
        learn = "resolve_host" in asked.options
        facts = HostFacts(name, addresses)
        if data is None:
            flows, facts = ask(self.query_provider, facts, asked.span, learn=learn)
        else:
            flows = read_flows(data, timespan=asked.span)
        host = flows_of_host(flows.to_arrow(), facts.name, facts.addresses, resolve=learn)
        result = NetworkFlowResult(
            description=f"Network flow summary for {name or ', '.join(addresses)}",
            timespan=asked.span or _span_of(flows.report.start, flows.report.end),
            notebooklet=self,
            report=flows.report,
        )
        result.credits = asn.credits
        named = facts.name or host.name
        dns_name = dns_name_of(host.addresses) if kwargs.get("reverse_dns") and not named else None
        result.host_entity = host_entity(value, host, facts, dns_name)
        result.network_flows = Lazy(host.flows.to_pandas)
        heading = self.section("run", *notices(host, facts, flows.to_arrow()))
        self._present(result, heading, silent=asked.silent)
        work = _HostTables(host.flows, host.addresses, asn)
        steps = [
            ("plot_flows", self._plot_flows),
            ("plot_flow_values", self._plot_flow_values),
            ("flow_summary", self._summarise),
            ("geo_map", self._draw_map),
        ]
        for done, (option, step) in enumerate(steps):
            if option in asked.options:
                report_progress(f"{option} of {result.description}", done, len(steps))
                step(result, work, asked.silent)
        report_progress(result.description, len(steps), len(steps))
        result.asn_ledger = asn.ledger.to_pandas() if asn.online else None
        summarised = "flow_summary" in asked.options
        self._asn_work = AsnWork(result, work.index, work.addresses, asn) if summarised else None
        self._finish(result, asked)
        return result

    def _plot_flows(self, result: NetworkFlowResult, work: _HostTables, silent: bool) -> None:
        from flowtriage.viz import timelines as plots

        result.plot_flows_by_protocol = plots.plot_flows_by_protocol(work.by_protocol)
        by_direction = timeline(work.flows, by="FlowDirection")
        result.plot_flows_by_direction = plots.plot_flows_by_direction(by_direction)
        for name in ("plot_flows_by_protocol", "plot_flows_by_direction"):
            self._present(result, self.section(name, getattr(result, name)), silent=silent)

    def _plot_flow_values(self, result: NetworkFlowResult, work: _HostTables, silent: bool) -> None:
        from flowtriage.viz import timelines as plots

        result.plot_flow_values = plots.plot_flow_values(work.by_protocol)
        section = self.section("plot_flow_values", result.plot_flow_values)
        self._present(result, section, silent=silent)

    def _summarise(self, result: NetworkFlowResult, work: _HostTables, silent: bool) -> None:
        summary = flow_summary(work.index, asn=work.asn)
        result.flow_index = work.index.to_pandas()
        result.flow_index_data = Lazy(partial(index_data, work.flows))
        result.flow_summary = with_lists(summary)
        frequent_first = work.index.sort_by([("TotalAllowedFlows", "descending")])
        self._present(result, self.section("flow_index", frequent_first), silent=silent)
        online = messages(work.asn.ledger)
        self._present(result, self.section("flow_summary", *online, summary), silent=silent)

    def _draw_map(self, result: NetworkFlowResult, work: _HostTables, silent: bool) -> None:
        from flowtriage.viz.maps.geo_map import geo_map

        geoip = locations(self._providers)
        result.geo_map = geo_map(
            work.index, host_addresses=work.addresses, asn=work.asn, geoip=geoip
        )
        self._present(result, self.section("geo_map", result.geo_map), silent=silent)


@dataclass(frozen=True)
class _HostTables:
    """A host's flows, and what several options make of them."""

    flows: pa.Table
    addresses: tuple[str, ...]
    asn: AsnDatabase

    @cached_property
    def by_protocol(self) -> pa.Table:
        return timeline(self.flows, by="L7Protocol")

    @cached_property
    def index(self) -> pa.Table:
        return flow_index(self.flows)


def _span_of(start: Any, end: Any) -> Timespan | None:
    return Timespan(start, end) if start and end else None
