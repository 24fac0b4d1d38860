"""Flow index of what users hold: Parquet files and DataFrames, also in Azure's columns."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks import engines
from benchmarks.engines.engine import CANONICAL, FLOWS
from benchmarks.job import FLOWTRIAGE, Job, Peer
from benchmarks.jobs.index import index_facts

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_NAMES = CANONICAL | {"last_seen": "end_time", "FlowDirection": "direction"}
_SIZES = (1_000_000, 10_000_000)
_INPUT = "network"


class _File:
    """A table as a Parquet file, which lives as long as this object."""

    def __init__(self, table: pa.Table) -> None:
        import pyarrow.parquet as pq

        self._folder = tempfile.TemporaryDirectory(prefix="flowtriage-bench-")
        self.path = str(Path(self._folder.name) / "flows.parquet")
        pq.write_table(table, self.path)


def azure(table: pa.Table) -> pa.Table:
    """Return flows in 13 of the columns that msticpy's query of Azure returns."""
    rows = table.num_rows
    outbound = pc.equal(table["FlowDirection"], "O")
    inside = pc.if_else(outbound, table["source"], table["dest"])
    outside = pc.if_else(outbound, table["dest"], table["source"])
    flows = table[FLOWS]
    return pa.table(
        {
            "FlowStartTime": table["first_seen"],
            "FlowEndTime": table["last_seen"],
            "VMName": pa.repeat("vm", rows),
            "VMIPAddress": inside,
            "PublicIPs": outside,
            "L4Protocol": pa.repeat("T", rows),
            "L7Protocol": table["L7Protocol"],
            "DestPort": pa.repeat(443, rows),
            "FlowDirection": table["FlowDirection"],
            "AllowedOutFlows": pc.if_else(outbound, flows, 0),
            "AllowedInFlows": pc.if_else(outbound, 0, flows),
            "AllExtIPs": outside,
            "TotalAllowedFlows": flows,
        }
    )


def _canonical(table: pa.Table) -> pa.Table:
    return table.rename_columns([_NAMES.get(name, name) for name in table.column_names])


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = azure(table).to_pandas()
    return frame


def _arrow_frame(table: pa.Table) -> pd.DataFrame:
    """Return a DataFrame of strings as pandas 3 has them, in Arrow."""
    import pandas as pd

    frame: pd.DataFrame = azure(table).to_pandas()
    texts = frame.select_dtypes(object).columns
    return frame.astype(dict.fromkeys(texts, pd.StringDtype("pyarrow")))


def _parquet(columns: Callable[[pa.Table], pa.Table], table: pa.Table) -> _File:
    return _File(columns(table))


def _flowtriage(flows: Any) -> pa.Table:
    import flowtriage as ft

    return ft.flow_index(flows.path if isinstance(flows, _File) else flows)


def _as_index(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return the columns of an index of records in Azure's or canonical columns."""
    import polars as pl

    if "src_ip" in frame.collect_schema().names():
        return frame.rename({new: old for old, new in _NAMES.items()})
    outbound = pl.col("FlowDirection") == "O"
    own, peer = pl.col("VMIPAddress"), pl.col("AllExtIPs")
    return frame.select(
        pl.when(outbound).then(own).otherwise(peer).alias("source"),
        pl.when(outbound).then(peer).otherwise(own).alias("dest"),
        "L7Protocol",
        "FlowDirection",
        (pl.col("AllowedInFlows") + pl.col("AllowedOutFlows")).alias(FLOWS),
        pl.col("FlowStartTime").alias("first_seen"),
        pl.col("FlowEndTime").alias("last_seen"),
    )


def _polars(flows: Any) -> pa.Table:
    import polars as pl

    if isinstance(flows, _File):
        frame = pl.scan_parquet(flows.path)
    elif isinstance(flows, pa.Table):
        frame = pl.DataFrame(flows).lazy()
    else:
        frame = pl.from_pandas(flows).lazy()
    return engines.polars(_as_index(frame)).flow_index(ordered=False)


_SQL = {
    True: ", ".join(f"{new} AS {old}" for old, new in _NAMES.items()),
    False: (
        "if(FlowDirection = 'O', VMIPAddress, AllExtIPs) AS source, "
        "if(FlowDirection = 'O', AllExtIPs, VMIPAddress) AS dest, L7Protocol, FlowDirection, "
        f"AllowedInFlows + AllowedOutFlows AS {FLOWS}, "
        "FlowStartTime AS first_seen, FlowEndTime AS last_seen"
    ),
}


def _duckdb(flows: Any) -> pa.Table:
    import duckdb

    connection = duckdb.connect()
    if isinstance(flows, _File):
        records = connection.read_parquet(flows.path)
    elif isinstance(flows, pa.Table):
        records = connection.from_arrow(flows)
    else:
        records = connection.from_df(flows)
    records = records.project(_SQL["src_ip" in records.columns])
    return engines.duckdb(records, connection).flow_index(ordered=False)


def _job(title: str, prepare: Callable[[pa.Table], Any], sizes: tuple[int, ...] = _SIZES) -> Job:
    return Job(
        title=f"Flow index from {title}",
        note=(
            "From what users hold to an Arrow table: `ft.flow_index`, which detects the format "
            "and checks every value that it uses, against Polars' streaming engine and DuckDB, "
            "which are told the columns. The peers return the groups in any order."
        ),
        inputs=(_INPUT,),
        sizes=sizes,
        peers=(
            Peer(FLOWTRIAGE, "", _flowtriage, index_facts, prepare),
            Peer("polars", "any order", _polars, index_facts, prepare),
            Peer("duckdb", "any order", _duckdb, index_facts, prepare),
        ),
    )


AZURE_ARROW = _job("an Arrow table in Azure's columns", azure)
AZURE_PARQUET = _job("Parquet in Azure's columns", partial(_parquet, azure))
AZURE_PANDAS = _job("a DataFrame of Python strings in Azure's columns", _frame, _SIZES[:1])
AZURE_PANDAS_ARROW = _job(
    "a DataFrame of Arrow strings in Azure's columns", _arrow_frame, _SIZES[:1]
)
CANONICAL_PARQUET = _job("Parquet in canonical columns", partial(_parquet, _canonical))
