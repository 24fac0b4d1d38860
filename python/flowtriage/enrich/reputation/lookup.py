"""Lookup of the reputation of addresses, with the coverage and failures of each provider."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.enrich.asn import bundled
from flowtriage.enrich.reputation.results import COLUMNS, FOUND, read_results
from flowtriage.enrich.reputation.severity import Severity
from flowtriage.enrich.reputation.threat_intelligence import SourceResults, query_source, types_of
from flowtriage.humanize import sanitize
from flowtriage.progress import report_progress

if TYPE_CHECKING:
    import pandas as pd

_COUNTS = ("queried", "with_result", "hits", "unsupported", "failed")
_COVERAGE = pa.schema(
    [
        ("provider", pa.string()),
        *((name, pa.int64()) for name in _COUNTS),
        ("reason", pa.string()),
    ]
)
_MAX_REASON = 160


@dataclass(frozen=True)
class Reputation:
    """Reputation of addresses, and how complete it is.

    Attributes
    ----------
    found : pyarrow.Table
        One row per result, the most severe first; the columns are those of `results.FOUND`.
    providers : pyarrow.Table
        One row per provider: number of addresses `queried`, of those `with_result`, of `hits`,
        of `unsupported` and `failed` addresses, and the first `reason` of a failure. Every
        queried address has a result, is unsupported or failed.
    public, non_public : int
        Numbers of distinct addresses.
    without_result : int
        Number of distinct public addresses without a result of any provider.
    """

    found: pa.Table
    providers: pa.Table
    public: int
    non_public: int
    without_result: int
    _tables: tuple[pa.Table | pd.DataFrame, ...]
    _order: pa.Array

    @cached_property
    def results(self) -> pd.DataFrame:
        """The results in the columns of msticpy's `TILookup`, the most severe first."""
        import pandas as pd

        frames = [t.to_pandas() if isinstance(t, pa.Table) else t for t in self._tables]
        if not frames:
            return pd.DataFrame(columns=list(COLUMNS))
        every = pd.concat([frame.astype(object) for frame in frames], ignore_index=True)
        results: pd.DataFrame = every.reindex(columns=list(COLUMNS)).iloc[self._order.to_numpy()]
        results = results.reset_index(drop=True)
        labels = {int(severity): severity.label for severity in Severity}
        results["Severity"] = [labels[number] for number in self.found["severity"].to_pylist()]
        return results

    @property
    def coverage(self) -> pd.DataFrame:
        """The table `providers` for pandas."""
        coverage: pd.DataFrame = self.providers.to_pandas()
        return coverage

    @property
    def hits(self) -> pd.DataFrame:
        """The results of severity warning or high."""
        hits: pd.DataFrame = self.results[_is_hit(self.found).to_numpy(zero_copy_only=False)]
        return hits

    @property
    def known(self) -> int:
        """Number of distinct addresses that a provider knows."""
        return _addresses(self.found.filter(self.found["known"]))

    @property
    def problems(self) -> dict[str, str]:
        """Reason of failure of each provider that failed and returned no result."""
        rows = self.providers.to_pylist()
        return {r["provider"]: r["reason"] for r in rows if r["failed"] and not r["with_result"]}

    def messages(self) -> list[str]:
        """Summarise the results; only addresses with a result may count as clean."""
        lines = []
        if count := self.non_public:
            were = "address was" if count == 1 else "addresses were"
            lines.append(f"{count:,} non-public {were} not looked up.")
        if not self.public:
            return [*lines, "There is no public address to look up."]
        if not self.providers.num_rows:
            return [*lines, f"No provider is loaded: {_are(self.public)} not looked up."]
        with_result = self.public - self.without_result
        if not with_result:
            return [*lines, f"No provider returned a result: {_are(self.public)} unknown."]
        hits = _addresses(self.found.filter(_is_hit(self.found)))
        threats = _are(hits) if hits else "none is"
        lines.append(
            f"{with_result:,} of {self.public:,} public addresses have a result; "
            f"{threats} known as a threat."
        )
        if self.without_result:
            lines.append(f"{self.without_result:,} public addresses have no result.")
        return lines


