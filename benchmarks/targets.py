"""Targets of the benchmarks, and the measured values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.jobs.from_log import PEAK
from benchmarks.measure import Case
from benchmarks.results import Results
from benchmarks.shapes import ADDRESSES

_MILLION = 1_000_000
_HTML = "HTML of all plots, bytes"


Measure = Callable[[Results], float | None]
"""Returns a value from results; None if it was not measured."""


@dataclass(frozen=True)
class Target:
    """A bound on a measured value.

    Attributes
    ----------
    work
        Description of the value.
    bound
        The bound.
    unit
        Format of bound and value, such as `{:.1f} ×`.
    minimum
        Whether the bound is a minimum or a maximum.
    """

    work: str
    bound: float
    unit: str
    minimum: bool = True

    def row(self, value: float | None) -> tuple[str, str, str, str]:
        """Return the work, the target, the measured value, and whether it is reached."""
        target = f"at {'least' if self.minimum else 'most'} {self.unit.format(self.bound)}"
        if value is None:
            return self.work, target, "–", "not measured"
        reached = value >= self.bound if self.minimum else value <= self.bound
        outcome = "reached" if reached else "**not reached**"
        return self.work, target, self.unit.format(value), outcome


def _share_of_input(case: Case) -> Measure:
    def measure(results: Results) -> float | None:
        ours = results.ours(case)
        if ours is None or ours.peak_bytes is None:
            return None
        return ours.peak_bytes / ours.input_bytes

    return measure


def _ratio(case: Case, *peers: str) -> Measure:
    return lambda results: results.ratio(case, list(peers))


def _seconds(case: Case) -> Measure:
    def measure(results: Results) -> float | None:
        ours = results.ours(case)
        return ours.median if ours else None

    return measure


def _growth(fewer: Case, more: Case) -> Measure:
    def measure(results: Results) -> float | None:
        small, large = results.ours(fewer), results.ours(more)
        return large.median / small.median if small and large else None

    return measure


def _html_megabytes(case: Case) -> Measure:
    def measure(results: Results) -> float | None:
        ours = results.ours(case)
        return ours.figures[_HTML] / 1e6 if ours else None

    return measure


def _peak_megabytes(case: Case) -> Measure:
    def measure(results: Results) -> float | None:
        ours = results.ours(case)
        return ours.peak_bytes / 1e6 if ours and ours.peak_bytes is not None else None

    return measure


def _process_megabytes(case: Case) -> Measure:
    def measure(results: Results) -> float | None:
        ours = results.ours(case)
        return ours.figures[PEAK] / 1e6 if ours else None

    return measure


def _read_targets() -> Iterator[tuple[Target, Measure]]:
    for job, log in (("read_zeek", "a Zeek log"), ("read_aws", "an AWS VPC flow log")):
        work = f"`read_flows` of {log}, 1,000,000 rows, against `pyarrow.csv` and Polars"
        measure = _ratio(Case(job, "zeek", _MILLION), "polars, after pyarrow.csv")
        yield Target(work, 1, "{:.1f} ×"), measure


_LOG_WORKS = (
    ("host_run", "`run(host, data=log)` without plots", {_MILLION: 0.7, 10 * _MILLION: 1.5}, 500),
    ("top_log", "`flowtriage top` of a Zeek log", {_MILLION: 0.7, 10 * _MILLION: 1.2}, 300),
    (
        "index_log",
        "`flow_index` of a Zeek log",
        {100_000: 1, _MILLION: 1.5, 10 * _MILLION: 2},
        300,
    ),
    ("index_json", "`flow_index` of a Zeek JSON log", {_MILLION: 1.2}, None),
)


def _log_targets() -> Iterator[tuple[Target, Measure]]:
    for job, work, ratios, megabytes in _LOG_WORKS:
        for rows, bound in ratios.items():
            case = Case(job, "zeek", rows)
            text = f"{work}, {rows:,} rows, against the better of Polars and DuckDB"
            yield Target(text, bound, "{:.1f} ×"), _ratio(case, "polars", "duckdb")
        if megabytes:
            peak = _process_megabytes if job == "top_log" else _peak_megabytes
            target = Target(f"{text}: peak memory", megabytes, "{:,.0f} MB", minimum=False)
            yield target, peak(case)


_TABLE_WORKS = (
    ("azure_arrow", "an Arrow table in Azure's columns", {_MILLION: 1.5, 10 * _MILLION: 2}),
    ("azure_parquet", "Parquet in Azure's columns", {_MILLION: 1.2, 10 * _MILLION: 1.5}),
    ("azure_pandas", "a DataFrame of Python strings in Azure's columns", {_MILLION: 1}),
    ("azure_pandas_arrow", "a DataFrame of Arrow strings in Azure's columns", {_MILLION: 1.5}),
    ("canonical_parquet", "Parquet in canonical columns", {_MILLION: 1.5, 10 * _MILLION: 2}),
)


def _table_targets() -> Iterator[tuple[Target, Measure]]:
    for job, work, ratios in _TABLE_WORKS:
        for rows, bound in ratios.items():
            text = (
                f"`flow_index` from {work}, {rows:,} rows, against the better of Polars and DuckDB"
            )
            measure = _ratio(Case(job, "network", rows), "polars, any order", "duckdb, any order")
            yield Target(text, bound, "{:.1f} ×"), measure


def _index_targets() -> Iterator[tuple[Target, Measure]]:
    works = [
        ("network", _MILLION, 4, "high cardinality"),
        ("network", 10 * _MILLION, 8, "high cardinality"),
        ("host", _MILLION, 3, "low cardinality"),
        ("dictionary", _MILLION, 3, "dictionary-encoded"),
    ]
    for form, how in (("ordered", "both ordered by key"), ("any order", "peers in any order")):
        for shape, rows, bound, title in works:
            work = f"{title}, {rows:,} rows, against the better of Polars and DuckDB, {how}"
            measure = _ratio(Case("index", shape, rows), f"polars, {form}", f"duckdb, {form}")
            yield Target(f"`flow_index`, {work}", bound, "{:.1f} ×"), measure


def _index_limits() -> Iterator[tuple[Target, Measure]]:
    million, ten = Case("index", "network", _MILLION), Case("index", "network", 10 * _MILLION)
    work = "`flow_index`, high cardinality"
    memory = f"{work}, 10,000,000 rows: peak memory beyond the input, as a share of it"
    yield Target(memory, 1, "{:.2f}", minimum=False), _share_of_input(ten)
    growth = f"{work}: time of 10,000,000 rows against 1,000,000"
    yield Target(growth, 12, "{:.1f} ×", minimum=False), _growth(million, ten)


def _search_targets() -> Iterator[tuple[Target, Measure]]:
    case = Case("search", "zeek", 10 * _MILLION)
    work = "search of an address in a day of 10,000,000 raw flows, and its peers"
    yield Target(work, 3, "{:.2f} s", minimum=False), _seconds(case)


def _summary_targets() -> Iterator[tuple[Target, Measure]]:
    for shape, which in (("outbound", "private hosts"), ("public", "all addresses public")):
        work = f"index, ASN and summary, 1,000,000 rows, {which}, against msticnb's functions"
        measure = _ratio(Case("summary", shape, _MILLION), "msticnb, functions")
        yield Target(work, 400, "{:.0f} ×"), measure


def _asn_targets() -> Iterator[tuple[Target, Measure]]:
    case, work = Case("asn", ADDRESSES, _MILLION), "ASN of 1,000,000 distinct addresses, against"
    loop = Target(f"{work} the C extension of `maxminddb` in a loop", 10, "{:.1f} ×")
    yield loop, _ratio(case, "maxminddb, loop")
    batch = Target(f"{work} the batch call of `maxminddb-rust`", 2, "{:.1f} ×")
    yield batch, _ratio(case, "maxminddb-rust, batch")


def _run_targets() -> Iterator[tuple[Target, Measure]]:
    for shape, which in (("outbound-host", "few peers"), ("outbound-server", "many peers")):
        case, work = Case("run", shape, _MILLION), f"`run`, 1,000,000 rows of one host, {which}"
        yield Target(f"{work}, against msticnb's", 40, "{:.0f} ×"), _ratio(case, "msticnb, run")
        html = Target(f"{work}: HTML of all plots together", 3, "{:.2f} MB", minimum=False)
        yield html, _html_megabytes(case)


TARGETS = [
    *_log_targets(),
    *_table_targets(),
    *_read_targets(),
    *_index_targets(),
    *_index_limits(),
    *_search_targets(),
    *_summary_targets(),
    *_asn_targets(),
    *_run_targets(),
]
"""Targets of `make bench` with the functions that return their values."""
