"""Messages about a run's host and its flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowtriage.analysis.hosts import busiest_addresses
from flowtriage.humanize import counted
from flowtriage.inputs.timespan import Timespan
from flowtriage.network_flow_summary.selection import HostRequest, Selection
from flowtriage.providers.flow_queries import DENIED_LEFT_OUT
from flowtriage.quality.bad_rows import hosts_of
from flowtriage.quality.numbers import few, flows_counted
from flowtriage.quality.sums import exact_sum


def absence_messages(selection: Selection, request: HostRequest, *, several: bool) -> list[str]:
    """Return what was read instead of a host without flows, or, of several, which have none."""
    host, flows = selection.host, selection.flows
    if not host.flows.num_rows:
        return [_absence(selection, request.span)]
    if not several or not host.absent:
        return []
    verb = "does" if len(host.absent) == 1 else "do"
    records = counted(flows.report.known_records, "record")
    return [f"{few(host.absent)} {verb} not occur in the {records} read."]


def host_messages(selection: Selection, request: HostRequest, absences: Sequence[str]) -> list[str]:
    """Return the name and flows of a host, what is absent, its addresses, and its ambiguities."""
    host, facts, flows = selection.host, selection.facts, selection.flows
    messages = list(absences)
    if host.flows.num_rows:
        allowed, denied = (exact_sum(host.flows[name]) for name in ("flows", "denied_flows"))
        records = counted(flows.report.known_records, "record")
        amount = flows_counted(allowed, denied)
        messages.insert(0, f"{host.label}: {host.flows.num_rows:,} of {records}, {amount}.")
    origins = dict(facts.origins)
    own = host.addresses if not host.networks else ()
    if any(address not in request.addresses for address in own):
        given = dict.fromkeys(request.addresses, "given")
        messages.append(f"Its addresses: {_listed(own, origins | given)}.")
    if selection.others:
        name = facts.name or host.name or "the host"
        messages.append(
            f"Flows of other addresses of {name} are not included: "
            f"{_listed(selection.others, origins)}."
            + ("" if request.name else " all_addresses=True includes those of the timespan.")
        )
    if repeated := flows.report.rows_duplicate:
        messages.append(
            f"{counted(repeated, 'record')} left out: another machine logged the same flow; each "
            "flow counts once (deduplicate=False keeps all)."
        )
    if DENIED_LEFT_OUT in flows.report.limits:
        messages.append(f"{DENIED_LEFT_OUT}.")
    names = facts.candidates or (() if facts.name else host.candidates)
    if names:
        messages.append(f"Its addresses have several host names: {', '.join(names)}.")
    if len(selection.groups) > 1:
        messages.append(
            f"Machines of several resource groups have this name: {', '.join(selection.groups)}; "
            "their flows are added up. A run by address takes those of one."
        )
    return [*messages, *facts.problems]


def _listed(addresses: Sequence[str], origins: Mapping[str, str]) -> str:
    return few([f"{address} ({origins.get(address, 'flows')})" for address in addresses])


def _absence(selection: Selection, span: Timespan | None) -> str:
    """Return which records were read instead of those of a host: how many, whose, and when."""
    label, flows, returned = selection.host.label, selection.flows, selection.returned
    report = flows.report
    if not len(flows) and report.rows_outside and returned is None:
        when = f" ({report.outside})" if report.outside else ""
        records = counted(report.rows_outside, "record")
        return f"None of the {records} read starts in the timespan{when}."
    if (
        returned is not None
        and len(returned)
        and (report.other_hosts or len(flows) < len(returned))
    ):
        whose = few([str(other) for other in hosts_of(returned)])
        outside = (
            f"; {counted(report.rows_outside, 'starts', 'start')} outside it"
            if report.rows_outside
            else ""
        )
        if report.other_hosts:
            count = f"{counted(len(returned), 'record')} returned"
            return f"{label} does not occur in the {count}: {whose}{outside}."
        return (
            f"{label} has no flows in the timespan{f' {span}' if span else ''}. Records read: "
            f"{len(returned):,} in all, {whose}{outside}."
        )
    when = f", {report.span}" if report.span else ""
    looked_at = report.rows_of_other_hosts and selection.source
    busiest = ", ".join(busiest_addresses(looked_at or flows.to_arrow()))
    hint = f" The busiest sources are {busiest}." if busiest else ""
    return (
        f"{label} does not occur in the {counted(report.known_records, 'record')} read{when}.{hint}"
    )
