"""Parser of internal networks: CIDR prefixes, `ipranges.csv` and Zeek files."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias, cast

from flowtriage.errors import ArgumentError
from flowtriage.inputs.addresses import (
    ADDRESSES,
    NETWORKS,
    HostsLike,
    as_list,
    parse_address,
    parse_network,
    refang,
)
from flowtriage.inputs.coverage import Network, refuse_extent
from flowtriage.inputs.texts import is_text, path_argument

NetworksLike: TypeAlias = "HostsLike | os.PathLike[str]"
"""CIDR prefixes or addresses, one or several, or the path of a file of networks."""
_COMMENT = re.compile(r"#.*")
_ZEEK_SCRIPT = re.compile(r"local_nets\s*\+?=\s*(?:set\s*\(|\{)([^)}]*)[)}]")
_BRACKETED = re.compile(r"\[([^\[\]]*)\](/\d+)?")
_LIKE_NETWORK = re.compile(r"[\da-fA-F:.\[\](){}]+/\d+")
_URL = re.compile(r"[a-z]+://", re.IGNORECASE)
_LIKE_PATH = re.compile(r"[/\\]|\.[A-Za-z]\w*$")
_GIVE = "give CIDR prefixes such as 10.0.0.0/8, several as a list, or a file of networks"
_HEADERS = {"start_ip", "ip_start", "start", "network", "prefix", "cidr"}
_EXPLICIT = {"all-ipv4": "0.0.0.0/0", "all-ipv6": "::/0"}
"""Words for networks that are refused otherwise."""
_ADVICE = "give smaller networks, or all-ipv4 or all-ipv6 if every address is internal"


def parse_networks(internal: NetworksLike) -> list[str]:
    """Parse internal networks to CIDR prefixes and addresses.

    A file has lines of first address, last address and name (`ipranges.csv`), or lines that start
    with a prefix (`networks.cfg`), or is a Zeek script that sets `local_nets`. The words
    `all-ipv4` and `all-ipv6` stand for all addresses.

    Raises
    ------
    ArgumentError
        If a network is invalid, or networks cover more than half of the unicast addresses of IPv4
        or IPv6 without one of these words; for a file the message names the line.

    Examples
    --------
    >>> parse_networks("10.0.0.0/8")
    ['10.0.0.0/8']
    >>> parse_networks(["[fe80::]/10", "all-ipv4"])
    ['fe80::/10', '0.0.0.0/0']
    """
    if isinstance(internal, str):
        _check_text(internal)
    if isinstance(internal, str) and all(_parsed(part) for part in internal.split(",")):
        internal = internal.split(",")
    elif isinstance(internal, os.PathLike) or (
        isinstance(internal, str)
        and (Path(internal).exists() or not _LIKE_NETWORK.fullmatch(internal.strip()))
    ):
        if isinstance(internal, str) and not (is_text(internal) or Path(internal).exists()):
            raise ArgumentError(f"internal={internal!r} is neither a network nor a file")
        return _of_file(Path(path_argument(internal)))
    found: list[Network] = []
    given = []
    for one in as_list(internal):
        networks = _parsed(one)
        if networks is None:
            raise ArgumentError(
                f"invalid network {str(one)[:80]!r}; give a CIDR prefix such as 10.0.0.0/8 or "
                "fd00::/8"
            )
        if str(one).strip().lower() not in _EXPLICIT:
            refuse_extent(networks, f"{str(one)!r}", _ADVICE)
            given += networks
        found += networks
    if not found:
        raise ArgumentError(f"internal is empty; {_GIVE}")
    refuse_extent(given, "the internal networks together", _ADVICE)
    return list(map(str, found))


def _check_text(internal: str) -> None:
    """Raise an error for a text that is neither networks nor the path of a file."""
    text = internal.strip()
    if not text:
        raise ArgumentError(f"internal is empty; {_GIVE}")
    written = _LIKE_NETWORK.fullmatch(text) or all(map(_parsed, internal.split(",")))
    if written or Path(internal).exists():
        return
    hosts = any(map(_parsed, re.split(r"[\s,;-]+", text)))
    if hosts or _URL.match(text) or not _LIKE_PATH.search(text):
        raise ArgumentError(f"internal={internal!r} is neither a network nor a file; {_GIVE}")
    raise FileNotFoundError(errno.ENOENT, f"no such file; {_GIVE}", internal)


def _parsed(value: Any) -> list[Network] | None:
    """Return the network that a person gave, in a list; None if it is invalid."""
    if isinstance(value, (*ADDRESSES, *NETWORKS)):
        value = str(value)
    if not isinstance(value, str):
        return None
    text = _EXPLICIT.get(value.strip().lower()) or refang(value)
    if bracketed := _BRACKETED.fullmatch(text):
        text = bracketed[1] + (bracketed[2] or "")
    network = parse_network(text)
    return None if network is None else [network]


def _of_file(path: Path) -> list[str]:
    found: list[Network] = []
    given: list[Network] = []
    for number, line in _entries(path):
        where = f"internal={str(path)!r}, line {number}"
        try:
            networks = _of_line(line)
        except (TypeError, ValueError) as error:
            raise ArgumentError(
                f"{where}: invalid network {line[:80]!r} ({error}); "
                "give first address,last address,name or a CIDR prefix"
            ) from None
        if line.lower() not in _EXPLICIT:
            refuse_extent(networks, f"{where}: {line[:80]!r}", _ADVICE)
            given += networks
        found += networks
    if not found:
        raise ArgumentError(
            f"internal={str(path)!r} names no network; give a file with at least one, or omit it "
            "for the default ones"
        )
    refuse_extent(given, f"internal={str(path)!r}: its networks together", _ADVICE)
    return list(map(str, found))


def _entries(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the networks of a file as text, each with the number of its line."""
    text = path.read_text("utf-8-sig", "replace")
    lines = [_COMMENT.sub("", line).strip() for line in text.splitlines()]
    text = "\n".join(lines)
    if scripts := list(_ZEEK_SCRIPT.finditer(text)):
        for script in scripts:
            at = script.start(1)
            for part in script[1].split(","):
                if network := part.strip():
                    yield text.count("\n", 0, at + part.index(network)) + 1, network
                at += len(part) + 1
        return
    for number, line in enumerate(lines, 1):
        if line and not (number == 1 and line.split(",")[0].strip().lower() in _HEADERS):
            yield number, line


def _of_line(line: str) -> list[Network]:
    fields = [field.strip().strip('"') for field in line.split(",")]
    if len(fields) >= 2 and all("/" not in field for field in fields[:2]):
        first, last = (cast("Any", ipaddress.ip_address(_address(f))) for f in fields[:2])
        return list(ipaddress.summarize_address_range(first, last))
    text = fields[0].partition(" ")[0].partition("\t")[0]
    network = _parsed(text)
    if network is None:
        raise ValueError(f"{text!r} is not a network")
    return network


def _address(text: str) -> str:
    address = parse_address(refang(text))
    if address is None:
        raise ValueError(f"{text!r} is not an IP address")
    return address
