"""Networks of block lists in any notation."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import AddressRanges
from flowtriage.inputs.addresses import host_argument, parse_address, parse_network, refang
from flowtriage.inputs.coverage import extent, mapped_range

_INTEGERS = r"^[\d\s-]*$"
_LARGE = (
    r"/0*[0-3]\s*$|^\s*[0:][0:.]*(?:ffff:[\d.:]*)?/|^\s*(?:\d{1,2}|10\d|11[01])\.[^-]*-|:[^-]*-"
)
"""What may cover more than half of a family: short or mapped prefixes, and ranges."""
_SCHEME = re.compile(r"h(?:tt|xx)ps?://|ftp://|tcp://|udp://", re.IGNORECASE)
_DECORATED = re.compile(r"\[([\da-fA-F:.%]+)\](?::\d+)?(/\d+)?|([\d.]+):\d+")


def ranges_of(networks: pa.Array) -> AddressRanges:
    """Return a look-up structure of addresses, CIDR prefixes and ranges.

    Integers are invalid, and so is what covers more than half of IPv4 or IPv6.
    """
    texts = pc.if_else(pc.match_substring_regex(networks, _INTEGERS), None, networks)
    candidates = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(texts, _LARGE), False))
    if large := [at for at in candidates.to_pylist() if extent_of(texts[at].as_py())]:
        is_large = pc.is_in(pa.array(range(len(texts)), pa.int64()), pa.array(large, pa.int64()))
        texts = pc.if_else(is_large, None, texts)
    return AddressRanges.from_ranges(texts, pa.nulls(len(texts), pa.string()))


def extent_of(text: str | None) -> str:
    """Return of what an entry covers more than half, "" if of nothing."""
    first, dash, last = (text or "").partition("-")
    if dash:
        ends = [network for end in (first, last) if (network := parse_network(end))]
        return extent([mapped_range(ends[0], ends[1])]) if len(ends) == 2 else ""
    network = parse_network(first)
    return "" if network is None else extent([network])


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
