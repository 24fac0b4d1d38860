"""Timeline: flows per protocol in bins of 15 minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benchmarks.job import FLOWTRIAGE, Facts, Job, Peer
from benchmarks.jobs.columns import columns, connect, duckdb_measures, polars_measures, sums_of

if TYPE_CHECKING:
    import duckdb


def _flowtriage(table: pa.Table) -> pa.Table:
    import flowtriage as ft

    return ft.timeline(table, by="L7Protocol")


def _polars(table: pa.Table) -> pa.Table:
    import polars as pl

    keys = [pl.col("first_seen").dt.truncate("15m").alias("bin_start"), "L7Protocol"]
    query = pl.DataFrame(table).lazy().group_by(keys).agg(polars_measures(table))
    ordered = query.sort("bin_start", "L7Protocol", nulls_last=True)
    return ordered.collect(engine="streaming").to_arrow()


def _prepare_duckdb(table: pa.Table) -> tuple[duckdb.DuckDBPyConnection, str]:
    slot = "time_bucket(INTERVAL 15 MINUTE, first_seen) AS bin_start, L7Protocol"
    query = f"SELECT {slot}, {duckdb_measures(table.column_names)} FROM flows"
    return connect(table), f"{query} GROUP BY ALL ORDER BY ALL"


def _duckdb(prepared: tuple[duckdb.DuckDBPyConnection, str]) -> Any:
    connection, query = prepared
    return connection.sql(query).to_arrow_table()


def _facts(result: pa.Table) -> Facts:
    names = {"series": "L7Protocol", "flows": "TotalAllowedFlows"}
    renamed = result.rename_columns([names.get(name, name) for name in result.column_names])
    known = [name for name in sums_of(renamed.column_names) if renamed[name].null_count == 0]
    wanted = ["bin_start", "L7Protocol", *known, "first_seen", "last_seen"]
    return {"timeline": columns(renamed, wanted)}


JOB = Job(
    title="Timeline",
    note=(
        "From Arrow table to Arrow table: `ft.timeline(flows, by='L7Protocol')`. A day in at most "
        "120 bins has bins of 15 minutes, which flowtriage determines and the peers are given. All "
        "results are ordered."
    ),
    inputs=("host", "zeek"),
    sizes=(100_000, 1_000_000, 10_000_000),
    peers=(
        Peer(FLOWTRIAGE, "", _flowtriage, _facts),
        Peer("polars", "ordered", _polars, _facts),
        Peer("duckdb", "ordered", _duckdb, _facts, _prepare_duckdb),
    ),
)
