"""Networks of block lists in any notation."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import AddressRanges
from flowtriage.inputs.addresses import host_argument, parse_address, refang

_INTEGERS = r"^[\d\s-]*$"
_SCHEME = re.compile(r"h(?:tt|xx)ps?://|ftp://|tcp://|udp://", re.IGNORECASE)
_DECORATED = re.compile(r"\[([\da-fA-F:.%]+)\](?::\d+)?(/\d+)?|([\d.]+):\d+")


def ranges_of(networks: pa.Array) -> AddressRanges:
    """Return a look-up structure of addresses, CIDR prefixes and ranges; integers are invalid."""
    texts = pc.if_else(pc.match_substring_regex(networks, _INTEGERS), None, networks)
    return AddressRanges.from_ranges(texts, pa.nulls(len(texts), pa.string()))


def plain_networks(networks: pa.Array) -> pa.Array:
    """Remove what is around addresses: quotes, brackets, ports, schemes and defanged notation.

    A text that has no address or network stays as it is.
    """
    invalid = ranges_of(networks).bad()
    if not invalid:
        return networks
    texts = networks.to_pylist()
    for at in invalid:
        texts[at] = _plain(texts[at] or "") or texts[at]
    return pa.array(texts, pa.string())


def _plain(text: str) -> str | None:
    text = refang(text.strip("\"' "))
    if scheme := _SCHEME.match(text):
        text = text[scheme.end() :].partition("/")[0]
    if decorated := _DECORATED.fullmatch(text):
        text = decorated[3] or decorated[1] + (decorated[2] or "")
    first, dash, last = text.partition("-")
    if dash:
        return text if parse_address(first) and parse_address(last) else None
    return host_argument(text)
