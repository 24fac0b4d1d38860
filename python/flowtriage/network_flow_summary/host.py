"""Host entities of msticpy."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pyarrow as pa

from flowtriage.analysis.hosts import HostFlows, busiest_addresses
from flowtriage.enrich.online import reverse_name
from flowtriage.errors import MissingExtraError, MsticnbMissingParameterError
from flowtriage.inputs.addresses import parse_address
from flowtriage.inputs.timespan import Timespan
from flowtriage.msticnb import as_theirs
from flowtriage.providers.flow_queries import query_flows
from flowtriage.providers.host_queries import HostFacts, query_host
from flowtriage.read.flows import Flows

_HEARTBEAT = {
    "SourceComputerId": "SourceComputerId",
    "AgentId": "SourceComputerId",
    "OSName": "OSName",
    "OSVMajorVersion": "OSMajorVersion",
    "OSVMinorVersion": "OSMinorVersion",
    "Environment": "ComputerEnvironment",
    "VMUUID": "VMUUID",
}
_AZURE = ("SubscriptionId", "ResourceProvider", "ResourceType", "ResourceGroup", "ResourceId")


def host_entity(value: Any, host: HostFlows, facts: HostFacts, dns_name: str | None = None) -> Any:
    """Make the entity of a host, without changing the one that was given.

    Parameters
    ----------
    value
        What the notebooklet was run on; the facts of a given `Host` are kept.
    host
        What the flows tell of the host.
    facts
        What a provider knows of it.
    dns_name
        Its name in the domain name system, for a host without any other.

    Returns
    -------
    msticpy.datamodel.entities.Host
        With `IpAddress`, `IpAddresses`, `PrivateIpAddresses` and `PublicIpAddresses` as far as
        they are known; of a heartbeat, the operating system, the agent and the Azure resource.
        The family of the operating system is None where nothing tells it.

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
    for field, text in _of_heartbeat(beat).items():
        entity[field] = text
    if family := str(beat.get("OSType", "")):
        windows, linux = entities.OSFamily.Windows, entities.OSFamily.Linux
        entity.OSFamily = windows if family.casefold() == "windows" else linux
    own = (*host.addresses, *facts.private, *facts.public)
    known = {address: entities.IpAddress(Address=address) for address in own}
    if place := _place(beat):
        address = parse_address(str(beat.get("ComputerIP", "")))
        if address in known:
            known[address].Location = entities.GeoLocation(**place)
    if known:
        entity.IpAddress = next(iter(known.values()))
        entity.IpAddresses = list(known.values())
    for field, kind in (("PrivateIpAddresses", facts.private), ("PublicIpAddresses", facts.public)):
        if kind:
            entity[field] = [known[address] for address in kind]
    return entity


def _of_heartbeat(beat: dict[str, Any]) -> dict[str, Any]:
    found = {field: beat[column] for field, column in _HEARTBEAT.items() if column in beat}
    if solutions := str(beat.get("Solutions", "")):
        found["OmsSolutions"] = [name.strip(' "[]') for name in solutions.split(",")]
    if beat.get("ComputerEnvironment") == "Azure":
        found["AzureDetails"] = {column: beat[column] for column in _AZURE if column in beat}
    return found


def _place(beat: dict[str, Any]) -> dict[str, Any]:
    columns = {
        "CountryOrRegionName": "RemoteIPCountry",
        "Longitude": "RemoteIPLongitude",
        "Latitude": "RemoteIPLatitude",
    }
    return {field: beat[column] for field, column in columns.items() if column in beat}


def ask(
    provider: Any, host: HostFacts, span: Timespan | None, *, learn: bool
) -> tuple[Flows, HostFacts]:
    """Ask the query provider for the flows of a host, and first what it knows of it.

    Parameters
    ----------
    provider
        The query provider, or None.
    host
        Name and addresses as they were given.
    span
        The span of time.
    learn
        Whether to ask what the provider knows of the host.

    Raises
    ------
    MsticnbMissingParameterError
        If there is no provider, or the span has not both of its ends.
    MsticnbDataProviderError, AmbiguousHostError, ArgumentError
        As for `query_host` and `query_flows`.
    """
    if provider is None:
        raise _missing(
            "data is missing, and there is no provider to ask: give data= (a path, a "
            "DataFrame or an Arrow table), or load a provider with flowtriage.init(…)"
        )
    if span is None or span.start is None or span.end is None:
        raise _missing(
            "timespan is missing: give timespan=, or start= and end=, for flows from the "
            "query provider"
        )
    facts = query_host(provider, host.name, host.addresses) if learn else host
    return query_flows(provider, facts.name, facts.addresses, span, resolve=learn), facts


def notices(host: HostFlows, facts: HostFacts, flows: pa.Table) -> list[str]:
    """Say who the host is, what is not certain about it, and what to try if it does not occur."""
    addresses = ", ".join(host.addresses)
    who = f"{host.name} ({addresses})" if host.name and addresses else host.name or addresses
    if host.flows.num_rows:
        said = [f"{who}: {host.flows.num_rows:,} of {flows.num_rows:,} flows."]
    else:
        busiest = ", ".join(busiest_addresses(flows))
        hint = f" The busiest sources are {busiest}." if busiest else ""
        said = [f"{who} does not occur in the {flows.num_rows:,} flows.{hint}"]
    names = facts.candidates or (() if facts.name else host.candidates)
    if names:
        said.append(f"Its addresses were seen under several names: {', '.join(names)}.")
    return [*said, *facts.problems]


def dns_name_of(addresses: tuple[str, ...]) -> str | None:
    """Return the name of the first address that has one in the domain name system."""
    return next((name for address in addresses if (name := reverse_name(address))), None)


def _missing(message: str) -> MsticnbMissingParameterError:
    return as_theirs(MsticnbMissingParameterError(message))
