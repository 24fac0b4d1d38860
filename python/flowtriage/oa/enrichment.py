"""Context, location and reputation of both endpoints of suspicious connections.

Reputation is stored in Spot's notation, such as `gti:High:3`: provider, level and number (3 high,
2 medium, 1 minimal, -1 unverified), for block lists also the network. `::` joins the results of
one address, the most severe first.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from flowtriage._core import RangeList
from flowtriage.enrich.asn import bundled
from flowtriage.enrich.geolocation import open_locations
from flowtriage.enrich.network_context import InternalNetworks, read_context
from flowtriage.enrich.reputation import BlockLists, Reputation, Severity, look_up
from flowtriage.enrich.reputation.gti import Gti
from flowtriage.errors import MissingExtraError
from flowtriage.humanize import sanitize

_LEVELS = {
    Severity.HIGH: "High:3",
    Severity.WARNING: "Medium:2",
    Severity.INFORMATION: "Minimal:1",
    Severity.UNKNOWN: "Unverified:-1",
}
_SEVERITIES = {level.partition(":")[2]: severity for severity, level in _LEVELS.items()}
_NUMBER = re.compile(r"[^:]*:[^:]*:(-?\d+)(?::|$)")
_MAX_PROVIDER = 60


def severity_of(text: str) -> Severity:
    """Parse the severity of a reputation in Spot's notation.

    Examples
    --------
    >>> severity_of("drop:High:3:192.0.2.0/24::gti:Medium:2").label, severity_of("seen").label
    ('high', 'unknown')
    """
    found = _NUMBER.match(text.partition("::")[0])
    return _SEVERITIES.get(found[1], Severity.UNKNOWN) if found else Severity.UNKNOWN


def spot_texts(reputation: Reputation) -> dict[str, str]:
    """Write the results of each address in Spot's notation, if a provider knows the address."""
    import pyarrow.compute as pc

    texts: dict[str, list[tuple[int, str]]] = {}
    for row in reputation.found.filter(pc.field("known")).to_pylist():
        # Colons separate the parts.
        provider = sanitize(row["provider"].replace(":", " "), _MAX_PROVIDER)
        text = ":".join(filter(None, (provider, _LEVELS[row["severity"]], row["network"])))
        texts.setdefault(row["address"], []).append((-row["severity"], text))
    return {address: "::".join(text for _, text in sorted(texts[address])) for address in texts}


def open_sources(
    block_lists: Sequence[str | os.PathLike[str]] = (),
    msticpy: Sequence[str] = (),
    gti: str | os.PathLike[str] | None = None,
    timeout: float = 60.0,
) -> list[Any]:
    """Open the configured sources of reputation.

    Parameters
    ----------
    block_lists
        Files of block lists (see `BlockLists`).
    msticpy
        Names of msticpy's providers of threat intelligence.
    gti
        Spot's `reputation_config.json`.
    timeout
        Timeout of one call of the GTI client, in seconds.

    Raises
    ------
    OSError
        If a file cannot be read.
    FormatError
        If a file is invalid.
    MissingExtraError
        If msticpy's providers are given and msticpy is not installed.
    """
    sources: list[Any] = []
    if block_lists:
        sources.append(BlockLists(list(block_lists)))
    if msticpy:
        try:
            from msticpy.context.tilookup import TILookup
        except ImportError:
            raise MissingExtraError(
                "threat intelligence needs msticpy: pip install flowtriage[notebook]"
            ) from None
        sources.append(TILookup(providers=list(msticpy)))
    if gti is not None:
        sources.append(Gti.configured(gti, timeout))
    return sources


_ENDS = (("srcip", "dstip"), ("sip", "dip"))
_EVERYTHING = ["0.0.0.0/0", "::/0"]


@dataclass(frozen=True)
class Sources:
    """What flows are enriched from. Files that are None or absent are left out, as in Spot.

    Attributes
    ----------
    ipranges
        The internal network.
    network_context
        Names of networks.
    iploc
        Spot's file of geolocation.
    mmdb
        Files in MaxMind's format, used where there is no `iploc`; without any the bundled
        databases are.
    reputation
        Sources of reputation (see `flowtriage.enrich.reputation.look_up`).
    """

    ipranges: str | os.PathLike[str] | None = None
    network_context: str | os.PathLike[str] | None = None
    iploc: str | os.PathLike[str] | None = None
    mmdb: Sequence[str | os.PathLike[str]] = ()
    reputation: Sequence[Any] = ()


