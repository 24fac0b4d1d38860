"""Flow index: flows grouped by source, destination, protocol and direction."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benchmarks import engines
from benchmarks.engines import Engine, comparable
from benchmarks.engines.engine import FLOWS, KEYS, SUMS
from benchmarks.job import FLOWTRIAGE, Facts, Job, Peer

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from benchmarks.engines.frames import Polars


def _flowtriage(table: pa.Table) -> pa.Table:
    import flowtriage as ft

    return ft.flow_index(table)


def _pandas(table: pa.Table, *, ordered: bool) -> pa.Table:
    thousands = table.to_pandas().groupby([*KEYS], dropna=False, observed=True, sort=ordered)
    result = _pandas_measures(thousands, table.column_names)
    return pa.Table.from_pandas(result, preserve_index=False)


def _pandas_measures(thousands: Any, names: list[str]) -> pd.DataFrame:
    import pandas as pd

    sums = [name for name in (FLOWS, *SUMS) if name in names]
    parts = [
        thousands[sums].sum(min_count=1),
        thousands[["first_seen"]].min(),
        thousands[["last_seen"]].max(),
    ]
    result: pd.DataFrame = pd.concat(parts, axis=1).reset_index()
    return result


def _ordered(engine: Engine) -> pa.Table:
    return engine.flow_index()


def _unordered(engine: Engine) -> pa.Table:
    return engine.flow_index(ordered=False)


def _prepare_own_frame(table: pa.Table) -> Polars:
    import polars as pl

    return engines.polars(pl.DataFrame(table))


def _own_frame(engine: Polars) -> pl.DataFrame:
    return engine.index_query(ordered=False).collect(engine="streaming")


def index_facts(table: pa.Table) -> Facts:
    """Select the columns with values."""
    kept = [name for name in table.column_names if table[name].null_count < table.num_rows]
    return {"index": comparable(table.select(kept))}


def _pandas_facts(result: pa.Table) -> Facts:
    """Make whole numbers of sums, which pandas with missing values holds as floats."""
    fields = [
        pa.field(field.name, pa.int64()) if pa.types.is_floating(field.type) else field
        for field in result.schema
    ]
    return index_facts(result.cast(pa.schema(fields)))


def _frame_facts(result: pl.DataFrame) -> Facts:
    return index_facts(result.to_arrow())


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
        Peer(FLOWTRIAGE, "", _flowtriage, index_facts),
        Peer(
            "pandas", "ordered", partial(_pandas, ordered=True), _pandas_facts, max_rows=1_000_000
        ),
        Peer("polars", "ordered", _ordered, index_facts, engines.polars),
        Peer("duckdb", "ordered", _ordered, index_facts, engines.duckdb),
        Peer(
            "pandas",
            "any order",
            partial(_pandas, ordered=False),
            _pandas_facts,
            max_rows=1_000_000,
        ),
        Peer("polars", "any order", _unordered, index_facts, engines.polars),
        Peer("duckdb", "any order", _unordered, index_facts, engines.duckdb),
        Peer("polars", "own frame", _own_frame, _frame_facts, _prepare_own_frame),
    ),
)
