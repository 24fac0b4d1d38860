"""Other engines that answer flowtriage's questions.

Each is imported when it is made: in a measured process, no other library takes memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benchmarks.engines.engine import Engine, Search, comparable, in_any_order

if TYPE_CHECKING:
    from polars import DataFrame, LazyFrame

    from benchmarks.engines.frames import Polars

__all__ = [
    "Engine",
    "Search",
    "comparable",
    "duckdb",
    "duckdb_query",
    "in_any_order",
    "naive",
    "polars",
]


def naive(flows: pa.Table) -> Engine:
    """Make the engine of naive Python, the only one that orders as flowtriage does."""
    from benchmarks.engines.rows import Naive

    return Naive(flows)


def duckdb(flows: pa.Table | Sequence[str] | Any, connection: Any = None) -> Engine:
    """Make the engine of DuckDB, for a table, Parquet files or a relation of a connection."""
    from benchmarks.engines.sql import DuckDb

    return DuckDb(flows, connection)


def duckdb_query(sql: str) -> Engine:
    """Make the engine of DuckDB for the flows that a query returns."""
    from benchmarks.engines.sql import DuckDb

    return DuckDb(sql)


def polars(flows: pa.Table | DataFrame | LazyFrame) -> Polars:
    """Make the engine of Polars, for a table or a frame."""
    from benchmarks.engines.frames import Polars

    return Polars(flows)
