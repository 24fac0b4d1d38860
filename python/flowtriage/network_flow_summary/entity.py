"""Host entities of msticpy."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from flowtriage.errors import ArgumentError, MissingExtraError, MsticnbMissingParameterError
from flowtriage.host import HostFlows, canonical_address
from flowtriage.providers.host_queries import HostFacts
from flowtriage.providers.msticnb import as_theirs

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


def read_value(value: Any) -> tuple[str | None, tuple[str, ...]]:
    """Read what a notebooklet is to be run on.

    Parameters
    ----------
    value
        Host name, address, or a msticpy `Host` or `IpAddress` entity.

    Returns
    -------
    tuple of (str or None, tuple of str)
        Name of the host, and its addresses in canonical text.

    Raises
    ------
    MsticnbMissingParameterError
        If there is no value.
    ArgumentError
        If the value is none of these, or an entity without name and address.
    """
    if value is None or value == "":
        raise as_theirs(
            MsticnbMissingParameterError(
                "value is missing; give a host name, an address or a msticpy Host"
            )
        )
    if isinstance(value, str):
        address = canonical_address(value)
        return (None, (address,)) if address else (value.strip(), ())
    name = getattr(value, "HostName", None) or None
    addresses = tuple(dict.fromkeys(a for e in _address_entities(value) if (a := _address(e))))
    if not name and not addresses:
        raise ArgumentError(
            f"{type(value).__name__} {value!r} has neither a HostName nor an address; "
            "give a host name, an address or a msticpy Host"
        )
    return name, addresses


def _address_entities(value: Any) -> list[Any]:
    several = ("PrivateIpAddresses", "PublicIpAddresses", "private_ips", "public_ips")
    listed = [entity for name in several for entity in getattr(value, name, None) or []]
    return [value, getattr(value, "IpAddress", None), *listed]


def _address(entity: Any) -> str | None:
    text = entity if isinstance(entity, str) else getattr(entity, "Address", None)
    return canonical_address(text) if isinstance(text, str) else None


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
        address = canonical_address(str(beat.get("ComputerIP", "")))
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
