"""Protocols of a given canonical table are settled by the rule of logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import flowtriage as ft
from small_logs import canonical

GIVEN = ["TCP", "tcp", "6", "T", " Tcp ", "6.0", "17", "Udp", "1", "ICMP", "58", "253", "", None]
SETTLED = [*["tcp"] * 6, *["udp"] * 2, *["icmp"] * 2, "ipv6-icmp", "253", None, None]
COUNTS = {"tcp": 6, "udp": 2, "icmp": 2, "ipv6-icmp": 1, "253": 1, None: 2}


def flows(protocol: pa.Array) -> pa.Table:
    return canonical(len(protocol), src_ip=["10.0.0.1"] * len(protocol), protocol=protocol)


FORMS: dict[str, Callable[[], Any]] = {
    "string": lambda: flows(pa.array(GIVEN)),
    "large": lambda: flows(pa.array(GIVEN, pa.large_string())),
    "view": lambda: flows(pa.array(GIVEN, pa.string_view())),
    "dictionary": lambda: flows(pa.array(GIVEN).dictionary_encode()),
    "small keys": lambda: flows(
        pa.array(GIVEN).dictionary_encode().cast(pa.dictionary(pa.uint8(), pa.large_string()))
    ),
    "chunked": lambda: pa.concat_tables(flows(pa.array([one], pa.string())) for one in GIVEN),
    "sliced": lambda: flows(pa.array(["x", *GIVEN, "y"])).slice(1, len(GIVEN)),
    "pandas": lambda: flows(pa.array(GIVEN)).to_pandas(),
    "categories": lambda: flows(pa.array(GIVEN)).to_pandas().astype({"protocol": "category"}),
    "polars": lambda: pl.DataFrame(flows(pa.array(GIVEN))).with_columns(
        pl.col("protocol").cast(pl.Categorical)
    ),
    "reader": lambda: flows(pa.array(GIVEN)).to_reader(max_chunksize=3),
}


@pytest.mark.parametrize("form", FORMS)
def test_notations_of_a_protocol_are_one_group(form: str) -> None:
    top = ft.top_n(FORMS[form](), key=["protocol"], by="flows", n=100)
    assert dict(zip(top["protocol"].to_pylist(), top["flows"].to_pylist(), strict=True)) == COUNTS
    assert set(ft.flow_index(FORMS[form]())["L7Protocol"].to_pylist()) == {None}
    search = ft.expanded_search(FORMS[form](), "10.0.0.1")
    assert search["protocols"].to_pylist() == ["253,icmp,ipv6-icmp,tcp,udp"]
    read = ft.read_flows(FORMS[form]()).to_arrow()["protocol"].to_pylist()
    assert sorted(read, key=str) == sorted(SETTLED, key=str)


@pytest.mark.parametrize("kind", [pa.int64(), pa.uint8(), pa.float64(), pa.int16()])
def test_numbers_are_protocols_too(kind: pa.DataType) -> None:
    table = flows(pa.array([6, 17, None, 6], kind))
    for source in (table, table.to_pandas() if kind == pa.float64() else table, table.to_reader()):
        top = ft.top_n(source, key=["protocol"], by="flows")
        found = zip(top["protocol"].to_pylist(), top["flows"].to_pylist(), strict=True)
        assert dict(found) == {"tcp": 2, "udp": 1, None: 1}


def test_nan_is_a_missing_protocol() -> None:
    table = flows(pa.array([6.0, float("nan"), None]))
    for source in (table, pl.from_arrow(table), table.to_reader()):
        top = ft.top_n(source, key=["protocol"], by="flows")
        found = zip(top["protocol"].to_pylist(), top["flows"].to_pylist(), strict=True)
        assert dict(found) == {"tcp": 1, None: 2}
    assert ft.read_flows(table).to_arrow()["protocol"].to_pylist() == ["tcp", None, None]


def test_the_given_table_is_not_changed() -> None:
    table = flows(pa.array(["TCP", "6"]))
    frame = table.to_pandas()
    ft.flow_index(table)
    ft.flow_index(frame)
    assert table["protocol"].to_pylist() == ["TCP", "6"]
    assert frame["protocol"].tolist() == ["TCP", "6"]
    assert isinstance(frame, pd.DataFrame)


def test_right_dictionaries_stay_dictionaries() -> None:
    protocol = pa.DictionaryArray.from_arrays([0, 1, 0], ["tcp", "253"])
    classified = ft.classify_direction(flows(protocol))
    assert pa.types.is_dictionary(classified.schema.field("protocol").type)
    wrong = pa.DictionaryArray.from_arrays([0, 1, 0], ["TCP", "6"])
    classified = ft.classify_direction(flows(wrong))
    assert pa.types.is_dictionary(classified.schema.field("protocol").type)
    assert classified["protocol"].to_pylist() == ["tcp"] * 3
