"""Flows as a Zeek `conn.log` in TSV.

Columns that Zeek does not have follow Zeek's own under their canonical names. A flow without an
end, or with an end before its start, has no `duration`.

Source: https://docs.zeek.org/en/master/logs/conn.html and
https://docs.zeek.org/en/master/log-formats.html
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.write.text import TextFormat, Values, decimal_seconds, duration, escaped, micros

_UNSET = "-"
_EMPTY = "(empty)"
_COLUMNS = (
    ("ts", "time", "start_time"),
    ("uid", "string", None),
    ("id.orig_h", "addr", "src_ip"),
    ("id.orig_p", "port", "src_port"),
    ("id.resp_h", "addr", "dst_ip"),
    ("id.resp_p", "port", "dst_port"),
    ("proto", "enum", "protocol"),
    ("service", "string", "service"),
    ("duration", "interval", "end_time"),
    ("orig_bytes", "count", "src_payload_bytes"),
    ("resp_bytes", "count", "dst_payload_bytes"),
    ("conn_state", "string", "state"),
    ("orig_pkts", "count", "src_packets"),
    ("orig_ip_bytes", "count", "src_bytes"),
    ("resp_pkts", "count", "dst_packets"),
    ("resp_ip_bytes", "count", "dst_bytes"),
    ("_system_name", "string", "host"),
    ("flows", "count", "flows"),
    ("denied_flows", "count", "denied_flows"),
    ("reported_direction", "string", "reported_direction"),
    ("tcp_flags", "string", "tcp_flags"),
)
_ESCAPES = {"\\": r"\x5c"} | {chr(c): f"\\x{c:02x}" for c in (*range(32), 127)}


def _lines(batch: pa.RecordBatch) -> Values:
    columns = [_values(batch, kind, name) for _, kind, name in _COLUMNS]
    return pc.binary_join_element_wise(
        *columns, "\t", null_handling="replace", null_replacement=_UNSET
    )


def _values(batch: pa.RecordBatch, kind: str, name: str | None) -> Values:
    if name is None:
        return pa.nulls(batch.num_rows, pa.string())
    if kind == "time":
        return decimal_seconds(micros(batch[name]))
    if kind == "interval":
        return decimal_seconds(duration(batch))
    values = pc.cast(batch[name], pa.string())
    return _text(values) if kind in ("string", "enum") else values


def _text(values: Values) -> Values:
    values = escaped(values, _ESCAPES)
    for reserved in (_UNSET, _EMPTY):
        escape = rf"\x{ord(reserved[0]):02x}{reserved[1:]}"
        values = pc.if_else(pc.equal(values, reserved), escape, values)
    return values


def _lost(batch: pa.RecordBatch) -> dict[str, int]:
    ends = len(batch) - batch["end_time"].null_count
    written = pc.count(duration(batch)).as_py()
    return {"end_time": ends - written} if ends > written else {}


def _header() -> str:
    names, kinds, _ = zip(*_COLUMNS, strict=True)
    directives = (
        ("set_separator", ","),
        ("empty_field", _EMPTY),
        ("unset_field", _UNSET),
        ("path", "conn"),
        ("fields", *names),
        ("types", *kinds),
    )
    lines = ["\t".join(parts) for parts in directives]
    return "".join(f"#{line}\n" for line in (r"separator \x09", *lines))


ZEEK = TextFormat(
    carries=tuple(name for _, _, name in _COLUMNS if name),
    lines=_lines,
    header=_header(),
    lost=_lost,
)
