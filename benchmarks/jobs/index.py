"""Flow index: flows grouped by source, destination, protocol and direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benchmarks.job import FLOWTRIAGE, Job, Peer
from benchmarks.jobs.columns import (
    KEYS,
    connect,
    duckdb_measures,
    grouped_facts,
    pandas_measures,
    polars_measures,
)

if TYPE_CHECKING:
    import duckdb
    import polars as pl


def _flowtriage(table: pa.Table) -> pa.Table:
    import flowtriage as ft

    return ft.flow_index(table)


def _pandas(table: pa.Table, *, ordered: bool) -> pa.Table:
    thousands = table.to_pandas().groupby(KEYS, dropna=False, observed=True, sort=ordered)
    result = pandas_measures(thousands, table.column_names)
    return pa.Table.from_pandas(result, preserve_index=False)


def _pandas_ordered(table: pa.Table) -> pa.Table:
    return _pandas(table, ordered=True)


def _pandas_unordered(table: pa.Table) -> pa.Table:
    return _pandas(table, ordered=False)


def _query(frame: pl.DataFrame, table: pa.Table) -> pl.LazyFrame:
    return frame.lazy().group_by(KEYS).agg(polars_measures(table))


def _polars_ordered(table: pa.Table) -> pa.Table:
    import polars as pl

    query = _query(pl.DataFrame(table), table).sort(KEYS, nulls_last=True)
    return query.collect(engine="streaming").to_arrow()


def _polars_unordered(table: pa.Table) -> pa.Table:
    import polars as pl

    return _query(pl.DataFrame(table), table).collect(engine="streaming").to_arrow()


def _own_frame(table: pa.Table) -> tuple[pl.DataFrame, pa.Table]:
    import polars as pl

    return pl.DataFrame(table), table


def _polars_own(both: tuple[pl.DataFrame, pa.Table]) -> pl.DataFrame:
    return _query(*both).collect(engine="streaming")


def _polars_facts(result: pl.DataFrame) -> dict[str, pa.Table]:
    return grouped_facts(result.to_arrow())


def _prepare_duckdb(table: pa.Table) -> tuple[duckdb.DuckDBPyConnection, str]:
    query = f"SELECT {', '.join(KEYS)}, {duckdb_measures(table.column_names)} FROM flows"
    return connect(table), f"{query} GROUP BY ALL"


def _duckdb_ordered(prepared: tuple[duckdb.DuckDBPyConnection, str]) -> Any:
    connection, query = prepared
    return connection.sql(f"{query} ORDER BY {', '.join(KEYS)}").to_arrow_table()


def _duckdb_unordered(prepared: tuple[duckdb.DuckDBPyConnection, str]) -> Any:
    connection, query = prepared
    return connection.sql(query).to_arrow_table()


JOB = Job(
    title="Flow index",
    note=(
        "From Arrow table to Arrow table: groups by source, destination, protocol and "
        "direction, with the sums of flows, bytes and packets, and first and last time. "
        "flowtriage's result is ordered by key (addresses as numbers), as is a groupby in "
        "pandas, so the first ratio is to peers that also order by key (addresses as strings). "
        "The second is to peers that return the groups in any order. The third, for Polars "
        "only, also omits the conversion from Arrow to its own string views and back. Polars "
        "runs lazily on its streaming engine, the faster of its two."
    ),
    inputs=("host", "network", "ipv6", "nulls", "zeek", "dictionary"),
    sizes=(100_000, 1_000_000, 10_000_000),
    peers=(
        Peer(FLOWTRIAGE, "", _flowtriage, grouped_facts),
        Peer("pandas", "ordered", _pandas_ordered, grouped_facts, max_rows=1_000_000),
        Peer("polars", "ordered", _polars_ordered, grouped_facts),
        Peer("duckdb", "ordered", _duckdb_ordered, grouped_facts, _prepare_duckdb),
        Peer("pandas", "any order", _pandas_unordered, grouped_facts, max_rows=1_000_000),
        Peer("polars", "any order", _polars_unordered, grouped_facts),
        Peer("duckdb", "any order", _duckdb_unordered, grouped_facts, _prepare_duckdb),
        Peer("polars", "own frame", _polars_own, _polars_facts, _own_frame),
    ),
)
