"""Lookup of the reputation of addresses, with the coverage and failures of each provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.enrich.asn import bundled
from flowtriage.enrich.reputation.ledger import count_addresses, coverage_of, is_hit, ledger_of
from flowtriage.enrich.reputation.querying import (
    INTERRUPTED,
    Answers,
    query_services,
    query_tables,
)
from flowtriage.enrich.reputation.results import COLUMNS, FOUND, SAFE_IOC
from flowtriage.enrich.reputation.severity import Severity
from flowtriage.enrich.reputation.threat_intelligence import Provider, providers_of, types_of
from flowtriage.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_TIME_LIMIT = 600.0
"""Default time limit of a look-up, in seconds."""


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
    ledger : pyarrow.Table
        One row per address and provider: `status` (`result`, `unsupported`, `failed`,
        `not queried`), number of `attempts`, and `reason` (of a failure).
    public, non_public : int
        Numbers of distinct addresses.
    without_result : int
        Number of distinct public addresses without a result of any provider.
    stopped : str or None
        `time limit` or `interrupted` if queries were stopped.
    not_sent : int
        Number of public addresses beyond the limit of those that services are queried about.
    """

    found: pa.Table
    providers: pa.Table
    ledger: pa.Table
    public: int
    non_public: int
    without_result: int
    stopped: str | None
    _tables: tuple[pa.Table | pd.DataFrame, ...]
    _order: pa.Array
    not_sent: int = 0

    @cached_property
    def results(self) -> pd.DataFrame:
        """The results in the columns of msticpy's `TILookup`, the most severe first.

        `SafeIoc`, the address as it was sent, and further columns of the sources follow. The
        severity of a query that failed is `unknown`; its status and details say why.
        """
        import pandas as pd

        frames = [
            t.select(COLUMNS).to_pandas() if isinstance(t, pa.Table) else t for t in self._tables
        ]
        if not frames:
            return pd.DataFrame(columns=[*COLUMNS, SAFE_IOC])
        every = pd.concat([frame.astype(object) for frame in frames], ignore_index=True)
        usual = (*COLUMNS, SAFE_IOC)
        further = [name for name in every.columns if name not in usual]
        results: pd.DataFrame = every.reindex(columns=[*usual, *further])
        results = results.iloc[self._order.to_numpy()].reset_index(drop=True)
        results[further] = results[further].infer_objects()
        results[SAFE_IOC] = results[SAFE_IOC].where(results[SAFE_IOC].notna(), results["Ioc"])
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
        hits: pd.DataFrame = self.results[is_hit(self.found).to_numpy(zero_copy_only=False)]
        return hits

    @property
    def failures(self) -> pa.Table:
        """The rows of the ledger without an answer: failed or not queried."""
        status = pa.array(["failed", "not queried"])
        return self.ledger.filter(pc.is_in(self.ledger["status"], value_set=status))

    @property
    def known(self) -> int:
        """Number of distinct addresses that a provider knows."""
        return count_addresses(self.found.filter(self.found["known"]))

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
        if count := self.not_sent:
            lines.append(
                f"Services were queried about the first {self.public - count:,} public addresses; "
                f"the other {count:,} were looked up in local lists only."
            )
        if self.stopped:
            lines.append(self._stopped_message())
        with_result = self.public - self.without_result
        if not with_result:
            return [*lines, f"No provider returned a result: {_are(self.public)} unknown."]
        hits = count_addresses(self.found.filter(is_hit(self.found)))
        threats = _are(hits) if hits else "none is"
        lines.append(
            f"{with_result:,} of {self.public:,} public addresses have a result; "
            f"{threats} known as a threat."
        )
        if count := self.without_result:
            have = "address has" if count == 1 else "addresses have"
            lines.append(f"{count:,} public {have} no result.")
        return lines

    def _stopped_message(self) -> str:
        cut = "Interrupted" if self.stopped == INTERRUPTED else "Stopped at the time limit"
        count = pc.sum(pc.equal(self.ledger["reason"], self.stopped)).as_py() or 0
        have = "has" if count == 1 else "have"
        return f"{cut}: {count:,} of {self.ledger.num_rows:,} queries {have} no answer."


