"""Parsers of host names and of values that stand for a host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from flowtriage.errors import AmbiguousHostError, ArgumentError, MsticnbMissingParameterError
from flowtriage.humanize import sanitize
from flowtriage.inputs.addresses import as_list, host_argument, parse_address, refang, selective
from flowtriage.inputs.missing import is_missing
from flowtriage.inputs.texts import is_text
from flowtriage.msticnb import as_theirs

_MAX_LISTED = 5
_MAX_SHOWN = 80
_SEPARATOR = re.compile(r"[\s,;|]+")
_MALFORMED = re.compile(
    r"""
    [a-z]+://.*                             # a URL
    | [\d.]*\d\.[\d.]*                      # digits and dots only
    | [\d.]*\*[\d.*]*                       # a wildcard
    | [\d.]+/[\d.]+                         # a short network
    | 0x[\da-fx.]+(?:/\d+)?                 # a hexadecimal address
    | \d+(?:\.\d+){2,}(?:[^\w.-].*)?        # an address and a port, a length or others
    | \d+(?:\.\d+){3}\s*-[\s\d.]+           # a range
    | \[.*\](?:[:/].*)?                     # an IPv6 address and a port
    | [\da-f]*:[\da-f]*:[\da-f:.%/]*        # an IPv6 address
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What is no host name, but an address or a network that cannot be parsed."""


def matching_name(given: str, names: Iterable[str]) -> str | None:
    """Return the known host name that matches a given one, or None.

    Matching ignores case. If no name is equal, names that differ only by a domain, or by a path
    in front (`group/name`), match where one of the two has none.

    Raises
    ------
    AmbiguousHostError
        If several names match equally well.

    Examples
    --------
    >>> matching_name("WEB", ["web.corp.example", "webmail"])
    'web.corp.example'
    """
    wanted = given.casefold()
    known = {name.casefold(): name for name in sorted(names, reverse=True)}
    if wanted in known:
        return known[wanted]
    matches = {name: folded for folded, name in known.items() if _same_but_domain(wanted, folded)}
    if len(matches) > 1:
        raise AmbiguousHostError(given, tuple(sorted(matches)))
    return next(iter(matches), None)


def _same_but_domain(one: str, other: str) -> bool:
    one, other = one.rpartition("/")[2], other.rpartition("/")[2]
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def parse_single_address(value: Any) -> str:
    """Return the only address of a value as for `parse_host`, in canonical notation.

    Raises
    ------
    MsticnbMissingParameterError
        If the value is missing.
    ArgumentError
        If the value is not exactly one address.
    """
    name, addresses = parse_host(value)
    if name or len(addresses) != 1 or is_network(addresses[0]):
        several = "" if name else "; NetworkFlowSummary and expanded_search take several"
        raise ArgumentError(
            f"{sanitize(repr(value), _MAX_SHOWN)} is not one address; give one, such as "
            f"192.0.2.1{several}"
        )
    return addresses[0]


def host_label(addresses: Sequence[str]) -> str:
    """Return the first addresses or networks of a host, and the number of the others."""
    more = len(addresses) - _MAX_LISTED
    return ", ".join(addresses[:_MAX_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def is_network(host: str) -> bool:
    """Return whether a host in canonical notation is a CIDR prefix."""
    return "/" in host


def parse_host(value: Any) -> tuple[str | None, tuple[str, ...]]:
    """Return the name and the addresses or CIDR prefixes, in canonical notation, of a host.

    The value is a host name, an address in any notation, a CIDR prefix, an object of `ipaddress`,
    a msticpy `Host` or `IpAddress` entity, or a list of them with one name at most.

    Raises
    ------
    MsticnbMissingParameterError
        If the value is missing.
    ArgumentError
        If the value is of another type, an entity without name and address, has several names, is
        a malformed address or network, or covers more than half of IPv4 or IPv6.
    """
    parts = as_list(value)
    if not parts or any(is_missing(part) or _is_empty(part) for part in parts):
        raise as_theirs(
            MsticnbMissingParameterError(
                "value is missing; give a host name, an address or a msticpy Host"
            )
        )
    hosts = [_parse_host(part) for part in parts]
    names = list(dict.fromkeys(name for name, _ in hosts if name))
    if len(names) > 1:
        raise ArgumentError(
            f"several host names: {', '.join(map(repr, names))}; give one, or addresses and "
            "networks"
        )
    addresses = dict.fromkeys(address for _, several in hosts for address in several)
    return (names[0] if names else None), tuple(selective(addresses))


def _is_empty(part: Any) -> bool:
    return isinstance(part, str) and not part


def _parse_host(value: Any) -> tuple[str | None, tuple[str, ...]]:
    if (host := host_argument(value)) is not None:
        return None, (host,)
    if isinstance(value, str):
        return _name(value), ()
    name = _name(getattr(value, "HostName", None) or "") or None
    addresses = tuple(dict.fromkeys(a for e in _address_entities(value) if (a := _address(e))))
    if not name and not addresses:
        raise ArgumentError(
            f"{type(value).__name__} {sanitize(repr(value), _MAX_SHOWN)} has neither a HostName "
            "nor an address; give a host name, an address or a msticpy Host"
        )
    return name, addresses


def _name(text: str) -> str:
    """Return a host name; `ArgumentError` for what can only be an address or a network."""
    if not is_text(text):
        raise ArgumentError(f"host name {text!r} is not text; it has unpaired surrogates")
    name = text.strip()
    plain = refang(name)
    parts = [part for part in _SEPARATOR.split(plain) if part]
    if (
        _MALFORMED.fullmatch(plain)
        or parse_address(plain.partition("/")[0])
        or (len(parts) > 1 and any(map(host_argument, parts)))
    ):
        advice = "give several as a list" if len(parts) > 1 else "give IPv4, IPv6 or CIDR"
        raise ArgumentError(f"invalid host {sanitize(repr(text), _MAX_SHOWN)}; {advice}")
    return name


def _address_entities(value: Any) -> list[Any]:
    attributes = ("PrivateIpAddresses", "PublicIpAddresses", "private_ips", "public_ips")
    several = [entity for name in attributes for entity in getattr(value, name, None) or []]
    return [value, getattr(value, "IpAddress", None), *several]


def _address(entity: Any) -> str | None:
    text = entity if isinstance(entity, str) else getattr(entity, "Address", None)
    return parse_address(text) if isinstance(text, str) else None