def look_up(
    addresses: Iterable[str],
    sources: Sequence[Any],
    *,
    non_public: bool = False,
    progress: bool = False,
) -> Reputation:
    """Look up the reputation of addresses, each distinct address once.

    Parameters
    ----------
    addresses
        IPv4 and IPv6 addresses; null and empty strings stand for a missing one.
    sources
        Sources of reputation: msticpy's `TILookup`, `BlockLists`, `Gti`, or anything with the
        method `lookup_iocs` of `TILookup`.
    non_public
        Whether to look up non-public addresses too, in sources that send nothing: block lists.
    progress
        Whether msticpy may show a progress bar.

    Returns
    -------
    Reputation
        It names addresses in canonical notation.

    Raises
    ------
    InputError
        If an address is invalid.

    Examples
    --------
    >>> look_up(["10.0.0.1"], []).messages()
    ['1 non-public address was not looked up.', 'There is no public address to look up.']
    """
    known = bundled().lookup(list(addresses))
    known = known.select(["address", "ip_type"]).group_by(["address", "ip_type"], use_threads=False)
    known = known.aggregate([]).drop_null().combine_chunks()
    every = known["address"].combine_chunks()
    public = every.filter(pc.equal(known["ip_type"], "Public").combine_chunks())
    parts = []
    for done, source in enumerate(sources):
        report_progress("threat intelligence", done, len(sources))
        chosen = every if non_public and getattr(source, "local", False) else public
        if len(chosen):
            parts.append(query_source(source, chosen, progress=progress))
    tables = tuple(table for part in parts for table in part.tables if len(table))
    found = pa.concat_tables([FOUND.empty_table(), *map(read_results, tables)]).combine_chunks()
    order = pc.sort_indices(found, [("severity", "descending")])
    answered = found.filter(found["answered"])["address"].combine_chunks()
    return Reputation(
        found=found.take(order),
        providers=_coverage(parts, found),
        public=len(public),
        non_public=len(every) - len(public),
        without_result=len(public.filter(pc.invert(pc.is_in(public, value_set=answered)))),
        _tables=tables,
        _order=order,
    )


def _is_hit(found: pa.Table) -> pa.ChunkedArray:
    severe = pc.greater_equal(found["severity"], int(Severity.WARNING))
    return pc.and_(severe, found["answered"])


def _addresses(found: pa.Table) -> int:
    return int(pc.count_distinct(found["address"]).as_py())


def _coverage(parts: Sequence[SourceResults], found: pa.Table) -> pa.Table:
    rows = []
    for part in parts:
        kinds = types_of(part.addresses)
        for name, supported in part.supported.items():
            mine = found.filter(pc.equal(found["provider"], name))
            failures = mine.filter(pc.invert(mine["answered"]))
            with_result = set(mine.filter(mine["answered"])["address"].to_pylist())
            failed = set(failures["address"].to_pylist()) - with_result
            silent = kinds.keys() - with_result - failed
            unsupported = {a for a in silent if supported and kinds[a] not in supported}
            reasons = [part.errors[name]] if name in part.errors else []
            reasons += failures["reason"].slice(0, 1).to_pylist()
            reasons += ["no result"] if silent - unsupported else []
            row = {
                "provider": name,
                "queried": len(kinds),
                "with_result": len(with_result),
                "hits": _addresses(mine.filter(_is_hit(mine))),
                "unsupported": len(unsupported),
                "failed": len(failed | (silent - unsupported)),
                "reason": sanitize(reasons[0], _MAX_REASON) if reasons else None,
            }
            rows.append(row)
    return pa.Table.from_pylist(rows, _COVERAGE)


def _are(count: int) -> str:
    return f"{count:,} {'address is' if count == 1 else 'addresses are'}"