def look_up(
    addresses: Iterable[str],
    sources: Sequence[Any],
    *,
    non_public: bool = False,
    time_limit: float | None = DEFAULT_TIME_LIMIT,
    max_sent: int | None = None,
) -> Reputation:
    """Look up the reputation of addresses, each distinct address once per provider.

    Providers are queried side by side. A query that fails is repeated once, for the addresses
    that failed, after a pause of a second. A provider that raises errors for its first five
    addresses, twice, and for the next is not queried further. After Ctrl-C or the time limit, the
    results until then are returned: `stopped` says so, and the ledger has the reason for each
    address without a result.

    Parameters
    ----------
    addresses
        IPv4 and IPv6 addresses; null and empty strings stand for a missing one.
    sources
        Sources of reputation: msticpy's `TILookup`, `BlockLists`, `Gti`, or anything with the
        method `lookup_iocs` of `TILookup`.
    non_public
        Whether to look up non-public addresses too, in sources that send nothing: block lists.
    time_limit
        Time limit in seconds, 600 by default; None for no limit. Sources within this process
        (`BlockLists`, `Gti`) are not stopped by it.
    max_sent
        Number of public addresses that services outside this process are queried about, the first
        ones; None for all.

    Returns
    -------
    Reputation
        It names addresses in canonical notation.

    Raises
    ------
    InputError
        If an address is invalid.
    ArgumentError
        If the time limit or `max_sent` is not a positive number.

    Examples
    --------
    >>> look_up(["10.0.0.1"], []).messages()
    ['1 non-public address was not looked up.', 'There is no public address to look up.']
    """
    if time_limit is not None and not (isinstance(time_limit, Real) and time_limit > 0):
        raise ArgumentError(
            f"time_limit must be more than 0 seconds, got {time_limit!r}; give a number, or None "
            "for no limit"
        )
    if max_sent is not None and not (isinstance(max_sent, Integral) and max_sent > 0):
        raise ArgumentError(
            f"the number of addresses must be 1 or more, got {max_sent!r}; give a number, or None "
            "for no limit"
        )
    known = bundled().lookup(list(addresses))
    known = known.select(["address", "ip_type"]).group_by(["address", "ip_type"], use_threads=False)
    known = known.aggregate([]).drop_null().combine_chunks()
    every = known["address"].combine_chunks()
    public = every.filter(pc.equal(known["ip_type"], "Public").combine_chunks())
    sent = public if max_sent is None else public.slice(0, max_sent)
    answers, stopped = _query(sources, every, public, sent, non_public, time_limit)
    services = any(not hasattr(source, "query") for source in sources)
    tables = [pair for one in answers for pair in one.tables]
    found = pa.concat_tables([FOUND.empty_table(), *(found for _, found in tables)])
    found = found.combine_chunks()
    order = pc.sort_indices(found, [("severity", "descending")])
    answered = found.filter(found["answered"])["address"].combine_chunks()
    return Reputation(
        found=found.take(order),
        providers=coverage_of(answers),
        ledger=ledger_of(answers),
        public=len(public),
        non_public=len(every) - len(public),
        without_result=len(public.filter(pc.invert(pc.is_in(public, value_set=answered)))),
        stopped=stopped,
        _tables=tuple(table for table, _ in tables),
        _order=order,
        not_sent=len(public) - len(sent) if services else 0,
    )


def _query(
    sources: Sequence[Any],
    every: pa.Array,
    public: pa.Array,
    sent: pa.Array,
    non_public: bool,
    limit: float | None,
) -> tuple[list[Answers], str | None]:
    """Query all sources; return the answers in their order, and why queries were stopped."""
    slots: list[list[Answers]] = []
    remote: list[tuple[int, Provider, Mapping[str, str]]] = []
    inside: list[tuple[int, Any, pa.Array]] = []
    for at, source in enumerate(sources):
        chosen = every if non_public and getattr(source, "local", False) else public
        kinds = types_of(chosen)
        if not kinds:
            slots.append([])
        elif hasattr(source, "query"):
            slots.append([Answers(name, kinds, stopped=INTERRUPTED) for name in source.providers])
            inside.append((at, source, chosen))
        else:
            slots.append([])
            few = types_of(sent)
            remote += [(at, provider, few) for provider in providers_of(source)]

    def query_inside() -> None:
        for at, source, chosen in inside:
            slots[at] = query_tables(source, chosen)

    services = [(provider, kinds) for _, provider, kinds in remote]
    answers, stopped = query_services(services, limit, query_inside)
    for (at, *_), answer in zip(remote, answers, strict=True):
        slots[at].append(answer)
    return [answer for slot in slots for answer in slot], stopped


def _are(count: int) -> str:
    return f"{count:,} {'address is' if count == 1 else 'addresses are'}"
