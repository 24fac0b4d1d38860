"""Top N: destinations by bytes in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benchmarks.job import FLOWTRIAGE, Facts, Job, Peer
from benchmarks.jobs.columns import columns, connect, duckdb_measures, polars_measures, sums_of

if TYPE_CHECKING:
    import duckdb

_N = 20


def _flowtriage(table: pa.Table) -> pa.Table:
    import flowtriage as ft

    return ft.top_n(table, key="dest", by="bytes", n=_N)


def _polars(table: pa.Table) -> pa.Table:
    import polars as pl

    query = pl.DataFrame(table).lazy().group_by("dest").agg(polars_measures(table))
    top = query.top_k(_N, by=pl.col("src_bytes") + pl.col("dst_bytes"))
    return top.collect(engine="streaming").to_arrow()


def _prepare_duckdb(table: pa.Table) -> tuple[duckdb.DuckDBPyConnection, str]:
    query = f"SELECT dest, {duckdb_measures(table.column_names)} FROM flows GROUP BY dest"
    ranked = "ORDER BY sum(src_bytes) + sum(dst_bytes) DESC"
    return connect(table), f"{query} {ranked} LIMIT {_N}"


def _duckdb(prepared: tuple[duckdb.DuckDBPyConnection, str]) -> Any:
    connection, query = prepared
    return connection.sql(query).to_arrow_table()


def _facts(result: pa.Table) -> Facts:
    names = {"flows": "TotalAllowedFlows"}
    renamed = result.rename_columns([names.get(name, name) for name in result.column_names])
    wanted = ["dest", *sums_of(renamed.column_names), "first_seen", "last_seen"]
    return {"top": columns(renamed, wanted)}


JOB = Job(
    title="Top N",
    note=(
        "From Arrow table to Arrow table: `ft.top_n(flows, key='dest', by='bytes', n=20)`, "
        "with all measures of the 20 groups."
    ),
    inputs=("zeek",),
    sizes=(100_000, 1_000_000, 10_000_000),
    peers=(
        Peer(FLOWTRIAGE, "", _flowtriage, _facts),
        Peer("polars", "top 20", _polars, _facts),
        Peer("duckdb", "top 20", _duckdb, _facts, _prepare_duckdb),
    ),
)
