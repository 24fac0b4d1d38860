"""Flows as the peers see them: a Polars table with times in seconds."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pyarrow as pa

import flowtriage as ft

PAIR = ["source", "dest"]
SERVICE = [*PAIR, "dst_port", "protocol"]
_FAILED_STATES = ["S0", "REJ", "RSTOS0", "RSTRH", "SH", "SHR", "REQ"]


def flow_frame(flows: pa.Table, internal: Sequence[str] | None = None) -> pl.DataFrame:
    """Return the flows with `time` in seconds, `direction` and `failed`.

    A flow has failed if it was denied, if its state says that no connection was made, or if
    nothing came back. Records that continue a flow are left out.
    """
    table = ft.classify_direction(flows, internal=list(internal) if internal else None)
    chosen = pl.DataFrame(table).filter(pl.col("flows").fill_null(1) > 0)
    denied = pl.col("denied_flows").fill_null(0) > 0
    silent = (pl.col("dst_packets").fill_null(1) == 0) | (pl.col("dst_bytes").fill_null(1) == 0)
    return chosen.select(
        pl.col("src_ip").cast(pl.String).alias("source"),
        pl.col("dst_ip").cast(pl.String).alias("dest"),
        pl.col("dst_port").cast(pl.Int64),
        pl.col("protocol").cast(pl.String),
        (pl.col("start_time").dt.epoch("us") / 1e6).alias("time"),
        pl.col("src_bytes").fill_null(0),
        pl.col("direction").cast(pl.String),
        (denied | silent | pl.col("state").cast(pl.String).is_in(_FAILED_STATES)).alias("failed"),
    ).drop_nulls(["source", "dest", "time"])
