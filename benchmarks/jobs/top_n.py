"""Top N: destinations by bytes in both directions."""

from __future__ import annotations

import pyarrow as pa

from benchmarks import engines
from benchmarks.engines import Engine, comparable
from benchmarks.job import FLOWTRIAGE, Facts, Job, Peer

_N = 20


def _flowtriage(table: pa.Table) -> pa.Table:
    import flowtriage as ft

    return ft.top_n(table, key="dest", by="bytes", n=_N)


def _other(engine: Engine) -> pa.Table:
    return engine.top_n("dest", "bytes", _N)


def _facts(result: pa.Table) -> Facts:
    return {"top": comparable(result)}


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
        Peer("polars", "top 20", _other, _facts, engines.polars),
        Peer("duckdb", "top 20", _other, _facts, engines.duckdb),
    ),
)
