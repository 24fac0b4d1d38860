"""Timeline: flows per protocol in bins of 15 minutes."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa

from benchmarks import engines
from benchmarks.engines import Engine, comparable
from benchmarks.job import FLOWTRIAGE, Facts, Job, Peer

_WIDTH = timedelta(minutes=15)


def _flowtriage(table: pa.Table) -> pa.Table:
    import flowtriage as ft

    return ft.timeline(table, by="L7Protocol")


def _other(engine: Engine) -> pa.Table:
    return engine.timeline("L7Protocol", _WIDTH)


def _facts(result: pa.Table) -> Facts:
    return {"timeline": comparable(result)}


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
        Peer("polars", "ordered", _other, _facts, engines.polars),
        Peer("duckdb", "ordered", _other, _facts, engines.duckdb),
    ),
)
