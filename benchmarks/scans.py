"""Logs on disk as the inputs of other engines, which read them lazily with given types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks import engines
from benchmarks.logs import ZEEK_TOP_LINES, Written

if TYPE_CHECKING:
    from benchmarks.engines import Engine

ZEEK = {
    "id.orig_h": "source",
    "id.resp_h": "dest",
    "service": "L7Protocol",
    "orig_ip_bytes": "src_bytes",
    "resp_ip_bytes": "dst_bytes",
    "orig_pkts": "src_packets",
    "resp_pkts": "dst_packets",
}
"""Columns of a flow index by their names in Zeek logs."""
_SECONDS = ("ts", "duration")
_INTEGERS = {name for name, column in ZEEK.items() if column.startswith(("src_", "dst_"))}


def polars(log: Written, host: str | None = None) -> Engine:
    """Make the engine of Polars for a Zeek log, optionally for the flows of one host."""
    import polars as pl

    types: dict[str, Any] = dict.fromkeys(log.names, pl.String)
    types |= dict.fromkeys(_SECONDS, pl.Float64) | dict.fromkeys(_INTEGERS, pl.Int64)
    if log.is_json:
        types = {name: types[name] for name in (*_SECONDS, *ZEEK)}
        frame = pl.scan_ndjson(log.path, schema=types)
    else:
        frame = pl.scan_csv(
            log.path,
            separator="\t",
            has_header=False,
            skip_rows=ZEEK_TOP_LINES,
            quote_char=None,
            schema=types,
            null_values=["-", "(empty)"],
        )
    if host is not None:
        frame = frame.filter((pl.col("id.orig_h") == host) | (pl.col("id.resp_h") == host))
    start, length = ((pl.col(name) * 1e6).round().cast(pl.Int64) for name in _SECONDS)
    times = {"first_seen": start, "last_seen": start + length}
    return engines.polars(
        frame.select(
            *(pl.col(name).alias(column) for name, column in ZEEK.items()),
            *(value.cast(pl.Datetime("us", "UTC")).alias(name) for name, value in times.items()),
            pl.lit(None, pl.String).alias("FlowDirection"),
            pl.lit(1, pl.Int64).alias("TotalAllowedFlows"),
        )
    )


def duckdb(log: Written, host: str | None = None) -> Engine:
    """Make the engine of DuckDB for a Zeek log, optionally for the flows of one host."""
    types = dict.fromkeys(log.names, "VARCHAR")
    types |= dict.fromkeys(_SECONDS, "DOUBLE") | dict.fromkeys(_INTEGERS, "BIGINT")
    if log.is_json:
        types = {name: types[name] for name in (*_SECONDS, *ZEEK)}
        read = f"read_json('{log.path}', format = 'newline_delimited', columns = {types})"
    else:
        read = (
            f"read_csv('{log.path}', delim = '\t', header = false, skip = {ZEEK_TOP_LINES}, "
            f"quote = '', nullstr = ['-', '(empty)'], auto_detect = false, columns = {types})"
        )
    columns = ", ".join(f'"{name}" AS {column}' for name, column in ZEEK.items())
    start = "make_timestamptz(round(ts * 1e6)::BIGINT)"
    end = "make_timestamptz(round(ts * 1e6)::BIGINT + round(duration * 1e6)::BIGINT)"
    flows = (
        f"SELECT {columns}, {start} AS first_seen, {end} AS last_seen, "
        f"NULL::VARCHAR AS FlowDirection, 1::BIGINT AS TotalAllowedFlows FROM {read}"
    )
    return engines.duckdb_query(
        f"{flows} WHERE source = '{host}' OR dest = '{host}'" if host else flows
    )
