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

from flowtriage._core import AddressRanges
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
    """Open the sources of reputation (see `flowtriage.configuration.ReputationSettings`)."""
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


_ENDPOINT_COLUMNS = (("srcip", "dstip"), ("sip", "dip"))
_ALL_ADDRESSES = ["0.0.0.0/0", "::/0"]


@dataclass(frozen=True)
class Sources:
    """Sources of enrichment; files that are None or missing are skipped, as in Spot.

    Attributes
    ----------
    ipranges
        File of the internal network.
    network_context
        File of network names.
    iploc
        Spot's geolocation file.
    mmdb
        Databases in MaxMind format, used without `iploc`; if empty, the bundled databases are used.
    reputation
        Sources of reputation (see `flowtriage.enrich.reputation.look_up`).
    """

    ipranges: str | os.PathLike[str] | None = None
    network_context: str | os.PathLike[str] | None = None
    iploc: str | os.PathLike[str] | None = None
    mmdb: Sequence[str | os.PathLike[str]] = ()
    reputation: Sequence[Any] = ()


def enrich(results: pa.Table, sources: Sources | None = None) -> pa.Table:
    """Add context, geolocation and reputation of both endpoints of every flow.

    Parameters
    ----------
    results
        Ranked flows: `Ranked.results`, `results.read`, or the table `flow_scores`.
    sources
        Sources to use; None uses the bundled databases only.

    Returns
    -------
    pyarrow.Table
        The flows with `srcip_internal`, `destip_internal`, `src_context`, `dst_context`,
        `src_geoloc`, `dst_geoloc`, `src_domain`, `dst_domain`, `src_rep` and `dst_rep`; null if
        unknown. Existing columns of these names are replaced.

    Raises
    ------
    FlowtriageError, OSError
        If a file is invalid or cannot be read. Results of a reputation source that fails are
        missing; `add_reputation` returns the reason.

    Examples
    --------
    >>> flows = pa.table({"sip": ["10.0.0.1"], "dip": ["8.8.8.8"]})
    >>> enrich(flows)["dst_geoloc"].to_pylist()
    ['US Google LLC']
    """
    sources = sources or Sources()
    enriched = add_context(results, sources.ipranges, sources.network_context)
    enriched = add_geolocation(enriched, sources.iploc, sources.mmdb)
    return add_reputation(enriched, sources.reputation)[0]


def add_context(
    results: pa.Table,
    ipranges: str | os.PathLike[str] | None = None,
    network_context: str | os.PathLike[str] | None = None,
) -> pa.Table:
    """Add `srcip_internal`, `destip_internal`, `src_context` and `dst_context`."""
    endpoints = _Endpoints.of(results)
    addresses = endpoints.addresses
    internal = _if_exists(ipranges, lambda path: InternalNetworks(path).check(addresses))
    names = _if_exists(network_context, lambda path: read_context(path).find(addresses))
    enriched = endpoints.add(results, ("srcip_internal", "destip_internal"), internal, pa.bool_())
    return endpoints.add(enriched, ("src_context", "dst_context"), names, pa.string())


def add_geolocation(
    results: pa.Table,
    iploc: str | os.PathLike[str] | None = None,
    mmdb: Sequence[str | os.PathLike[str]] = (),
) -> pa.Table:
    """Add `src_geoloc`, `dst_geoloc`, `src_domain` and `dst_domain`."""
    endpoints = _Endpoints.of(results)
    found = open_locations(iploc, mmdb).find(endpoints.addresses).combine_chunks()
    for name in ("geoloc", "domain"):
        values = found[name].combine_chunks()
        results = endpoints.add(results, (f"src_{name}", f"dst_{name}"), values, pa.string())
    return results


def add_reputation(results: pa.Table, sources: Sequence[Any] = ()) -> tuple[pa.Table, Reputation]:
    """Add `src_rep` and `dst_rep`; return the table and the reputation of its addresses."""
    import pyarrow.compute as pc

    endpoints = _Endpoints.of(results)
    canonical = pa.nulls(len(endpoints.addresses), pa.string())
    if sources:
        canonical = bundled().lookup(endpoints.addresses)["address"].combine_chunks()
    known = sorted(canonical.drop_null().to_pylist())
    reputation = look_up(known, sources, non_public=True, time_limit=None)
    if reputation.stopped:
        raise KeyboardInterrupt
    texts = spot_texts(reputation)
    index = pc.index_in(canonical, value_set=pa.array(texts.keys(), pa.string()))
    column = pa.array(texts.values(), pa.string()).take(index)
    return endpoints.add(results, ("src_rep", "dst_rep"), column, pa.string()), reputation


@dataclass(frozen=True)
class _Endpoints:
    """Distinct addresses of a table, and the index of each source and destination in them.

    Values that are not addresses, possible in `flow_results.csv`, are null.
    """

    addresses: pa.Array
    indices: tuple[pa.ChunkedArray, pa.ChunkedArray]

    @classmethod
    def of(cls, results: pa.Table) -> _Endpoints:
        import pyarrow.compute as pc

        names = next(pair for pair in _ENDPOINT_COLUMNS if pair[0] in results.column_names)
        chunks = [chunk.cast(pa.string()) for n in names for chunk in results[n].chunks]
        encoded = pa.chunked_array(chunks, pa.string()).combine_chunks().dictionary_encode()
        networks = pa.array(_ALL_ADDRESSES)
        all_addresses = AddressRanges.from_ranges(networks, pa.nulls(len(networks), pa.string()))
        found = all_addresses.find(encoded.dictionary)["range"]
        valid = pc.is_valid(found).combine_chunks()
        addresses = pc.if_else(valid, encoded.dictionary, None)
        rows = results.num_rows
        return cls(addresses, (encoded.indices.slice(0, rows), encoded.indices.slice(rows)))

    def add(
        self, results: pa.Table, names: tuple[str, str], values: pa.Array | None, kind: pa.DataType
    ) -> pa.Table:
        """Add a value per distinct address as a column for each endpoint."""
        values = pa.nulls(len(self.addresses), kind) if values is None else values
        for name, indices in zip(names, self.indices, strict=True):
            column = values.take(indices)
            if name in results.column_names:
                results = results.set_column(results.column_names.index(name), name, column)
            else:
                results = results.append_column(name, column)
        return results


def _if_exists(
    path: str | os.PathLike[str] | None, read: Callable[[str | os.PathLike[str]], pa.Array]
) -> pa.Array | None:
    return read(path) if path is not None and Path(path).exists() else None
