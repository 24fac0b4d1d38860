"""Columns of the inputs, and grouping by them in each of the peers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benchmarks.job import Facts

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl

KEYS = ["source", "dest", "L7Protocol", "FlowDirection"]
_SUMS = ["TotalAllowedFlows", "src_bytes", "dst_bytes", "src_packets", "dst_packets"]


def sums_of(names: list[str]) -> list[str]:
    """Return the summed columns."""
    return [name for name in _SUMS if name in names]


def polars_measures(table: pa.Table) -> list[pl.Expr]:
    """Return sums (null for groups without values) and first and last time."""
    import polars as pl

    def total(name: str) -> pl.Expr:
        column = pl.col(name)
        if table[name].null_count == 0:
            return column.sum()
        return pl.when(column.count() > 0).then(column.sum()).alias(name)

    sums = [total(name) for name in sums_of(table.column_names)]
    return [*sums, pl.col("first_seen").min(), pl.col("last_seen").max()]


def duckdb_measures(names: list[str]) -> str:
    """Return the same as a list in SQL."""
    sums = [f"sum({name})::BIGINT AS {name}" for name in sums_of(names)]
    times = ["min(first_seen) AS first_seen", "max(last_seen) AS last_seen"]
    return ", ".join([*sums, *times])


def pandas_measures(thousands: Any, names: list[str]) -> pd.DataFrame:
    """Return the same of a pandas GroupBy."""
    import pandas as pd

    parts = [
        thousands[sums_of(names)].sum(min_count=1),
        thousands[["first_seen"]].min(),
        thousands[["last_seen"]].max(),
    ]
    result: pd.DataFrame = pd.concat(parts, axis=1).reset_index()
    return result


def connect(table: pa.Table) -> duckdb.DuckDBPyConnection:
    """Open DuckDB with the input as table `flows`, read lazily from Arrow."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection.register("flows", table)


def columns(table: pa.Table, names: list[str]) -> pa.Table:
    """Cast columns of a result to the types used for comparison."""
    times = {"first_seen", "last_seen", "bin_start"}
    fields = []
    for name in names:
        if name in times:
            fields.append(pa.field(name, pa.timestamp("us", "UTC")))
        elif name in [*_SUMS, "flows"]:
            fields.append(pa.field(name, pa.int64()))
        else:
            fields.append(pa.field(name, pa.large_string()))
    return table.select(names).cast(pa.schema(fields))


def grouped_facts(result: pa.Table) -> Facts:
    """Select keys and measures of an index, without empty columns."""
    wanted = [*KEYS, *_SUMS, "first_seen", "last_seen"]
    kept = [
        name
        for name in wanted
        if name in result.column_names and result[name].null_count < result.num_rows
    ]
    return {"index": columns(result, kept)}
