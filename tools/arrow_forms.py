"""Random flows, and the same values in other types, chunks, slices, orders and containers."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

import flowtriage as ft
import fuzz_seeds as seeds
from flowtriage.schema import SCHEMA

ADDRESSES = (seeds.OWN, *seeds.PEERS, "255.255.255.255", "224.0.0.1", "::")
_WORDS = {
    "protocol": ("tcp", "udp", "icmp", "ipv6-icmp", "sctp"),
    "reported_direction": ("inbound", "outbound", "internal"),
    "tcp_flags": ("S", "SA", "FPA", "R"),
}
_STRINGS = [pa.string(), pa.large_string(), pa.string_view()]
_SMALL = [pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16(), pa.uint32(), pa.float32()]
_NUMBERS = [*_SMALL, pa.int64(), pa.uint64(), pa.float64()]
_DECIMALS = [pa.decimal128(38, 0), pa.decimal128(38, 3), pa.decimal256(60, 0)]
_ZONES = ("UTC", "Europe/Prague", "+02:00", None)
_TIMES = [pa.timestamp(unit, zone) for unit in ("us", "ns", "ms", "s") for zone in _ZONES]
_KEYS = [pa.int8(), pa.uint8(), pa.int16(), pa.int32(), pa.uint32(), pa.int64()]


def random_flows(dice: random.Random, rows: int | None = None) -> pa.Table:
    """Make canonical flows; some columns may be absent, and values null or large."""
    rows = dice.choice((0, 1, 2, 5, 30)) if rows is None else rows
    columns = {}
    for field in SCHEMA:
        needed = field.name in ("src_ip", "dst_ip", "flows", "start_time")
        if needed or dice.random() < 0.7:
            nulls = 0.0 if field.name in ("flows",) else dice.choice((0.0, 0.0, 0.3, 1.0))
            values = [None if dice.random() < nulls else _value(field, dice) for _ in range(rows)]
            columns[field.name] = pa.array(values, field.type)
    return pa.table(columns)


def _value(field: pa.Field, dice: random.Random) -> Any:
    if field.name in ("src_ip", "dst_ip"):
        return dice.choice(ADDRESSES)
    if field.name.endswith("_port"):
        return dice.choice((0, 53, 443, 50_000, 65_535))
    if pa.types.is_timestamp(field.type):
        return (seeds.EPOCH + dice.randrange(-5, 200)) * 1_000_000
    if pa.types.is_string(field.type):
        return dice.choice((*_WORDS.get(field.name, ("a", "b")), "", "é\u202e"))
    return dice.choice((0, 1, 2, 100, 2**31, 2**53 + 1))


def in_other_form(table: pa.Table, dice: random.Random, *, portable: bool = False) -> pa.Table:
    """Return the same values in other types, chunks, slices and order of columns.

    `portable` leaves out the types that data frames do not have.
    """
    columns = {}
    for name in dice.sample(table.column_names, len(table.column_names)):
        values = table[name].combine_chunks()
        columns[name] = other_column(values, dice, portable=portable, null=name != "flows")
    return pa.table(columns)


def other_column(
    values: pa.Array, dice: random.Random, *, portable: bool = False, null: bool = True
) -> pa.ChunkedArray:
    """Return the same values in another type, in chunks and slices; `null` allows the null type."""
    if null and values.null_count == len(values) and dice.random() < 0.3:
        return chunked(pa.nulls(len(values)), dice)
    kind = dice.choice(_kinds(values.type, portable=portable))
    other = cast(values, kind)
    if dice.random() < 0.3 and (pa.types.is_string(kind) or not portable):
        other = cast(other, pa.dictionary(dice.choice(_KEYS), other.type))
    return chunked(other, dice)


def _kinds(kind: pa.DataType, *, portable: bool) -> list[pa.DataType]:
    if pa.types.is_string(kind):
        return _STRINGS[:2] if portable else _STRINGS
    if pa.types.is_integer(kind):
        return _NUMBERS if portable else [*_NUMBERS, *_DECIMALS]
    return _TIMES[:1] if portable else [*_TIMES, pa.string()]


def cast(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Cast, or return the values themselves if the type does not hold them exactly."""
    try:
        if pa.types.is_dictionary(kind):
            coded = values.dictionary_encode()
            return pa.DictionaryArray.from_arrays(
                coded.indices.cast(kind.index_type), coded.dictionary
            )
        if pa.types.is_timestamp(values.type) and pa.types.is_string(kind):
            return pc.strftime(values, "%Y-%m-%dT%H:%M:%SZ")
        made = values.cast(kind)
        back = made.cast(values.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return values
    return made if back.equals(values) else values


def chunked(values: pa.Array, dice: random.Random) -> pa.ChunkedArray:
    """Return slices with offsets, in one chunk or several."""
    if dice.random() < 0.5:
        padded = pa.concat_arrays([values.slice(0, 1), values, values.slice(0, 1)])
        values = padded.slice(min(1, len(values)), len(values))
    if dice.random() < 0.5 or not len(values):
        return pa.chunked_array([values])
    at = dice.randrange(len(values))
    return pa.chunked_array([values.slice(0, at), values.slice(at, 0), values.slice(at)])


def _duckdb(table: pa.Table) -> Any:
    import duckdb

    return duckdb.from_arrow(table)


def _polars(table: pa.Table, *, lazy: bool = False, categorical: bool = False) -> Any:
    import polars as pl

    frame = pl.DataFrame(table)
    if categorical:
        frame = frame.with_columns(pl.col(pl.String).cast(pl.Categorical))
    return frame.lazy() if lazy else frame


def _pandas(table: pa.Table, kind: str) -> Any:
    import pandas as pd

    if kind == "pyarrow":
        return table.to_pandas(types_mapper=pd.ArrowDtype)
    if kind == "nullable":
        return table.to_pandas(types_mapper=_nullable)
    frame = table.to_pandas(integer_object_nulls=True)
    if kind == "categorical":
        texts = [name for name in frame if pa.types.is_large_string(_text(table[name].type))]
        return frame.astype(dict.fromkeys(texts, "category"))
    return frame


def _nullable(kind: pa.DataType) -> Any:
    import pandas as pd

    return (
        pd.array([0], str(kind).capitalize().replace("Ui", "UI")).dtype
        if pa.types.is_integer(kind)
        else None
    )


def _text(kind: pa.DataType) -> pa.DataType:
    return pa.large_string() if pa.types.is_string(kind) else kind


STREAMS: dict[str, Callable[[pa.Table], Any]] = {
    "table": lambda table: table,
    "reader": lambda table: table.to_reader(max_chunksize=3),
    "batch": lambda table: table.combine_chunks().to_batches()[0] if table.num_rows else table,
}
"""Containers of Arrow data of any type."""
FRAMES: dict[str, Callable[[pa.Table], Any]] = {
    "duckdb": _duckdb,
    "polars": _polars,
    "polars lazy": lambda table: _polars(table, lazy=True),
    "polars categorical": lambda table: _polars(table, categorical=True),
}
"""Containers with types of their own, which are streams of Arrow data."""
OBJECTS: dict[str, Callable[[pa.Table], Any]] = {
    **{
        f"pandas {kind}": lambda table, kind=kind: _pandas(table, kind)
        for kind in ("object", "nullable", "pyarrow", "categorical")
    },
    "rows": lambda table: table.to_pylist() or table,
}
"""Containers that every function reads as `read_flows` does: bad rows are counted, not refused."""


def may_refuse(name: str, table: pa.Table) -> bool:
    """Return whether a function may refuse these types, with an error that names the column."""
    if name in ("read_flows", "flow_report"):
        return False
    kinds = {field.name: field.type for field in table.schema}
    kinds = {
        column: kind.value_type if pa.types.is_dictionary(kind) else kind
        for column, kind in kinds.items()
    }
    times = {"start_time", "end_time", "first_seen", "last_seen"} & {*kinds}
    texts = any(pa.types.is_string(kinds[column]) for column in times)
    return texts or (name == "top_n" and pa.types.is_floating(kinds.get("dst_port", pa.null())))


def outcome(function: Callable[[Any], Any], source: Any) -> Any:
    """Return comparable values of a result, or the class of an error of flowtriage."""
    try:
        return plain(function(source))
    except ft.FlowtriageError as error:
        return type(error)


def plain(result: Any) -> Any:
    """Return a result as Python objects, with times in UTC."""
    if not isinstance(result, pa.Table):
        return result
    values = {}
    for name in result.column_names:
        column = result[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.timestamp("us", "UTC"))
        values[name] = column.to_pylist()
    return values


def _directions(flows: Any) -> pa.Table:
    """Classify; times are passed on as they are, text as text."""
    made = ft.classify_direction(flows, host=[seeds.OWN])
    return made.select([name for name in made.column_names if not name.endswith("_time")])


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "flow_index": ft.flow_index,
    "flow_summary": ft.flow_summary,
    "classify_direction": _directions,
    "stitch": ft.stitch,
    "top_n": lambda flows: ft.top_n(flows, key=["source", "dst_port"], by="flows", n=5),
    "timeline": lambda flows: ft.timeline(flows, by="dest", bins=7),
    "expanded_search": lambda flows: ft.expanded_search(flows, seeds.OWN),
    "hunt": ft.hunt,
    "hosts": ft.hosts,
    "read_flows": lambda flows: ft.read_flows(flows).to_arrow(),
}
"""Functions from flows to a table."""
