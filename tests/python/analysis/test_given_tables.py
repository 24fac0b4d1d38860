"""Functions given a canonical Arrow table use the rules of logs: initiators and times."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given

import flowtriage as ft
import oracle
from benchmarks.engines import naive
from flowtriage.quality import QualityWarning
from small_logs import canonical

START = 1772409600000000
DAY = 86_400_000_000
UTC = pa.timestamp("us", "UTC")
MULTICAST = {
    "src_ip": ["224.0.0.1"],
    "dst_ip": ["10.0.0.5"],
    "protocol": ["udp"],
    "src_bytes": [0],
    "dst_bytes": [1712],
    "src_packets": [0],
    "dst_packets": [3],
}


def times(*micros: int | None) -> pa.Array:
    return pa.array(micros, UTC)


def forms(table: pa.Table, folder: Path) -> dict[str, Any]:
    path = folder / "flows.parquet"
    pq.write_table(table, path)
    return {
        "table": table,
        "reader": table.to_reader(),
        "pandas": table.to_pandas(),
        "path": path,
        "list": [table],
        "flows": ft.read_flows(table),
    }


def quiet(function: Callable[..., pa.Table], *arguments: Any, **options: Any) -> pa.Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QualityWarning)
        return function(*arguments, **options)


def test_every_form_gives_the_same_initiator(tmp_path: Path) -> None:
    for name, flows in forms(canonical(**MULTICAST), tmp_path).items():
        index = quiet(ft.flow_index, flows)
        found = index.select(["source", "dest", "src_bytes", "dst_bytes"]).to_pylist()
        assert found == [
            {"source": "10.0.0.5", "dest": "224.0.0.1", "src_bytes": 1712, "dst_bytes": 0}
        ], name
    table = canonical(**MULTICAST)
    top = quiet(ft.top_n, table, key=["source"], by="flows")
    assert top["source"].to_pylist() == ["10.0.0.5"]
    search = quiet(ft.expanded_search, table, "10.0.0.5")
    assert search["src_ip"].to_pylist() == ["10.0.0.5"]
    classified = quiet(ft.classify_direction, table)
    assert classified.select(["src_ip", "dst_ip", "dst_port"]).to_pylist() == [
        {"src_ip": "10.0.0.5", "dst_ip": "224.0.0.1", "dst_port": 50_000}
    ]


@pytest.mark.parametrize(
    ("source", "dest", "exchanged"),
    [
        ("ff02::1", "fe80::9", True),
        ("255.255.255.255", "10.0.0.5", True),
        ("10.255.255.255", "10.0.0.5", True),
        ("::ffff:224.0.0.1", "10.0.0.5", True),
        ("192.168.7.255", "192.168.7.20", True),
        ("10.0.0.5", "0.0.0.0", True),
        ("10.0.0.5", "224.0.0.1", False),
        ("224.0.0.1", "ff02::1", False),
        ("23.1.2.3", "10.0.0.5", False),
        ("255.1.2.3", "10.0.0.5", False),
    ],
)
def test_addresses_decide_as_in_logs(source: str, dest: str, exchanged: bool) -> None:
    flows = canonical(**MULTICAST | {"src_ip": [source], "dst_ip": [dest]})
    read = ft.read_flows(flows)
    assert read.report.rows_reversed == int(exchanged)
    names = ["src_ip", "src_port", "dst_port", "src_bytes", "dst_packets"]
    given = quiet(ft.classify_direction, flows).select(names)
    assert given["src_bytes"].to_pylist() == ([1712] if exchanged else [0])
    assert given["src_port"].to_pylist() == ([443] if exchanged else [50_000])
    canonical_given = quiet(ft.classify_direction, read).select(names)
    assert given.drop(["src_ip"]) == canonical_given.drop(["src_ip"])


@pytest.mark.parametrize(
    "kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_types_of_columns_stay_but_those_of_both_ends_are_one(kind: pa.DataType) -> None:
    two = {
        "src_ip": pa.array(["10.0.0.7", "224.0.0.1"]).cast(kind),
        "dst_ip": pa.array(["8.8.8.8", "10.0.0.5"]),
        "src_bytes": pa.array([5, 0], pa.int32()),
        "dst_bytes": pa.array([6, 1712], pa.uint64()),
        "reported_direction": ["outbound", "inbound"],
    }
    with pytest.warns(QualityWarning, match="Endpoints exchanged: 1 "):
        out = ft.classify_direction(canonical(2, **two))
    assert out["src_ip"].to_pylist() == ["10.0.0.7", "10.0.0.5"]
    assert out["dst_ip"].to_pylist() == ["8.8.8.8", "224.0.0.1"]
    assert out["src_bytes"].to_pylist() == [5, 1712]
    assert out["dst_bytes"].to_pylist() == [6, 0]
    assert (out["src_bytes"].type, out["src_port"].type) == (pa.int64(), pa.uint16())
    read = ft.read_flows(canonical(2, **two)).to_arrow()
    assert out["reported_direction"].to_pylist() == read["reported_direction"].to_pylist()


def test_settled_flows_stay_and_warn_of_nothing() -> None:
    read = ft.read_flows(canonical(**MULTICAST))
    once = ft.classify_direction(read)
    assert ft.classify_direction(once) == once
    assert ft.flow_index(once) == ft.flow_index(read)


@pytest.mark.parametrize("kind", [UTC, pa.timestamp("ns", "UTC"), pa.timestamp("ms")])
def test_an_end_before_the_start_is_missing(kind: pa.DataType) -> None:
    flows = canonical(2, end_time=times(START - 49 * DAY, START + DAY).cast(kind))
    expected = [None, dt.datetime(2026, 3, 3, tzinfo=dt.UTC)]
    with pytest.warns(QualityWarning, match="End before start: 1 record;"):
        classified = ft.classify_direction(flows)
    assert classified["end_time"].type == kind
    assert classified["end_time"].cast(UTC).to_pylist() == expected
    stitched = quiet(ft.stitch, flows)
    assert stitched["end_time"].cast(UTC).to_pylist() == expected
    with pytest.warns(QualityWarning, match="End before start") as caught:
        ft.flow_index(flows)
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("column", ["start_time", "end_time"])
@pytest.mark.parametrize("value", [2**63 - 1, 253_402_300_800_000_000, -62_135_596_800_000_001])
def test_a_time_outside_the_years_is_an_error_with_its_row(column: str, value: int) -> None:
    flows = canonical(3, **{column: times(START, None, value)})
    for function in (ft.flow_index, ft.classify_direction, ft.stitch):
        with pytest.raises(ft.InputError, match=f"row 2.*{column}.*{value}.*years 1 to 9999"):
            function(flows)
    assert ft.read_flows(flows).report.rows_bad == 1


def test_row_numbers_count_over_batches() -> None:
    good, bad = canonical(3), canonical(2, start_time=times(START, 2**63 - 1))
    with pytest.raises(ft.InputError, match="row 4"):
        ft.flow_index(pa.concat_tables([good, bad]))


@given(oracle.given_rows())
def test_random_tables_are_settled_like_the_naive_version(rows: list[dict[str, Any]]) -> None:
    expected = naive(oracle.indexed([oracle.settled(row) for row in rows])).flow_index()
    assert quiet(ft.flow_index, oracle.table(rows)).to_pylist() == expected.to_pylist()
