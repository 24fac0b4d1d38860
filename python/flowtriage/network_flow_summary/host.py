"""The host of a run: its flows, its msticpy entity and messages about both."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeAlias

from flowtriage.analysis.hosts import HostFlows, busiest_addresses
from flowtriage.enrich.online import reverse_name
from flowtriage.errors import ArgumentError, MissingExtraError, MsticnbMissingParameterError
from flowtriage.inputs.addresses import HostsLike, parse_address
from flowtriage.inputs.hosts import is_network
from flowtriage.inputs.timespan import Timespan
from flowtriage.msticnb import as_theirs
from flowtriage.providers import LocalFlows, QueryProvider
from flowtriage.providers.flow_queries import query_flows
from flowtriage.providers.host_queries import HostFacts, query_host
from flowtriage.quality.bad_rows import exact_sum
from flowtriage.quality.numbers import few, flows_text
from flowtriage.read.flows import Flows

if TYPE_CHECKING:
    from msticpy.datamodel.entities import Host, IpAddress

HostValue: TypeAlias = "HostsLike | Host | IpAddress"
"""A host name, addresses and CIDR prefixes, or a msticpy entity."""
_MAX_QUERIED = 256

_HEARTBEAT = {
    "SourceComputerId": "SourceComputerId",
    "AgentId": "SourceComputerId",
    "OSName": "OSName",
    "OSVMajorVersion": "OSMajorVersion",
    "OSVMinorVersion": "OSMinorVersion",
    "Environment": "ComputerEnvironment",
    "VMUUID": "VMUUID",
}
_LOCATION = {
    "CountryOrRegionName": "RemoteIPCountry",
    "Longitude": "RemoteIPLongitude",
    "Latitude": "RemoteIPLatitude",
}
_AZURE = ("SubscriptionId", "ResourceProvider", "ResourceType", "ResourceGroup", "ResourceId")


def query_host_flows(
    provider: QueryProvider | LocalFlows | None,
    host: HostFacts,
    span: Timespan | None,
    *,
    resolve: bool,
) -> tuple[Flows, HostFacts]:
    """Query a provider for the flows of a host; with `resolve`, for the facts about it first."""
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
    if any(map(is_network, host.addresses)) and not isinstance(provider, LocalFlows):
        addresses = _expanded(host.addresses)
        return query_flows(provider, host.name, addresses, span, resolve=False), host
    facts = query_host(provider, host.name, host.addresses) if resolve else host
    return query_flows(provider, facts.name, facts.addresses, span, resolve=resolve), facts


def _expanded(hosts: Sequence[str]) -> tuple[str, ...]:
    """Return all addresses of hosts, for a provider that has no query by network."""
    networks = [ipaddress.ip_network(host) for host in hosts]
    if sum(network.num_addresses for network in networks) > _MAX_QUERIED:
        raise ArgumentError(
            f"{', '.join(hosts)}: a query provider takes {_MAX_QUERIED} addresses at most; give "
            "a smaller network, or the flows as data="
        )
    return tuple(str(address) for network in networks for address in network)


def _missing(message: str) -> MsticnbMissingParameterError:
    return as_theirs(MsticnbMissingParameterError(message))


def host_entity(
    value: HostValue | None, host: HostFlows, facts: HostFacts, dns_name: str | None = None
) -> Host:
    """Return the msticpy entity of a host: a given one is copied, unknown properties are not set.

    A heartbeat adds the operating system, the agent and the Azure resource. An unknown `OSFamily`
    is None. `dns_name` is for a host without another name.
    """
    try:
        from msticpy.datamodel import entities
    except ImportError:
        raise MissingExtraError(
            'host entities need msticpy: pip install "flowtriage[notebook]"'
        ) from None
    if isinstance(value, entities.Host):
        entity = deepcopy(value)
    else:
        entity = entities.Host()
        entity.OSFamily = None
    name = (facts.name if facts.heartbeat else host.name) or facts.name or dns_name
    if name and not entity.HostName:
        entity.HostName, _, domain = name.partition(".")
        entity.DnsDomain = entity.DnsDomain or domain or None
    beat = dict(facts.heartbeat)
    for field, content in _heartbeat_properties(beat).items():
        entity[field] = content
    if family := str(beat.get("OSType", "")):
        windows, linux = entities.OSFamily.Windows, entities.OSFamily.Linux
        entity.OSFamily = windows if family.casefold() == "windows" else linux
    own = (*host.addresses, *facts.private, *facts.public)
    known = {address: entities.IpAddress(Address=address) for address in own}
    if location := {field: beat[column] for field, column in _LOCATION.items() if column in beat}:
        address = parse_address(str(beat.get("ComputerIP", "")))
        if address in known:
            known[address].Location = entities.GeoLocation(**location)
    if known:
        entity.IpAddress = next(iter(known.values()))
        entity.IpAddresses = list(known.values())
    for field, kind in (("PrivateIpAddresses", facts.private), ("PublicIpAddresses", facts.public)):
        if kind:
            entity[field] = [known[address] for address in kind]
    return entity


def _heartbeat_properties(beat: dict[str, Any]) -> dict[str, Any]:
    found = {field: beat[column] for field, column in _HEARTBEAT.items() if column in beat}
    if solutions := str(beat.get("Solutions", "")):
        found["OmsSolutions"] = [name.strip(' "[]') for name in solutions.split(",")]
    if beat.get("ComputerEnvironment") == "Azure":
        found["AzureDetails"] = {column: beat[column] for column in _AZURE if column in beat}
    return found


def absence_messages(host: HostFlows, flows: Flows, *, several: bool) -> list[str]:
    """Return what was read instead of a host without flows, or, of several, which have none."""
    if not host.flows.num_rows:
        return [_absence(host.label, flows)]
    if not several or not host.absent:
        return []
    verb = "does" if len(host.absent) == 1 else "do"
    return [f"{few(host.absent)} {verb} not occur in the {len(flows):,} records read."]


def host_messages(
    host: HostFlows, facts: HostFacts, flows: Flows, absences: Sequence[str]
) -> list[str]:
    """Return the name and flows of a host, what is absent, and ambiguities."""
    messages = list(absences)
    if host.flows.num_rows:
        allowed, denied = (exact_sum(host.flows[name]) for name in ("flows", "denied_flows"))
        messages.insert(
            0,
            f"{host.label}: {host.flows.num_rows:,} of {len(flows):,} records, "
            f"{flows_text(allowed, denied)} flows.",
        )
    names = facts.candidates or (() if facts.name else host.candidates)
    if names:
        messages.append(f"Its addresses have several host names: {', '.join(names)}.")
    return [*messages, *facts.problems]


def _absence(label: str, flows: Flows) -> str:
    """Return which records were read instead of those of a host: how many, whose, and when."""
    report = flows.report
    if report.other_hosts:
        count = len(flows) + sum(other.records for other in report.other_hosts)
        others = few([str(other) for other in report.other_hosts])
        return f"{label} does not occur in the {count:,} records returned: {others}."
    when = f", {report.span}" if report.span else ""
    busiest = ", ".join(busiest_addresses(flows.to_arrow()))
    hint = f" The busiest sources are {busiest}." if busiest else ""
    return f"{label} does not occur in the {len(flows):,} records read{when}.{hint}"


def first_reverse_name(addresses: tuple[str, ...]) -> str | None:
    """Return the DNS name of the first address that has one."""
    return next((name for address in addresses if (name := reverse_name(address))), None)
