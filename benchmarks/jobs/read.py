"""Reading text logs, and the flow index of a streamed log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benchmarks.job import FLOWTRIAGE, Facts, Job, Peer

if TYPE_CHECKING:
    import polars as pl

    from benchmarks.logs import Written

_ZEEK = {
    "id.orig_h": "src_ip",
    "id.resp_h": "dst_ip",
    "id.orig_p": "src_port",
    "id.resp_p": "dst_port",
    "proto": "protocol",
    "service": "service",
    "orig_ip_bytes": "src_bytes",
    "resp_ip_bytes": "dst_bytes",
    "orig_pkts": "src_packets",
    "resp_pkts": "dst_packets",
    "orig_bytes": "src_payload_bytes",
    "resp_bytes": "dst_payload_bytes",
    "conn_state": "state",
}
_AWS = {
    "interface-id": "host",
    "srcaddr": "src_ip",
    "dstaddr": "dst_ip",
    "srcport": "src_port",
    "dstport": "dst_port",
    "bytes": "src_bytes",
    "packets": "src_packets",
}
_TYPES = {
    "start_time": pa.timestamp("us", "UTC"),
    "end_time": pa.timestamp("us", "UTC"),
    **dict.fromkeys(("src_port", "dst_port"), pa.uint16()),
    **dict.fromkeys(
        (
            f"{end}_{unit}"
            for end in ("src", "dst")
            for unit in ("bytes", "packets", "payload_bytes")
        ),
        pa.int64(),
    ),
}


def _write_zeek(table: pa.Table) -> Written:
    from benchmarks import logs

    return logs.zeek(table)


def _write_aws(table: pa.Table) -> Written:
    from benchmarks import logs

    return logs.aws(table)


def _flowtriage(log: Written) -> Any:
    import flowtriage as ft

    return ft.read_flows(log.path)


def _facts(result: Any, names: list[str]) -> Facts:
    """Select the columns that both read, in the types of flows."""
    fields = [pa.field(name, _TYPES.get(name, pa.large_string())) for name in names]
    return {"flows": pa.table(result).select(names).cast(pa.schema(fields))}


def _zeek_facts(result: Any) -> Facts:
    return _facts(result, ["start_time", "end_time", *_ZEEK.values()])


def _aws_facts(result: Any) -> Facts:
    return _facts(result, ["start_time", "end_time", *_AWS.values()])


def _read_csv(
    log: Written, skipped: int, delimiter: str, types: dict[str, pa.DataType]
) -> pl.DataFrame:
    """Read the typed columns."""
    import polars as pl
    import pyarrow.csv as pc

    table = pc.read_csv(
        log.path,
        read_options=pc.ReadOptions(column_names=log.names, skip_rows=skipped),
        parse_options=pc.ParseOptions(delimiter=delimiter, quote_char=False),
        convert_options=pc.ConvertOptions(
            include_columns=list(types),
            column_types=types,
            null_values=["-", "(empty)"],
            strings_can_be_null=True,
        ),
    )
    return pl.DataFrame(table)


def _types(columns: dict[str, str]) -> dict[str, pa.DataType]:
    return {name: _TYPES.get(target, pa.string()) for name, target in columns.items()}


def _polars_zeek(log: Written) -> pa.Table:
    import polars as pl

    from benchmarks.logs import ZEEK_TOP_LINES

    seconds = dict.fromkeys(("ts", "duration"), pa.float64())
    frame = _read_csv(log, ZEEK_TOP_LINES, "\t", seconds | _types(_ZEEK))
    start, length = ((pl.col(name) * 1e6).round().cast(pl.Int64) for name in seconds)
    times = {"start_time": start, "end_time": start + length}
    return frame.select(
        *(value.cast(pl.Datetime("us", "UTC")).alias(name) for name, value in times.items()),
        *(pl.col(name).alias(target) for name, target in _ZEEK.items()),
    ).to_arrow()


def _polars_aws(log: Written) -> pa.Table:
    import polars as pl

    others = {"start": pa.int64(), "end": pa.int64(), "protocol": pa.uint8()}
    texts = {"action": pa.string(), "log-status": pa.string()}
    frame = _read_csv(log, 1, " ", others | texts | _types(_AWS))
    return (
        frame.filter(pl.col("log-status") == "OK")
        .select(
            *(
                pl.from_epoch(name, "s")
                .dt.cast_time_unit("us")
                .dt.replace_time_zone("UTC")
                .alias(f"{name}_time")
                for name in ("start", "end")
            ),
            *(pl.col(name).alias(target) for name, target in _AWS.items()),
            "protocol",
            "action",
        )
        .to_arrow()
    )


_NOTE = (
    "From a text log on disk, in the system's cache, to flows in memory: `ft.read_flows(path)` "
    "against `pyarrow.csv` with given types, which reads the same columns, and Polars, which names "
    "them and converts times. "
)
_SIZES = (100_000, 1_000_000)

ZEEK = Job(
    title="Reading a Zeek log",
    note=f"{_NOTE}15 of the 21 columns of `conn.log` are read.",
    inputs=("zeek",),
    sizes=_SIZES,
    peers=(
        Peer(FLOWTRIAGE, "", _flowtriage, _zeek_facts, _write_zeek),
        Peer("polars", "after pyarrow.csv", _polars_zeek, _zeek_facts, _write_zeek),
    ),
)
AWS = Job(
    title="Reading an AWS VPC flow log",
    note=(
        f"{_NOTE}12 of the 14 columns of version 2 are read; `read_flows` also converts "
        "protocols to keywords and counts denied flows separately; Polars does neither."
    ),
    inputs=("zeek",),
    sizes=_SIZES,
    peers=(
        Peer(FLOWTRIAGE, "", _flowtriage, _aws_facts, _write_aws),
        Peer("polars", "after pyarrow.csv", _polars_aws, _aws_facts, _write_aws),
    ),
)
