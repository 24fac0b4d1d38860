"""Parser of internal networks: CIDR prefixes, `ipranges.csv` and Zeek files."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

import pyarrow as pa

from flowtriage._core import AddressRanges
from flowtriage.errors import ArgumentError
from flowtriage.inputs.addresses import parse_address

NetworksLike: TypeAlias = str | os.PathLike[str] | Sequence[str]
"""CIDR prefixes or addresses, one or several, or the path of a file of networks."""
_COMMENT = re.compile(r"#.*")
_ZEEK_SCRIPT = re.compile(r"local_nets\s*\+?=\s*(?:set\s*\(|\{)([^)}]*)[)}]")
_HEADERS = {"start_ip", "ip_start", "start", "network", "prefix", "cidr"}


def parse_networks(internal: NetworksLike) -> list[str]:
    """Parse internal networks to CIDR prefixes and addresses.

    A file has lines of first address, last address and name (`ipranges.csv`), or lines that start
    with a prefix (`networks.cfg`), or is a Zeek script that sets `local_nets`.

    Raises
    ------
    ArgumentError
        If a line of a file is neither a range nor a network; the message names the line.

    Examples
    --------
    >>> parse_networks("10.0.0.0/8")
    ['10.0.0.0/8']
    >>> parse_networks(["[fe80::]/10"])
    ['fe80::/10']
    """
    if isinstance(internal, str) and _is_network(_plain(internal)):
        return [_plain(internal)]
    if isinstance(internal, (str, os.PathLike)):
        return _of_file(Path(internal))
    return [_plain(network) for network in internal]


def _plain(network: str) -> str:
    """Remove the brackets that Zeek writes around the address of an IPv6 prefix."""
    return network.strip().replace("[", "").replace("]", "")


def _is_network(text: str) -> bool:
    return not AddressRanges.from_networks(pa.array([text], pa.string())).bad()


def _of_file(path: Path) -> list[str]:
    text = path.read_text("utf-8-sig", "replace")
    lines = [_COMMENT.sub("", line).strip() for line in text.splitlines()]
    if script := _ZEEK_SCRIPT.findall("\n".join(lines)):
        found = [_plain(network) for part in script for network in part.split(",")]
        return [network for network in found if network]
    networks: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line or (number == 1 and line.split(",")[0].strip().lower() in _HEADERS):
            continue
        try:
            networks += _of_line(line)
        except (TypeError, ValueError) as error:
            raise ArgumentError(
                f"internal={str(path)!r}, line {number}: invalid network {line[:80]!r} ({error}); "
                "give first address,last address,name or a CIDR prefix"
            ) from None
    return networks


def _of_line(line: str) -> Iterator[str]:
    fields = [field.strip().strip('"') for field in line.split(",")]
    if len(fields) >= 2 and all("/" not in field for field in fields[:2]):
        first, last = (cast("Any", ipaddress.ip_address(_address(f))) for f in fields[:2])
        yield from map(str, ipaddress.summarize_address_range(first, last))
        return
    network = _plain(fields[0].split()[0])
    if not _is_network(network):
        raise ValueError(f"{network!r} is not a network")
    yield network


def _address(text: str) -> str:
    address = parse_address(text)
    if address is None:
        raise ValueError(f"{text!r} is not an IP address")
    return address
