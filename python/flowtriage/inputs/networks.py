"""Networks that somebody calls internal, as they are written down elsewhere."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from flowtriage.errors import ArgumentError

_COMMENT = re.compile(r"#.*")
_ZEEK_SCRIPT = re.compile(r"local_nets\s*\+?=\s*(?:set\s*\(|\{)([^)}]*)[)}]")
_HEADERS = {"start_ip", "ip_start", "start", "network", "prefix", "cidr"}


def parse_networks(internal: str | os.PathLike[str] | Sequence[str]) -> list[str]:
    """Read networks.

    Parameters
    ----------
    internal
        CIDR prefixes or addresses, one or several; or the path of a file of them: lines of first
        address, last address and name (`ipranges.csv`), lines that begin with a prefix
        (`networks.cfg`), or a Zeek script that sets `local_nets`.

    Returns
    -------
    list of str
        CIDR prefixes and addresses.

    Raises
    ------
    ArgumentError
        If a file has a line that is none of these; the message tells the line.
    FileNotFoundError
        If there is no such file.

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
    """Zeek writes IPv6 prefixes with brackets around the address."""
    return network.strip().replace("[", "").replace("]", "")


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _of_file(path: Path) -> list[str]:
    text = path.read_text("utf-8-sig", "replace")
    if script := _ZEEK_SCRIPT.findall("\n".join(_COMMENT.sub("", t) for t in text.splitlines())):
        found = [_plain(network) for part in script for network in part.split(",")]
        return [network for network in found if network]
    networks: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        written = _COMMENT.sub("", line).strip()
        if not written or (number == 1 and written.split(",")[0].strip().lower() in _HEADERS):
            continue
        try:
            networks += _of_line(written)
        except ValueError as error:
            raise ArgumentError(
                f"internal={str(path)!r}, line {number}: {written[:80]!r} is neither a range "
                f"(first address,last address,name) nor begins with a network ({error})"
            ) from None
    return networks


def _of_line(line: str) -> Iterator[str]:
    fields = [field.strip().strip('"') for field in line.split(",")]
    if len(fields) >= 2 and all("/" not in field for field in fields[:2]):
        first, last = (cast("Any", ipaddress.ip_address(field)) for field in fields[:2])
        yield from map(str, ipaddress.summarize_address_range(first, last))
    else:
        network = _plain(fields[0].split()[0])
        ipaddress.ip_network(network, strict=False)
        yield network
