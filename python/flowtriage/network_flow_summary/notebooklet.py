"""The notebooklet class `NetworkFlowSummary`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from flowtriage.analysis.aggregate import timeline
from flowtriage.analysis.folding import fold_index, fold_summary
from flowtriage.detect import detector_status
from flowtriage.detect.of_host import findings_of_host
from flowtriage.enrich.asn import AsnDatabase, as_database
from flowtriage.enrich.online import messages
from flowtriage.enrich.reputation import DEFAULT_TIME_LIMIT
from flowtriage.inputs.addresses import as_list
from flowtriage.inputs.arrow import FlowSource
from flowtriage.inputs.hosts import host_label, parse_host
from flowtriage.inputs.networks import NetworksLike
from flowtriage.inputs.timespan import TimeLike, Timespan, TimespanLike
from flowtriage.network_flow_summary.asn_selection import AsnLike
from flowtriage.network_flow_summary.findings import findings_frame, section_contents
from flowtriage.network_flow_summary.host import HostValue, first_reverse_name, host_entity
from flowtriage.network_flow_summary.messages import absence_messages, host_messages
from flowtriage.network_flow_summary.result import MAX_ADDRESSES, NetworkFlowResult, locations
from flowtriage.network_flow_summary.selection import HostRequest, TimeNotation, select_flows
from flowtriage.network_flow_summary.tables import (
    HostTables,
    index_data,
    network_flows,
    with_lists,
)
from flowtriage.notebooklet import Notebooklet
from flowtriage.notebooklet.result import Lazy
from flowtriage.progress import report_progress
from flowtriage.quality import warn_notices
from flowtriage.quality.report import ReadReport

if TYPE_CHECKING:
    import pandas as pd
    from msticpy.nbwidgets import SelectSubset
    from msticpy.vis.foliummap import FoliumMap

_TABLES = ("flow_index", "flow_summary")
"""Sections whose tables findings link to."""


class NetworkFlowSummary(Notebooklet):
    """Summarise a host's network flows: findings, timelines, flow index, summary by ASN, map.

    Takes the network flows of a host or address, from data or from a provider, and

    - looks for beacons, scans, uploads and other findings
    - plots the flows by protocol and by direction
    - plots the number of flows by protocol
    - lists the flows by source, destination, protocol and direction
    - lists the flows by ASN
    - shows the addresses on a map

    Parameters
    ----------
    data_providers
        Providers of flows, threat intelligence and locations; None takes the current
        `DataProviders` at each run.
    silent
        Whether runs display nothing; None takes the option `silent` of the session.
    **parameters
        Parameters of providers that are not loaded yet, as for `DataProviders`.

    Methods
    -------
    - run: main method.
    - select_asns: select the ASNs to inspect.
    - lookup_ti_for_asn_ips: look up threat intelligence for the addresses of the selected ASNs.
    - show_selected_asn_map: show the addresses of the selected ASNs, with any threats, on a map.

    Default Options
    ---------------
    - plot_flows: Plot flows by protocol and by direction.
    - plot_flow_values: Plot the number of flows by protocol.
    - flow_summary: Summarise all flows, and all flows grouped by ASN.
    - resolve_host: Resolve the host's name and addresses first.
    - findings: Look for beacons, scans, uploads and other findings.

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

    def run(
        self,
        value: HostValue | None = None,
        data: FlowSource | None = None,
        timespan: TimespanLike | None = None,
        options: Iterable[str] | None = None,
        *,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        silent: bool | None = None,
        asn: AsnDatabase | str | os.PathLike[str] | None = None,
        reverse_dns: bool = False,
        deduplicate: bool = True,
        all_addresses: bool = False,
        tz: str | None = None,
        date_order: str | None = None,
        internal: NetworksLike | None = None,
    ) -> NetworkFlowResult:
        """Summarise the network flows of a host.

        Parameters
        ----------
        value
            Host name, address, CIDR prefix, a msticpy `Host` or `IpAddress`, or a list of them
            with one name at most. A prefix stands for all of its addresses in the flows.
            Required.
        data
            The flows: a path, a list of paths, a `pandas.DataFrame`, or an Arrow object. None
            queries the query provider, which is not used otherwise.
        timespan
            A msticpy `TimeSpan`, or any object with `start`, `end` or `period`, such as a
            `QueryTime`. Flows that start outside it are excluded. Required without `data`, to
            now if it has no end; with `data`, None includes all flows.
        options
            Names of options; None takes the default ones, `+name` adds to them and `-name`
            removes from them (see `list_options`).

        Other Parameters
        ----------------
        start, end
            Alternative to `timespan`.
        silent
            Whether this run displays nothing; None takes the setting of the notebooklet.
        asn
            An `AsnDatabase`, or the path of one; None takes the bundled one. `"online"` takes
            the bundled one, and online services for public addresses without a record in it.
        reverse_dns
            Whether to query DNS for the name of a host without another name, for up to five
            seconds per address.
        deduplicate
            Whether a flow that several machines logged counts once: as the host logged it, or else
            the machine with the most bytes or records. Records of one 5-tuple are of one flow if
            their times overlap; a port or protocol that one of them lacks equals any. Flows that
            the host refused count as refused, also if a peer allowed them; those that a peer
            refused are kept. The report counts the records that are left out.
        all_addresses
            Whether a run by address includes the flows of the other addresses of its machine,
            which a run by name does: those that its flows report, and those of its network
            interfaces and heartbeat from within a day of the timespan. Requires `resolve_host`.
        tz, date_order
            Time zone, and order of day and month, of times in `data`, as for `read_flows`.
            `Flows` are read already.
        internal
            Internal networks for the findings, as for `flowtriage.hunt`.

        Returns
        -------
        NetworkFlowResult
            Attributes of options that were not requested are None.

        Raises
        ------
        MsticnbMissingParameterError
            If `value` is missing or, without `data`, a provider or a timespan.
        MsticnbDataProviderError
            If the provider is not connected or has no network flows, or all queries fail.
        AmbiguousHostError
            If a host name matches several hosts; `candidates` has their names.
        ArgumentError
            If an option is unknown, the timespan is invalid or ends before it starts, a date in
            the data is ambiguous, `tz` or `date_order` is invalid or given without `data`, or
            `internal` is invalid.
        InputError, OSError
            If the data cannot be read.

        Warns
        -----
        UserWarning
            If the run is silent, and the host does not occur or the flows have limits that a
            notice would show, such as bad rows.
        """
        arguments = self._run_arguments(
            value, data, timespan, options, start=start, end=end, silent=silent
        )
        if data is None and arguments.span:  # a query needs an end
            arguments = replace(arguments, span=arguments.span.until_now())
        name, addresses = parse_host(value)
        database = as_database(asn)
        request = HostRequest(
            name,
            addresses,
            arguments.span,
            resolve="resolve_host" in arguments.options,
            all_addresses=all_addresses,
            deduplicate=deduplicate,
        )
        provider = self.query_provider if data is None else None
        found = select_flows(request, data, provider, TimeNotation(tz, date_order))
        host, facts, report = found.host, found.facts, found.flows.report
        absences = absence_messages(found, request, several=len(as_list(value)) > 1)
        if absences and host.flows.num_rows:
            name, facts_name = (None if n in host.absent else n for n in (name, facts.name))
            addresses = tuple(one for one in addresses if one not in host.absent)
            facts, host = replace(facts, name=facts_name), host.present()
            found = replace(found, facts=facts, host=host)
        about = None
        if "findings" in arguments.options:
            report_progress("findings", 0)
            flows = found.flows.to_arrow()
            about = findings_of_host(
                flows, host, whole=found.whole, internal=internal, asn=database
            )
        tables = HostTables(host.flows, host.addresses, database, about)
        result = NetworkFlowResult(
            description=f"Network flow summary for {name or host_label(addresses)}",
            timespan=arguments.span or _timespan(report),
            notebooklet=self,
            report=report,
            tables=tables,
            silent=silent,
        )
        result.credits = database.credits
        unnamed = not (facts.name or host.name or host.networks)
        dns_name = first_reverse_name(host.addresses) if reverse_dns and unnamed else None
        result.host_entity = host_entity(value, host, facts, dns_name)
        source = (host.flows, found.rows, found.columns)
        result.network_flows = Lazy(partial(network_flows, *source))
        if "flow_summary" in arguments.options:
            result.flow_index_data = Lazy(partial(index_data, *source))
        texts = host_messages(found, request, absences)
        section = self.section("run", *texts, *result.notice())
        result.present(section, silent=arguments.silent)
        linked = [name for name in _TABLES if "flow_summary" in arguments.options]
        steps: list[tuple[str, Callable[[NetworkFlowResult, HostTables, bool], None]]] = [
            ("findings", partial(self._show_findings, linked=linked)),
            ("plot_flows", self._plot_flows),
            ("plot_flow_values", self._plot_flow_values),
            ("flow_summary", self._summarise),
            ("geo_map", self._draw_map),
        ]
        for done, (option, step) in enumerate(steps):
            if option in arguments.options:
                report_progress(f"{option} of {result.description}", done, len(steps))
                step(result, tables, arguments.silent)
        report_progress(result.description, len(steps), len(steps))
        result.asn_ledger = database.ledger.to_pandas() if database.online else None
        self._finish(result, arguments)
        if arguments.silent:
            warn_notices(result.report, " ".join(absences))
        return result

    @property
    def result(self) -> NetworkFlowResult | None:
        """Result of the latest run, or None."""
        return self._result

    @property
    def flow_index_data(self) -> pd.DataFrame:
        """Input of the index of the latest result; empty without one."""
        import pandas as pd

        data = self._latest.flow_index_data
        return pd.DataFrame() if data is None else data

    @property
    def asn_selector(self) -> SelectSubset | None:
        """The msticpy `SelectSubset` of the latest result, or None before `select_asns`."""
        return self._latest.asn_selector

    def select_asns(self, asns: AsnLike | Iterable[AsnLike] | None = None) -> None:
        """Select ASNs of the latest result (see `NetworkFlowResult.select_asns`).

        Parameters
        ----------
        asns
            Initial selection, for front ends without widgets.
        """
        self._latest.select_asns(asns)

    def lookup_ti_for_asn_ips(
        self,
        time_limit: float | None = DEFAULT_TIME_LIMIT,
        *,
        max_addresses: int | None = MAX_ADDRESSES,
    ) -> None:
        """Look up threat intelligence for the selected ASNs of the latest result.

        Parameters
        ----------
        time_limit, max_addresses
            As for `NetworkFlowResult.lookup_ti_for_asn_ips`.
        """
        self._latest.lookup_ti_for_asn_ips(time_limit, max_addresses=max_addresses)

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

    def _show_findings(
        self, result: NetworkFlowResult, tables: HostTables, silent: bool, linked: Sequence[str]
    ) -> None:
        found = tables.found
        if found is None:
            return
        result.findings = findings_frame(found.table)
        result.detector_status = detector_status(found.table).to_pandas()
        titles = {name: self.section(name).title for name in linked}
        contents = section_contents(found, tables.addresses, titles)
        result.present(self.section("findings", *contents), silent=silent)

    def _plot_flows(self, result: NetworkFlowResult, tables: HostTables, silent: bool) -> None:
        from flowtriage.viz import timelines

        result.plot_flows_by_protocol = timelines.plot_flows_by_protocol(tables.by_protocol)
        by_direction = timeline(tables.flows, by="FlowDirection")
        result.plot_flows_by_direction = timelines.plot_flows_by_direction(by_direction)
        for name in ("plot_flows_by_protocol", "plot_flows_by_direction"):
            result.present(self.section(name, getattr(result, name)), silent=silent)

    def _plot_flow_values(
        self, result: NetworkFlowResult, tables: HostTables, silent: bool
    ) -> None:
        from flowtriage.viz import timelines

        result.plot_flow_values = timelines.plot_flow_values(tables.by_protocol)
        section = self.section("plot_flow_values", result.plot_flow_values)
        result.present(section, silent=silent)

    def _summarise(self, result: NetworkFlowResult, tables: HostTables, silent: bool) -> None:
        result.flow_index = tables.index.to_pandas()
        result.flow_summary = with_lists(tables.by_as)
        index = fold_index(tables.index, tables.named_peers)
        told = index.messages("rows of peers with a few flows each", "result.flow_index")
        result.present(self.section("flow_index", *told, index), silent=silent)
        by_as = fold_summary(tables.by_as, tables.named_peers)
        told = by_as.messages("rows of AS with a few flows per address", "result.flow_summary")
        online = messages(tables.asn.ledger)
        result.present(self.section("flow_summary", *online, *told, by_as), silent=silent)

    def _draw_map(self, result: NetworkFlowResult, tables: HostTables, silent: bool) -> None:
        from flowtriage.viz.maps.geo_map import geo_map

        geoip = locations(getattr(self.data_providers, "providers", {}))
        result.geo_map = geo_map(
            tables.index, host_addresses=tables.addresses, asn=tables.asn, geoip=geoip
        )
        result.present(self.section("geo_map", result.geo_map), silent=silent)


def _timespan(report: ReadReport) -> Timespan | None:
    return Timespan(report.start, report.end) if report.start and report.end else None
