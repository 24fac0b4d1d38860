"""The msticpy entity of a run's host."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeAlias

from flowtriage.analysis.hosts import HostFlows
from flowtriage.enrich.online import reverse_name
from flowtriage.errors import MissingExtraError
from flowtriage.inputs.addresses import HostsLike, as_list, parse_address
from flowtriage.providers.host_queries import HostFacts

if TYPE_CHECKING:
    from msticpy.datamodel.entities import Host, IpAddress

HostValue: TypeAlias = "HostsLike | Host | IpAddress"
"""A host name, addresses and CIDR prefixes, or a msticpy entity."""

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


def host_entity(
    value: HostValue | None, host: HostFlows, facts: HostFacts, dns_name: str | None = None
) -> Host:
    """Return the msticpy entity of a host: a given one is copied and keeps its properties.

    A heartbeat adds the operating system, the agent and the Azure resource, where the entity has
    none. Unknown properties are not set, and an unknown `OSFamily` is None. `dns_name` is for a
    host without another name.
    """
    try:
        from msticpy.datamodel import entities
    except ImportError:
        raise MissingExtraError(
            'host entities need msticpy: pip install "flowtriage[notebook]"'
        ) from None
    given = [deepcopy(part) for part in as_list(value)]
    hosts = [part for part in given if isinstance(part, entities.Host)]
    entity = hosts[0] if hosts else entities.Host()
    name = (facts.name if facts.heartbeat else host.name) or facts.name or dns_name
    if name and not entity.HostName:
        entity.HostName, _, domain = name.partition(".")
        entity.DnsDomain = entity.DnsDomain or domain or None
    beat = dict(facts.heartbeat)
    for field, content in _heartbeat_properties(beat).items():
        if not getattr(entity, field, None):
            entity[field] = content
    family = getattr(entities.OSFamily, str(beat.get("OSType", "")).strip().capitalize(), None)
    # msticpy sets Windows if none is given.
    if not hosts or (family and entity.OSFamily == entities.OSFamily.Windows):
        entity.OSFamily = family
    known = {
        address: part
        for part in [*given, *_address_entities(hosts)]
        if isinstance(part, entities.IpAddress)
        and (address := parse_address(str(part.Address or "")))
    }
    for address in (*host.addresses, *facts.private, *facts.public):
        known.setdefault(address, entities.IpAddress(Address=address))
    if location := {field: beat[column] for field, column in _LOCATION.items() if column in beat}:
        address = parse_address(str(beat.get("ComputerIP", "")))
        if address in known and not getattr(known[address], "Location", None):
            known[address].Location = entities.GeoLocation(**location)
    if known:
        entity.IpAddress = getattr(entity, "IpAddress", None) or next(iter(known.values()))
        entity.IpAddresses = list(known.values())
    for field, kind in (("PrivateIpAddresses", facts.private), ("PublicIpAddresses", facts.public)):
        own = getattr(entity, field, None) or []
        added = [known[address] for address in kind if known[address] not in own]
        if added:
            entity[field] = [*own, *added]
    return entity


def _address_entities(hosts: Sequence[Host]) -> list[Any]:
    """Return the address entities of the given host."""
    fields = ("PrivateIpAddresses", "PublicIpAddresses", "IpAddresses")
    several = (
        part for host in hosts for field in fields for part in getattr(host, field, []) or []
    )
    return [*(getattr(host, "IpAddress", None) for host in hosts), *several]


def _heartbeat_properties(beat: dict[str, Any]) -> dict[str, Any]:
    found = {field: beat[column] for field, column in _HEARTBEAT.items() if column in beat}
    if solutions := str(beat.get("Solutions", "")):
        found["OmsSolutions"] = [name.strip(' "[]') for name in solutions.split(",")]
    if beat.get("ComputerEnvironment") == "Azure":
        found["AzureDetails"] = {column: beat[column] for column in _AZURE if column in beat}
    return found


def first_reverse_name(addresses: tuple[str, ...]) -> str | None:
    """Return the DNS name of the first address that has one."""
    return next((name for address in addresses if (name := reverse_name(address))), None)
