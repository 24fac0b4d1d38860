"""What the benchmarks are to show, and what they do show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.measure import Case
from benchmarks.results import Results
from benchmarks.shapes import ADDRESSES

_MILLION = 1_000_000
_HTML = "HTML of all plots, bytes"


@dataclass(frozen=True)
class Target:
    """A bound on a measured value.

    Attributes
    ----------
    work
        What the value is of.
    bound
        The bound.
    unit
        Format of bound and value, such as `{:.1f} ×`.
    measure
        Finds the value in results; None if it was not measured.
    least
        Whether the bound is the least that is wanted, or the most.
    """

    work: str
    bound: float
    unit: str
    measure: Callable[[Results], float | None]
    least: bool = True

    def wanted(self) -> str:
        """Return the bound in words."""
        return f"at {'least' if self.least else 'most'} {self.unit.format(self.bound)}"

    def verdict(self, value: float | None) -> str:
        """Tell whether a value is within the bound."""
        if value is None:
            return "not measured"
        reached = value >= self.bound if self.least else value <= self.bound
        return "reached" if reached else "**not reached**"


def _ratio(case: Case, *peers: str) -> Callable[[Results], float | None]:
    return lambda results: results.ratio(case, list(peers))


def _growth(job: str, shape: str, fewer: int, more: int) -> Callable[[Results], float | None]:
    def measure(results: Results) -> float | None:
        small = results.ours(Case(job, shape, fewer))
        large = results.ours(Case(job, shape, more))
        return large.median / small.median if small and large else None

    return measure


def _memory(case: Case) -> Callable[[Results], float | None]:
    def measure(results: Results) -> float | None:
        ours = results.ours(case)
        if ours is None or ours.peak_bytes is None:
            return None
        return ours.peak_bytes / ours.input_bytes

    return measure


def _html_megabytes(case: Case) -> Callable[[Results], float | None]:
    def measure(results: Results) -> float | None:
        ours = results.ours(case)
        return ours.figures[_HTML] / 1e6 if ours else None

    return measure


def _index_targets() -> list[Target]:
    forms = {"ordered": "both ordered by key", "any order": "the peer in any order"}
    works = [
        ("network", _MILLION, 4, "high cardinality"),
        ("network", 10 * _MILLION, 8, "high cardinality"),
        ("host", _MILLION, 3, "low cardinality"),
        ("dictionary", _MILLION, 3, "dictionary-encoded"),
    ]
    return [
        Target(
            f"`flow_index`, {rows:,} rows, {title}, against the better of Polars and DuckDB, {how}",
            bound,
            "{:.1f} ×",
            _ratio(Case("index", shape, rows), f"polars, {form}", f"duckdb, {form}"),
        )
        for form, how in forms.items()
        for shape, rows, bound, title in works
    ]


def _summary_targets() -> list[Target]:
    return [
        Target(
            f"index, ASN and summary, 1,000,000 rows, {which}, against msticnb's functions",
            400,
            "{:.0f} ×",
            _ratio(Case("summary", shape, _MILLION), "msticnb, functions"),
        )
        for shape, which in (("outbound", "private hosts"), ("public", "all addresses public"))
    ]


def _run_targets() -> list[Target]:
    made = []
    for shape, which in (("outbound-host", "few peers"), ("outbound-server", "many peers")):
        case, work = Case("run", shape, _MILLION), f"`run`, 1,000,000 rows of one host, {which}"
        html = _html_megabytes(case)
        made += [
            Target(f"{work}, against msticnb's", 40, "{:.0f} ×", _ratio(case, "msticnb, run")),
            Target(f"{work}, HTML of all plots", 3, "{:.2f} MB", html, least=False),
        ]
    return made


_ASN = Case("asn", ADDRESSES, _MILLION)

TARGETS = [
    *_index_targets(),
    *_summary_targets(),
    Target(
        "ASN of 1,000,000 distinct addresses, against `maxminddb`'s C extension in a loop",
        10,
        "{:.1f} ×",
        _ratio(_ASN, "maxminddb, loop"),
    ),
    Target(
        "the same, against the batch call of `maxminddb-rust`",
        2,
        "{:.1f} ×",
        _ratio(_ASN, "maxminddb-rust, batch"),
    ),
    *_run_targets(),
    Target(
        "peak memory of `flow_index` beyond its input, 10,000,000 rows, high cardinality, as a "
        "share of the input",
        1,
        "{:.2f}",
        _memory(Case("index", "network", 10 * _MILLION)),
        least=False,
    ),
    Target(
        "time of `flow_index`, high cardinality, from 1,000,000 to 10,000,000 rows",
        12,
        "{:.1f} ×",
        _growth("index", "network", _MILLION, 10 * _MILLION),
        least=False,
    ),
]
