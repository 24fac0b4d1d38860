"""Enrichment of ranked flows: every distinct address is asked about once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from flowtriage import _core
from flowtriage.oa.context import InternalNetworks, read_context
from flowtriage.oa.geolocation import locations
from flowtriage.oa.reputation import Reputations, Service, check

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
        Files in MaxMind's format, used where there is no `iploc`; without any the embedded
        databases are.
    services
        Who is asked about reputation.
    """

    ipranges: str | os.PathLike[str] | None = None
    network_context: str | os.PathLike[str] | None = None
    iploc: str | os.PathLike[str] | None = None
    mmdb: Sequence[str | os.PathLike[str]] = ()
    services: Sequence[Service] = ()


def enrich(results: pa.Table, sources: Sources | None = None) -> pa.Table:
    """Add what is known of both addresses of every flow.

    Parameters
    ----------
    results
        Ranked flows: `Ranked.results`, `results.read`, or the table `flow_scores`.
    sources
        Where it is known from; None knows only what is embedded.

    Returns
    -------
    pyarrow.Table
        The flows with `srcip_internal`, `destip_internal`, `src_context`, `dst_context`,
        `src_geoloc`, `dst_geoloc`, `src_domain`, `dst_domain`, `src_rep` and `dst_rep`; null
        where nothing is known. Columns of these names are replaced.

    Raises
    ------
    FlowtriageError, OSError
        If a file is broken or cannot be read. A service that fails leaves its answers out; use
        `add_reputation` to be told why.

    Examples
    --------
    >>> flows = pa.table({"sip": ["10.0.0.1"], "dip": ["8.8.8.8"]})
    >>> enrich(flows)["dst_geoloc"].to_pylist()
    ['US Google LLC']
    """
    sources = sources or Sources()
    told = add_context(results, sources.ipranges, sources.network_context)
    told = add_geolocation(told, sources.iploc, sources.mmdb)
    return add_reputation(told, sources.services)[0]


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
    found = locations(iploc, mmdb).find(ends.addresses).combine_chunks()
    told = results
    for name in ("geoloc", "domain"):
        values = found[name].combine_chunks()
        told = ends.add(told, (f"src_{name}", f"dst_{name}"), values, pa.string())
    return told


def add_reputation(
    results: pa.Table, services: Sequence[Service] = ()
) -> tuple[pa.Table, Reputations]:
    """Add `src_rep` and `dst_rep`, and return what services said, and which of them failed."""
    import pyarrow.compute as pc

    ends = _Ends.of(results)
    said = check(ends.addresses.drop_null().to_pylist(), services) if services else None
    said = said or Reputations({}, {})
    known = pa.array(said.texts.keys(), pa.string())
    places = pc.index_in(ends.addresses, value_set=known)
    texts = pa.array(said.texts.values(), pa.string()).take(places)
    return ends.add(results, ("src_rep", "dst_rep"), texts, pa.string()), said


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
        everything = _core.RangeList(networks, pa.nulls(len(networks), pa.string()))
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
