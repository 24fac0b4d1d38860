"""Networks of block lists in any notation."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import AddressRanges
from flowtriage.inputs.addresses import host_argument, parse_address, parse_network, refang
from flowtriage.inputs.coverage import Range, extent, mapped_range

_INTEGERS = r"^[\d\s-]*$"
_WIDE = r"/0*(?:\d|1[0-6])\s*$|^\s*[0:][0:.]*(?:ffff:[\d.:]*)?/|:[^-]*-|-.*:"
_ENDS = r"^\s*(?P<first>\d+\.\d+)\.[^-]*-\s*(?P<last>\d+\.\d+)\."
"""Entries of more than a /16 of IPv4 or of IPv6: prefixes, mapped ones, and ranges."""
_SCHEME = re.compile(r"h(?:tt|xx)ps?://|ftp://|tcp://|udp://", re.IGNORECASE)
_DECORATED = re.compile(r"\[([\da-fA-F:.%]+)\](?::\d+)?(/\d+)?|([\d.]+):\d+")


def ranges_of(networks: pa.Array) -> AddressRanges:
    """Return a look-up structure of addresses, CIDR prefixes and ranges.

    Integers are invalid, and so is what covers more than half of IPv4 or IPv6.
    """
    texts = pc.if_else(pc.match_substring_regex(networks, _INTEGERS), None, networks)
    candidates = pc.indices_nonzero(_is_wide(texts))
    if large := [at for at in candidates.to_pylist() if extent_of(texts[at].as_py())]:
        is_large = pc.is_in(pa.array(range(len(texts)), pa.int64()), pa.array(large, pa.int64()))
        texts = pc.if_else(is_large, None, texts)
    return AddressRanges.from_ranges(texts, pa.nulls(len(texts), pa.string()))


def extent_of(text: str | None) -> str:
    """Return of what an entry covers more than half, "" if of nothing."""
    found = _range_of(text or "")
    return extent([found]) if found else ""


def extent_together(networks: pa.Array) -> str:
    """Return of what the usable entries together cover more than half, "" if of nothing.

    Networks smaller than a /16 do not count: tens of thousands would be needed.
    """
    texts = networks.filter(_is_wide(networks)).to_pylist()
    return extent(found for text in texts if (found := _range_of(text)) and not extent([found]))


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


def _is_wide(networks: pa.Array) -> pa.Array:
    ends = pc.extract_regex(networks, _ENDS)
    spans = pc.not_equal(pc.struct_field(ends, "first"), pc.struct_field(ends, "last"))
    wide = pc.or_kleene(pc.match_substring_regex(networks, _WIDE), spans)
    return pc.fill_null(wide, False)


def _range_of(text: str) -> Range | None:
    first, dash, last = text.partition("-")
    ends = [parse_network(end) for end in ((first, last) if dash else (first,))]
    if ends[0] is None or ends[-1] is None:
        return None
    return mapped_range(ends[0], ends[-1])


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