def enrich(results: pa.Table, sources: Sources | None = None) -> pa.Table:
    """Add what is known of both addresses of every flow.

    Parameters
    ----------
    results
        Ranked flows: `Ranked.results`, `results.read`, or the table `flow_scores`.
    sources
        Where it is known from; None takes the bundled databases only.

    Returns
    -------
    pyarrow.Table
        The flows with `srcip_internal`, `destip_internal`, `src_context`, `dst_context`,
        `src_geoloc`, `dst_geoloc`, `src_domain`, `dst_domain`, `src_rep` and `dst_rep`; null
        where nothing is known. Columns of these names are replaced.

    Raises
    ------
    FlowtriageError, OSError
        If a file is invalid or cannot be read. The results of a reputation provider that fails
        are missing; `add_reputation` returns the reason.

    Examples
    --------
    >>> flows = pa.table({"sip": ["10.0.0.1"], "dip": ["8.8.8.8"]})
    >>> enrich(flows)["dst_geoloc"].to_pylist()
    ['US Google LLC']
    """
    sources = sources or Sources()
    told = add_context(results, sources.ipranges, sources.network_context)
    told = add_geolocation(told, sources.iploc, sources.mmdb)
    return add_reputation(told, sources.reputation)[0]


def add_context(
    results: pa.Table,
    ipranges: str | os.PathLike[str] | None = None,
    network_context: str | os.PathLike[str] | None = None,
) -> pa.Table:
    """Add `srcip_internal`, `destip_internal`, `src_context` and `dst_context`."""
    ends = _Ends.of(results)
    internal = _if_there(ipranges, lambda path: InternalNetworks(path).check(ends.addresses))
    names = _if_there(network_context, lambda path: read_context(path).find(ends.addresses))
    told = ends.add(results, ("srcip_internal", "destip_internal"), internal, pa.bool_())
    return ends.add(told, ("src_context", "dst_context"), names, pa.string())


def add_geolocation(
    results: pa.Table,
    iploc: str | os.PathLike[str] | None = None,
    mmdb: Sequence[str | os.PathLike[str]] = (),
) -> pa.Table:
    """Add `src_geoloc`, `dst_geoloc`, `src_domain` and `dst_domain`."""
    ends = _Ends.of(results)
    found = open_locations(iploc, mmdb).find(ends.addresses).combine_chunks()
    told = results
    for name in ("geoloc", "domain"):
        values = found[name].combine_chunks()
        told = ends.add(told, (f"src_{name}", f"dst_{name}"), values, pa.string())
    return told


def add_reputation(results: pa.Table, sources: Sequence[Any] = ()) -> tuple[pa.Table, Reputation]:
    """Add `src_rep` and `dst_rep`; return the table and the reputation of its addresses."""
    import pyarrow.compute as pc

    ends = _Ends.of(results)
    canonical = pa.nulls(len(ends.addresses), pa.string())
    if sources:
        canonical = bundled().lookup(ends.addresses)["address"].combine_chunks()
    reputation = look_up(sorted(canonical.drop_null().to_pylist()), sources, non_public=True)
    texts = spot_texts(reputation)
    index = pc.index_in(canonical, value_set=pa.array(texts.keys(), pa.string()))
    column = pa.array(texts.values(), pa.string()).take(index)
    return ends.add(results, ("src_rep", "dst_rep"), column, pa.string()), reputation


@dataclass(frozen=True)
class _Ends:
    """The distinct addresses of a table, and where each stands in either column.

    What is no address, as a `flow_results.csv` may have it, is null: nothing is known of it.
    """

    addresses: pa.Array
    places: tuple[pa.ChunkedArray, pa.ChunkedArray]

    @classmethod
    def of(cls, results: pa.Table) -> _Ends:
        import pyarrow.compute as pc

        names = next(pair for pair in _ENDS if pair[0] in results.column_names)
        chunks = [chunk.cast(pa.string()) for n in names for chunk in results[n].chunks]
        all_ends = pa.chunked_array(chunks, pa.string()).combine_chunks().dictionary_encode()
        networks = pa.array(_EVERYTHING)
        everything = RangeList(networks, pa.nulls(len(networks), pa.string()))
        found = everything.find(all_ends.dictionary)["range"]
        valid = pc.is_valid(found).combine_chunks()
        addresses = pc.if_else(valid, all_ends.dictionary, None)
        rows = results.num_rows
        return cls(addresses, (all_ends.indices.slice(0, rows), all_ends.indices.slice(rows)))

    def add(
        self, results: pa.Table, names: tuple[str, str], values: pa.Array | None, kind: pa.DataType
    ) -> pa.Table:
        """Add what is known of each distinct address as a column for either end."""
        values = pa.nulls(len(self.addresses), kind) if values is None else values
        for name, places in zip(names, self.places, strict=True):
            column = values.take(places)
            if name in results.column_names:
                results = results.set_column(results.column_names.index(name), name, column)
            else:
                results = results.append_column(name, column)
        return results


def _if_there(
    path: str | os.PathLike[str] | None, read: Callable[[str | os.PathLike[str]], pa.Array]
) -> pa.Array | None:
    return read(path) if path is not None and Path(path).exists() else None
