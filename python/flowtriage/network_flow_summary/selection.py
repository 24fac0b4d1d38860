"""Select the flows of a host from data or a provider, each flow once."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.hosts import HostFlows, addresses_of_name, flows_of_host
from flowtriage.analysis.read_host import is_large, read_flows_of_host
from flowtriage.errors import ArgumentError, MsticnbMissingParameterError
from flowtriage.inputs.arrow import FlowSource
from flowtriage.inputs.hosts import is_network, matching_name
from flowtriage.inputs.timespan import Timespan, within
from flowtriage.msticnb import as_theirs
from flowtriage.network_flow_summary.observations import repeated_observations
from flowtriage.providers import LocalFlows, QueryProvider
from flowtriage.providers.flow_queries import QueriedFlows, query_host_flows
from flowtriage.providers.host_queries import INTERFACE, HostFacts, query_host
from flowtriage.providers.service_limits import possibly_cut
from flowtriage.quality.bad_rows import hosts_of
from flowtriage.read.flows import Flows, ReadRequest
from flowtriage.read.named_ends import addresses_at_ends, with_named_ends, without_named_ends
from flowtriage.read.read_flows import read_flows, read_request
from flowtriage.read.source_columns import SOURCE_ROW, SourceColumns, frames_of, read_frames

_MAX_QUERIED = 256
_POSITION = "position"


@dataclass(frozen=True)
class HostRequest:
    """The host of a run, and how its flows are selected.

    Attributes
    ----------
    name, addresses
        Name, and addresses or CIDR prefixes in canonical notation, as given.
    span
        Timespan of the flows' start times.
    resolve
        Whether to resolve the name and the addresses.
    all_addresses
        Whether flows of the other addresses of a host given by address are selected.
    deduplicate
        Whether a flow that several machines logged counts once.
    """

    name: str | None
    addresses: tuple[str, ...]
    span: Timespan | None = None
    resolve: bool = True
    all_addresses: bool = False
    deduplicate: bool = True


@dataclass(frozen=True)
class TimeNotation:
    """Time zone, and order of day and month, of times in data, as for `read_flows`."""

    tz: str | None = None
    date_order: str | None = None


@dataclass(frozen=True)
class Selection:
    """The flows that were read, those of the host among them, and the facts about it.

    `others` are the known addresses of the host whose flows are not selected; `returned` is what
    was read before the timespan applied, if that is known. `rows` and `columns` provide the
    columns of the source; `source` is what was searched for the host. `whole` says whether `flows`
    has the flows of other hosts, if the source has any.
    """

    flows: Flows
    host: HostFlows
    facts: HostFacts
    others: tuple[str, ...] = ()
    returned: pa.Table | None = None
    rows: pa.ChunkedArray | None = None
    columns: SourceColumns | None = None
    source: ReadRequest | None = None
    whole: bool = True

    @cached_property
    def groups(self) -> list[str]:
        """The resource groups of the machines that logged flows under the name of the host."""
        name = self.facts.name or self.host.name
        if not name or self.rows is None or self.columns is None:
            return []
        pairs = self.columns.pairs(self.rows, "VMName", "ResourceGroup")
        found = {
            group.casefold(): group for vm, group in pairs if group and matching_name(name, [vm])
        }
        return sorted(found.values())


def select_flows(
    request: HostRequest,
    data: FlowSource | None,
    provider: QueryProvider | LocalFlows | None,
    times: TimeNotation = TimeNotation(),
) -> Selection:
    """Select the flows of a host from data, or else from a query provider."""
    facts = HostFacts(request.name, request.addresses)
    queried: QueriedFlows | None = None
    source: ReadRequest | None = None
    if data is None:
        if times != TimeNotation():
            raise ArgumentError(
                "tz and date_order are about times in data; give data=, or omit them"
            )
        provider, span = _checked(provider, request.span)
        if isinstance(provider, LocalFlows):
            whole = ReadRequest.parse(provider.paths, format=provider.format, timespan=span)
            flows, facts = _read_whole(whole, request, facts)
        else:
            queried, facts = _query(provider, request, span)
    elif frames := frames_of(data):
        queried = QueriedFlows(*read_frames(frames, **asdict(times)))
        report = queried.flows.report
        if any(name.startswith("azure") for name in report.formats):
            cut = filter(None, (possibly_cut(len(frame)) for frame in frames))
            report.incomplete += [f"DataFrame: {message}" for message in cut]
    else:
        source = ReadRequest.parse(data, timespan=request.span, **asdict(times))
        flows, facts = _read(source, request, facts)
    if queried:
        flows = read_flows(queried.flows, timespan=request.span)
        facts = _with_named_ends(facts, flows.to_arrow(), request, queried.columns)
    if request.deduplicate and pc.count_distinct(flows.to_arrow()["host"], mode="all").as_py() > 1:
        flows, host = _each_once(flows, request, facts)
    else:
        host = _host(flows.to_arrow(), request, facts)
    others = _other_addresses(flows.to_arrow(), host, facts)
    if not queried:
        has_all = not flows.report.rows_of_other_hosts
        return Selection(flows, host, facts, others, source=source, whole=has_all)
    returned = queried.flows.to_arrow()
    if data is None and not len(host.flows) and not len(_host(returned, request, facts).flows):
        flows = Flows(flows.to_arrow().slice(0, 0), flows.report)
        flows.report.other_hosts += hosts_of(returned)
        flows.report.describe(flows.to_arrow())
    rows = host.flows[SOURCE_ROW]
    host = replace(host, flows=host.flows.drop_columns([SOURCE_ROW]))
    flows = Flows(flows.to_arrow().drop_columns([SOURCE_ROW]), flows.report)
    given = data is not None
    return Selection(flows, host, facts, others, returned, rows, queried.columns, whole=given)


def _read(source: ReadRequest, request: HostRequest, facts: HostFacts) -> tuple[Flows, HostFacts]:
    """Read the flows of a source; of large logs those of the host and of its machine only.

    The facts have the addresses at which rows name the machine, whoever logged them.
    """
    if not is_large(source.source):
        return _read_whole(source, request, facts)
    flows, host = read_flows_of_host(source, *_given(request), resolve=request.resolve)
    if host.name and not request.name and not host.networks:
        flows, _ = read_flows_of_host(source, host.name, request.addresses)
    elif request.name:
        facts = _with_addresses(facts, host.addresses)
    return flows, facts


def _read_whole(
    source: ReadRequest, request: HostRequest, facts: HostFacts
) -> tuple[Flows, HostFacts]:
    if not request.name or not request.resolve:
        return read_request(source), facts
    flows = read_request(with_named_ends(source))
    flows, ends = without_named_ends(flows, request.name)
    return flows, _with_addresses(facts, ends)


def _with_addresses(facts: HostFacts, addresses: Sequence[str]) -> HostFacts:
    return replace(facts, addresses=tuple(dict.fromkeys([*facts.addresses, *addresses])))


def _checked(
    provider: QueryProvider | LocalFlows | None, span: Timespan | None
) -> tuple[QueryProvider | LocalFlows, Timespan]:
    """Return the provider and the timespan of a run without data, which requires both."""
    if provider is None:
        raise _missing(
            "data is missing, and no query provider is loaded; give data= (a path, a DataFrame "
            "or an Arrow table), or load a provider with flowtriage.init(…)"
        )
    if span is None or span.start is None or span.end is None:
        raise _missing(
            "timespan is missing; give timespan=, or start= and end=, for flows from the "
            "query provider"
        )
    return provider, span


def _missing(message: str) -> MsticnbMissingParameterError:
    return as_theirs(MsticnbMissingParameterError(message))


def _query(
    provider: QueryProvider, request: HostRequest, span: Timespan
) -> tuple[QueriedFlows, HostFacts]:
    """Query a provider for the facts about a host, if they are to be resolved, and its flows."""
    facts = HostFacts(request.name, request.addresses)
    if any(map(is_network, request.addresses)):
        addresses = _expanded(request.addresses)
        return query_host_flows(provider, request.name, addresses, span, resolve=False), facts
    if request.resolve:
        facts = query_host(provider, *_given(request), span, all_addresses=request.all_addresses)
    name = facts.name if request.name or request.all_addresses else None
    found = query_host_flows(provider, name, facts.addresses, span, resolve=request.resolve)
    if request.resolve and request.all_addresses and not name:
        # Only the flows know the name of the machine.
        own = flows_of_host(within(found.flows.to_arrow(), span), *_given(request)).name
        if own:
            found = query_host_flows(provider, own, facts.addresses, span)
    return found, facts


def _given(request: HostRequest) -> tuple[str | None, tuple[str, ...]]:
    return request.name, request.addresses


def _expanded(hosts: Sequence[str]) -> tuple[str, ...]:
    """Return all addresses of hosts, for a provider that has no query by network."""
    networks = [ipaddress.ip_network(host) for host in hosts]
    if sum(network.num_addresses for network in networks) > _MAX_QUERIED:
        raise ArgumentError(
            f"{', '.join(hosts)}: a query provider takes {_MAX_QUERIED} addresses at most; give "
            "a smaller network, or the flows as data="
        )
    return tuple(str(address) for network in networks for address in network)


def _host(flows: pa.Table, request: HostRequest, facts: HostFacts) -> HostFlows:
    """Select the flows of the host; those of its other addresses only if requested."""
    if request.name:
        return flows_of_host(flows, facts.name, facts.addresses, resolve=request.resolve)
    if not request.all_addresses or not request.resolve:
        return flows_of_host(flows, None, facts.addresses, resolve=request.resolve)
    name = facts.name or flows_of_host(flows, None, request.addresses).name
    return flows_of_host(flows, name, facts.addresses)


def _with_named_ends(
    facts: HostFacts, flows: pa.Table, request: HostRequest, columns: SourceColumns
) -> HostFacts:
    """Add the addresses at which flows of other machines name the host."""
    if not request.name or not request.resolve:
        return facts
    named = addresses_at_ends(flows, columns, facts.name or request.name)
    return _with_addresses(facts, named)


def _other_addresses(flows: pa.Table, host: HostFlows, facts: HostFacts) -> tuple[str, ...]:
    """Return the known addresses of a host whose flows are not selected."""
    known = [address for address, _ in facts.origins]
    if host.name and not host.networks:
        known += addresses_of_name(flows, host.name)
    shared = set(facts.public) - {a for a, origin in facts.origins if origin == INTERFACE}
    return tuple(dict.fromkeys(a for a in known if a not in {*host.addresses, *shared}))


def _each_once(flows: Flows, request: HostRequest, facts: HostFacts) -> tuple[Flows, HostFlows]:
    """Drop records of the host's flows that another machine logged too; the report counts them."""
    table = flows.to_arrow()
    numbered = table.append_column(_POSITION, pa.array(np.arange(len(table))))
    host = _host(numbered, request, facts)
    repeated = repeated_observations(host.flows, host.name, host.addresses)
    if repeated.any():
        kept = np.ones(len(table), dtype=bool)
        kept[host.flows[_POSITION].to_numpy()[repeated]] = False
        flows = Flows(table.filter(pa.array(kept)), flows.report)
        flows.report.rows_duplicate += int(repeated.sum())
        flows.report.describe(flows.to_arrow())
    flows.report.without_duplicates()
    selected = host.flows.filter(pa.array(~repeated)).drop_columns([_POSITION])
    return flows, replace(host, flows=selected)
