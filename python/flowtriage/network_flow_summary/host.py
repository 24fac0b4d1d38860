"""The host of a run: its flows, its msticpy entity and messages about both."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import pyarrow as pa

from flowtriage.analysis.hosts import HostFlows, busiest_addresses
from flowtriage.enrich.online import reverse_name
from flowtriage.errors import MissingExtraError, MsticnbMissingParameterError
from flowtriage.inputs.addresses import parse_address
from flowtriage.inputs.timespan import Timespan
from flowtriage.msticnb import as_theirs
from flowtriage.providers import LocalFlows, QueryProvider
from flowtriage.providers.flow_queries import query_flows
from flowtriage.providers.host_queries import HostFacts, query_host
from flowtriage.read.flows import Flows

if TYPE_CHECKING:
    from msticpy.datamodel.entities import Host


class HostEntity(Protocol):
    """An entity with the name of a host, such as msticpy's `Host`."""

    @property
    def HostName(self) -> str | None:
        """Name of the host."""


class AddressEntity(Protocol):
    """An entity with an address, such as msticpy's `IpAddress`."""

    @property
    def Address(self) -> str | None:
        """The address."""


HostValue: TypeAlias = str | HostEntity | AddressEntity
"""A host name, an address, or a msticpy entity of either."""

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
    """Query a provider for the flows of a host.

    Parameters
    ----------
    provider
        The query provider, or None.
    host
        Name and addresses as given.
    span
        The timespan.
    resolve
        Whether to query the facts about the host first, and use its name and addresses.

    Returns
    -------
    tuple of (Flows, HostFacts)
        The flows, and the facts; without `resolve`, `host`.

    Raises
    ------
    MsticnbMissingParameterError
        If the provider, or the start or end of the timespan is missing.
    MsticnbDataProviderError, AmbiguousHostError, ArgumentError
        As for `query_host` and `query_flows`.
    """
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
    facts = query_host(provider, host.name, host.addresses) if resolve else host
    return query_flows(provider, facts.name, facts.addresses, span, resolve=resolve), facts


def _missing(message: str) -> MsticnbMissingParameterError:
    return as_theirs(MsticnbMissingParameterError(message))


def host_entity(
    value: HostValue | None, host: HostFlows, facts: HostFacts, dns_name: str | None = None
) -> Host:
    """Return the msticpy entity of a host.

    Parameters
    ----------
    value
        Value of the run. A given `Host` is copied with its properties.
    host
        The host in the flows.
    facts
        The host's facts from a provider.
    dns_name
        Its DNS name, for a host without another name.

    Returns
    -------
    msticpy.datamodel.entities.Host
        With the known ones of `IpAddress`, `IpAddresses`, `PrivateIpAddresses` and
        `PublicIpAddresses`; from a heartbeat, also the operating system, the agent and the Azure
        resource. `OSFamily` is None if it is unknown.

    Raises
    ------
    MissingExtraError
        If msticpy is not installed.
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


def host_messages(host: HostFlows, facts: HostFacts, flows: pa.Table) -> list[str]:
    """Return the name and flows of a host, its ambiguities, and a hint if it has no flows."""
    addresses = ", ".join(host.addresses)
    label = f"{host.name} ({addresses})" if host.name and addresses else host.name or addresses
    if host.flows.num_rows:
        messages = [f"{label}: {host.flows.num_rows:,} of {flows.num_rows:,} flows."]
    else:
        busiest = ", ".join(busiest_addresses(flows))
        hint = f" The busiest sources are {busiest}." if busiest else ""
        messages = [f"{label} does not occur in the {flows.num_rows:,} flows.{hint}"]
    names = facts.candidates or (() if facts.name else host.candidates)
    if names:
        messages.append(f"Its addresses have several host names: {', '.join(names)}.")
    return [*messages, *facts.problems]


def first_reverse_name(addresses: tuple[str, ...]) -> str | None:
    """Return the DNS name of the first address that has one."""
    return next((name for address in addresses if (name := reverse_name(address))), None)
