"""Batches of synthetic flows, and the canonical table that they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from accuracy.synthetic.draw import DAY, Draw, Floats, Integers
from flowtriage.sample import SCHEMA

START = 1_772_409_600
"""Midnight of a Monday, in seconds since 1970."""


@dataclass(frozen=True)
class Batch:
    """Flows of one activity; the addresses are positions in the addresses of the site."""

    time: Floats
    source: Integers
    dest: Integers
    port: int
    protocol: str
    service: str | None
    sent: Integers
    received: Integers
    seconds: Floats


def table(batches: Iterable[Batch], addresses: Sequence[str], draw: Draw) -> pa.Table:
    """Return the flows of one day as a canonical table, in order of time."""
    kept = [batch for batch in batches if len(batch.time)]
    time = np.concatenate([batch.time for batch in kept])
    inside = (time >= 0) & (time < DAY)
    order = np.argsort(time, kind="stable")
    order = order[inside[order]]
    names = pa.array(addresses, pa.string())
    start = _joined([batch.time for batch in kept], order)
    sent, received = (
        _joined([getattr(batch, name) for batch in kept], order) for name in ("sent", "received")
    )
    micros = ((START + start) * 1e6).astype(np.int64)
    lasted = (_joined([batch.seconds for batch in kept], order) * 1e6).astype(np.int64)
    columns = {
        "start_time": micros,
        "end_time": micros + lasted,
        "src_ip": names.take(pa.array(_joined([batch.source for batch in kept], order))),
        "dst_ip": names.take(pa.array(_joined([batch.dest for batch in kept], order))),
        "src_port": 49_152 + draw.integers(len(order), 16_000),
        "dst_port": _repeated(kept, "port", pa.int64(), order),
        "protocol": _repeated(kept, "protocol", pa.string(), order),
        "service": _repeated(kept, "service", pa.string(), order),
        "src_bytes": sent,
        "dst_bytes": received,
        "src_packets": 2 + sent // 1400,
        "dst_packets": 2 + received // 1400,
        "flows": np.ones(len(order), np.int64),
        "denied_flows": np.zeros(len(order), np.int64),
        "state": pa.repeat(pa.scalar("SF"), len(order)),
    }
    arrays = [_column(columns.get(field.name), field, len(order)) for field in SCHEMA]
    return pa.table(arrays, schema=SCHEMA)


def _joined(parts: Sequence[np.ndarray], order: Integers) -> np.ndarray:
    return np.concatenate(parts)[order]


def _repeated(batches: Sequence[Batch], name: str, kind: pa.DataType, order: Integers) -> pa.Array:
    values = pa.array([getattr(batch, name) for batch in batches], kind)
    which = np.repeat(np.arange(len(batches)), [len(batch.time) for batch in batches])
    return values.take(pa.array(which[order]))


def _column(values: object, field: pa.Field, count: int) -> pa.Array:
    if values is None:
        return pa.nulls(count, field.type)
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return array.cast(field.type)
