"""Host entities of msticpy."""

from __future__ import annotations

from typing import Any

from flowtriage.errors import ArgumentError, MissingExtraError, MsticnbMissingParameterError
from flowtriage.host import HostFlows, canonical_address


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
        raise MsticnbMissingParameterError(
            "value is missing; give a host name, an address or a msticpy Host"
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


def host_entity(value: Any, host: HostFlows) -> Any:
    """Make the entity of a host, without changing the one that was given.

    Parameters
    ----------
    value
        What the notebooklet was run on; the facts of a given `Host` are kept.
    host
        What is known of the host.

    Returns
    -------
    msticpy.datamodel.entities.Host

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
    facts = dict(value.properties) if isinstance(value, entities.Host) else {}
    entity = entities.Host(**facts)
    if host.name:
        entity.HostName = host.name
    addresses = [entities.IpAddress(Address=address) for address in host.addresses]
    if addresses:
        entity.IpAddress = addresses[0]
        entity.IpAddresses = addresses
    return entity
