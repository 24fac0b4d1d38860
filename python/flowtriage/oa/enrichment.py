"""What services say of addresses, brought together by severity.

A service is anything with `name` and `check(addresses) -> {address: text}`. A text is like
`gti:High:3`: who says it, what, and how severe it is (3 high, 2 medium, 1 minimal, -1 unverified);
more may follow after another colon. Texts of one address are joined by `::`, the worst first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from flowtriage._core import AddressRanges
from flowtriage.enrich.geolocation import locations
from flowtriage.enrich.network_context import InternalNetworks, read_context
from flowtriage.enrich.reputation import BlockLists
from flowtriage.enrich.reputation.gti import Gti, _plain
from flowtriage.enrich.reputation.severity import LABELS, UNVERIFIED, _worst_first
from flowtriage.errors import MissingExtraError, ServiceError
from flowtriage.humanize import sanitize

_REASON = 160


class Service(Protocol):
    """What can be asked about addresses."""

    name: str

    def check(self, addresses: Sequence[str]) -> Mapping[str, str]:
        """Return what is known of addresses; those of which nothing is known may be left out."""


@dataclass(frozen=True)
class Reputations:
    """What services said.

    Attributes
    ----------
    texts : dict of str to str
        What is known of each address, the worst first.
    problems : dict of str to str
        Services that failed, and why.
    """

    texts: dict[str, str]
    problems: dict[str, str]


def check(addresses: Iterable[str], services: Sequence[Service]) -> Reputations:
    """Ask services about addresses; one that fails does not cost the answers of others.

    Examples
    --------
    >>> class Fixed:
    ...     def __init__(self, name, text):
    ...         self.name, self._text = name, text
    ...     def check(self, addresses):
    ...         return {address: f"{self.name}:{self._text}" for address in addresses}
    >>> check(["192.0.2.1"], [Fixed("a", "Minimal:1"), Fixed("b", "High:3")]).texts
    {'192.0.2.1': 'b:High:3::a:Minimal:1'}
    """
    asked = sorted(set(addresses))
    said: dict[str, list[str]] = {}
    problems: dict[str, str] = {}
    for service in services:
        try:
            answers = service.check(asked)
        except Exception as error:
            problems[service.name] = sanitize(f"{type(error).__name__}: {error}", _REASON)
            continue
        for address, text in answers.items():
            said.setdefault(address, []).append(text)
    texts = {
        address: "::".join(sorted(said[address], key=_worst_first)) for address in sorted(said)
    }
    return Reputations(texts, problems)


class BlockListService:
    """Local block lists; nothing leaves the machine.

    Parameters
    ----------
    lists
        The lists. A listed address is told with the network that holds it.
    """

    name = "block lists"

    def __init__(self, lists: BlockLists) -> None:
        self._lists = lists

    def check(self, addresses: Sequence[str]) -> dict[str, str]:
        """Return which lists have the addresses."""
        import pyarrow.compute as pc

        asked = pa.array(addresses, pa.string())
        said: dict[str, list[str]] = {}
        for one in self._lists.lists:
            found = one.find(asked)
            listed = pc.is_valid(found["network"])
            hits = found.filter(listed).append_column("address", asked.filter(listed))
            for hit in hits.select(["address", "network", "severity"]).to_pylist():
                label = LABELS[hit["severity"] or self._lists.severity]
                text = f"{_plain(one.name)}:{label}:{hit['network']}"
                said.setdefault(hit["address"], []).append(text)
        return {address: "::".join(sorted(s, key=_worst_first)) for address, s in said.items()}


class TIService:
    """Services of threat intelligence, through msticpy; only public addresses are asked about.

    Parameters
    ----------
    source
        msticpy's `TILookup`, or anything with its `lookup_iocs`.
    """

    name = "threat intelligence"

    def __init__(self, source: Any) -> None:
        self._source = source

    def check(self, addresses: Sequence[str]) -> dict[str, str]:
        """Return what providers say; those that do not know an address are left out."""
        from flowtriage.enrich.reputation import look_up

        found = look_up(addresses, [self._source])
        known = found.results[found.results["Result"].eq(True)]
        said: dict[str, list[str]] = {}
        rows = zip(known["Ioc"], known["Provider"], known["Severity"], strict=True)
        for address, provider, level in rows:
            text = f"{_plain(str(provider))}:{LABELS.get(level, UNVERIFIED)}"
            said.setdefault(address, []).append(text)
        if found.asked and found.unanswered == found.asked and len(found.coverage):
            raise ServiceError(f"no provider answered ({found.coverage['reason'].iloc[0]})")
        return {address: "::".join(sorted(s, key=_worst_first)) for address, s in said.items()}


def open_services(
    block_lists: Sequence[str | os.PathLike[str]] = (),
    msticpy: Sequence[str] = (),
    gti: str | os.PathLike[str] | None = None,
    timeout: float = 60.0,
) -> list[Service]:
    """Open the services that are configured.

    Parameters
    ----------
    block_lists
        Files of block lists (see `BlockLists`).
    msticpy
        Names of msticpy's providers of threat intelligence.
    gti
        Spot's `reputation_config.json`.
    timeout
        Seconds that a call of the GTI client may take.

    Raises
    ------
    OSError
        As the operating system says.
    FormatError
        If a file is not what it should be.
    MissingExtraError
        If providers are named and msticpy is not installed.
    """
    services: list[Service] = []
    if block_lists:
        services.append(BlockListService(BlockLists(list(block_lists))))
    if msticpy:
        try:
            from msticpy.context.tilookup import TILookup
        except ImportError:
            raise MissingExtraError(
                "msticpy is needed for threat intelligence; "
                "install it with: pip install flowtriage[notebook]"
            ) from None
        services.append(TIService(TILookup(providers=list(msticpy))))
    if gti is not None:
        services.append(Gti.configured(gti, timeout))
    return services


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
        everything = AddressRanges.from_ranges(networks, pa.nulls(len(networks), pa.string()))
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
