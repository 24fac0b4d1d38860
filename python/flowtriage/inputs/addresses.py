"""Parsers of IP addresses: strict for data, with defanged notation and objects for people."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, KeysView
from contextlib import contextmanager
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import canonical_address
from flowtriage.errors import ArgumentError, InputError
from flowtriage.humanize import sanitize
from flowtriage.inputs.coverage import Network, refuse_extent
from flowtriage.inputs.texts import escaped

AddressLike: TypeAlias = "str | ipaddress.IPv4Address | ipaddress.IPv6Address"
"""An address in any notation, also defanged (`192[.]0[.]2[.]1`), or an `ipaddress` object."""
HostsLike: TypeAlias = (
    "AddressLike | ipaddress.IPv4Network | ipaddress.IPv6Network | Iterable[HostsLike]"
)
"""Addresses and CIDR prefixes, one or several."""
ADDRESSES = (ipaddress.IPv4Address, ipaddress.IPv6Address)
NETWORKS = (ipaddress.IPv4Network, ipaddress.IPv6Network)
_DEFANGED = re.compile(r"(?<=.)[\[({](\.|::?|dot)[\])}]", re.IGNORECASE)
_MAPPED_BITS = 96
_MAX_SHOWN = 80
_MAX_STRINGS = (1 << 31) - 1
"""Bytes of strings that one Arrow array of `string` can have."""
_QUOTED = re.compile(r'"([^"]*)"')
SINGLE = "give single addresses"
_SELECT = "give addresses or smaller networks"


def parse_address(text: str) -> str | None:
    """Return an address in canonical notation, or None if the text is not an address.

    Examples
    --------
    >>> parse_address("::ffff:10.0.0.1"), parse_address("fe80::1%eth0"), parse_address("ws-0341")
    ('10.0.0.1', 'fe80::1', None)
    """
    try:
        return canonical_address(text)
    except ArgumentError:
        return None


def parse_network(text: str) -> Network | None:
    """Parse a CIDR prefix, or an address as the network of one; host bits are ignored.

    A prefix of IPv4-mapped addresses is the IPv4 prefix inside it.

    Examples
    --------
    >>> parse_network("10.1.2.3/8"), parse_network("::ffff:10.0.0.0/104"), parse_network("office")
    (IPv4Network('10.0.0.0/8'), IPv4Network('10.0.0.0/8'), None)
    """
    base, slash, length = text.strip().partition("/")
    address = parse_address(base)
    if address is None or (slash and not (length.isascii() and length.isdigit())):
        return None
    bits = int(length) if slash else None
    if bits is not None and ":" in base and ":" not in address:
        if bits >= _MAPPED_BITS:
            bits -= _MAPPED_BITS
        else:
            address = f"::ffff:{address}"
    try:
        return ipaddress.ip_network(address if bits is None else f"{address}/{bits}", strict=False)
    except ValueError:
        return None


def refang(text: str) -> str:
    """Restore the separators of a defanged address, without space around it.

    Examples
    --------
    >>> refang("192[.]0[.]2[.]1"), refang("2001[:]db8[::]1"), refang("[::]")
    ('192.0.2.1', '2001:db8::1', '[::]')
    """
    return _DEFANGED.sub(lambda found: found[1].lower().replace("dot", "."), text.strip())


def address_argument(value: AddressLike) -> str:
    """Return an address that a person gave, in canonical notation.

    Raises
    ------
    ArgumentError
        If the value is not exactly one address.
    """
    text = str(value) if isinstance(value, ADDRESSES) else value
    address = parse_address(refang(text)) if isinstance(text, str) else None
    if address is None:
        raise ArgumentError(f"invalid IP address {_shown(value)}; give IPv4 or IPv6")
    return address


def stored_address(value: AddressLike) -> str:
    """Return an address in canonical notation, and any other text as it is.

    Stores can have other texts in columns of addresses, from results of other programs.
    """
    text = str(value)
    return parse_address(refang(text)) or text


def host_argument(value: Any) -> str | None:
    """Return an address or CIDR prefix that a person gave, in canonical notation, or None."""
    if isinstance(value, (*ADDRESSES, *NETWORKS)):
        value = str(value)
    network = parse_network(refang(value)) if isinstance(value, str) else None
    if network is None:
        return None
    return str(network.network_address if network.num_addresses == 1 else network)


def hosts_argument(value: HostsLike) -> list[str]:
    """Return addresses and CIDR prefixes that a person gave, in canonical notation.

    Raises
    ------
    ArgumentError
        If there is none, one is neither an address nor a network, or they cover more than half of
        IPv4 or IPv6.

    Examples
    --------
    >>> hosts_argument(["10[.]0[.]0[.]1", ipaddress.ip_network("192.0.2.0/24")])
    ['10.0.0.1', '192.0.2.0/24']
    """
    hosts = []
    for one in as_list(value):
        if (host := host_argument(one)) is None:
            raise ArgumentError(
                f"invalid IP address {_shown(one)}; give IPv4, IPv6 or a network such as 10.0.0.0/8"
            )
        hosts.append(host)
    if not hosts:
        raise ArgumentError("no IP address given; give one or several addresses or networks")
    return selective(hosts)


def selective(hosts: Iterable[str]) -> list[str]:
    """Return distinct hosts in canonical notation.

    Raises
    ------
    ArgumentError
        If they cover more than half of the unicast addresses of IPv4 or IPv6.
    """
    distinct = list(dict.fromkeys(hosts))
    networks = [ipaddress.ip_network(host) for host in distinct if "/" in host]
    for network in networks:
        refuse_extent([network], repr(str(network)), _SELECT)
    refuse_extent(networks, "these networks together", _SELECT)
    return distinct


def as_list(value: Any) -> list[Any]:
    """Return one or several values as a list; strings, networks and entities are one value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, (list, tuple, set, frozenset, KeysView, Iterator)):
        return list(value)
    for method in ("to_pylist", "tolist"):
        if hasattr(value, method):
            return list(getattr(value, method)())
    return [value]


def address_array(addresses: HostsLike | pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return addresses as an Arrow array of strings, without validating them.

    Strings and objects from people may be defanged; Arrow and pandas columns are data.
    """
    if isinstance(addresses, pa.ChunkedArray):
        strings = pa.types.is_string(addresses.type)
        if strings and addresses.nbytes > _MAX_STRINGS:
            addresses = addresses.cast(pa.large_string())
        return addresses.combine_chunks()
    if isinstance(addresses, pa.Array):
        return addresses
    values: Any = [addresses] if isinstance(addresses, (str, *ADDRESSES)) else addresses
    if type(values).__module__.partition(".")[0] == "pandas":
        return pa.array(values.astype("string"), pa.string(), from_pandas=True)
    texts = pa.array([a if a is None else escaped(str(a)) for a in values], pa.string())
    if not pc.any(pc.match_substring_regex(texts, r"[\[({]")).as_py():
        return texts
    return pa.array([a if a is None else refang(a) for a in texts.to_pylist()], pa.string())


@contextmanager
def single_addresses() -> Iterator[None]:
    """Add to the error about an invalid address that networks cannot be looked up, if it is one."""
    try:
        yield
    except InputError as error:
        quoted = _QUOTED.findall(str(error))
        if any("/" in text and parse_network(refang(text)) for text in quoted):
            raise InputError(f"{error} but a network; {SINGLE}") from None
        raise


def _shown(value: object) -> str:
    return sanitize(repr(value), _MAX_SHOWN)
