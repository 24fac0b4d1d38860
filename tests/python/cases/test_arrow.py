"""The Arrow boundary: one result for all forms of the same values."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import product
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from limited import outcome
from small_logs import canonical

PASSED_ON = ("src_ip", "service", "protocol")
EXACT = 9_007_199_254_740_993
ZEEK = {"ts": [1.0], "id.orig_h": ["10.0.0.1"], "id.resp_h": ["8.8.8.8"], "conn_state": ["SF"]}
NULLS = {
    "int64": pa.nulls(1, pa.int64()),
    "null": pa.nulls(1),
    "nan": pa.array([float("nan")]),
    "dictionary": pa.DictionaryArray.from_arrays([0], pa.array([None], pa.int64())),
    "null index": pa.DictionaryArray.from_arrays(pa.array([None], pa.int8()), pa.array([5])),
    "decimal": pa.nulls(1, pa.decimal128(38, 0)),
    "uint64": pa.nulls(1, pa.uint64()),
    "dictionary of nan": pa.array([float("nan")]).dictionary_encode(),
}


def one_each(count: int, value: Callable[[int], Any]) -> pa.ChunkedArray:
    """Chunks of one row, each with a dictionary of its own."""
    index = pa.array([0], pa.int8())
    return pa.chunked_array(
        [pa.DictionaryArray.from_arrays(index, pa.array([value(n)])) for n in range(count)]
    )


@pytest.mark.parametrize("kind", NULLS)
def test_direction_is_the_same_for_every_kind_of_null(kind: str) -> None:
    ports = {
        "src_port": pa.array([443], pa.uint16()),
        "dst_port": pa.array([40_000], pa.uint16()),
    }
    flows = canonical(src_ip=["8.8.8.8"], dst_ip=["10.0.0.1"], **ports)
    names = ["direction", "direction_reason"]
    plain = ft.classify_direction(flows.append_column("dst_bytes", NULLS["int64"])).select(names)
    found = ft.classify_direction(flows.append_column("dst_bytes", NULLS[kind])).select(names)
    assert found.to_pylist() == plain.to_pylist()


@pytest.mark.parametrize("kind", NULLS)
@pytest.mark.parametrize("name", ["src_bytes", "dst_bytes", "src_packets", "end_time", "protocol"])
def test_flow_index_is_the_same_for_every_kind_of_null(kind: str, name: str) -> None:
    if name in ("end_time", "protocol") and kind != "null":
        pytest.skip("a number is no time and no protocol")
    plain = ft.flow_index(canonical()).to_pylist()[0]
    found = ft.flow_index(canonical(**{name: NULLS[kind]})).to_pylist()[0]
    assert {key: found[key] for key in plain} == plain


@pytest.mark.parametrize("count", [2, 129, 300])
@pytest.mark.parametrize("column", ["service", "src_ip", "protocol"])
def test_chunks_with_different_dictionaries_equal_plain_strings(count: int, column: str) -> None:
    chunks = one_each(
        count, lambda n: f"10.0.{n >> 8}.{n & 255}" if column == "src_ip" else f"s{n}"
    )
    plain = canonical(count, **{column: chunks.cast(pa.string())})
    for function in (ft.flow_index, ft.classify_direction):
        found = function(canonical(count, **{column: chunks}))
        assert found.cast(function(plain).schema).equals(function(plain))


def test_dictionaries_of_string_views_and_shared_values_are_read() -> None:
    index = pa.array([0], pa.int8())
    views = pa.chunked_array(
        [pa.DictionaryArray.from_arrays(index, pa.array(["a"], pa.string_view()))] * 129
    )
    assert ft.flow_index(canonical(129, service=views)).num_rows == 1


def test_a_decimal_is_read_exactly() -> None:
    exact = pa.array([Decimal(EXACT)], pa.decimal128(38, 0))
    assert ft.read_flows(canonical(src_bytes=exact)).to_arrow()["src_bytes"].to_pylist() == [EXACT]
    assert ft.flow_index(canonical(src_bytes=exact))["src_bytes"].to_pylist() == [EXACT]
    coded = exact.dictionary_encode()
    assert ft.flow_index(canonical(src_bytes=coded))["src_bytes"].to_pylist() == [EXACT]


@pytest.mark.parametrize(
    "type_",
    [pa.decimal128(19, 0), pa.decimal256(40, 0), pa.decimal128(20, 2), pa.uint64(), pa.int64()],
)
def test_integers_of_every_type_are_exact(type_: pa.DataType) -> None:
    value = 9_007_199_254_740_993
    column = pa.array([Decimal(value) if pa.types.is_decimal(type_) else value], type_)
    assert ft.flow_index(canonical(src_bytes=column))["src_bytes"].to_pylist() == [value]


def test_a_number_beyond_64_bits_is_refused() -> None:
    for column in (pa.array([2**64 - 1], pa.uint64()), pa.array([Decimal(2**70)])):
        with pytest.raises(ft.InputError, match="src_bytes"):
            ft.flow_index(canonical(src_bytes=column))


def test_sums_of_duckdb_and_its_relations_are_read() -> None:
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql(
        "select timestamp '2020-01-01' start_time, '10.0.0.1' src_ip, '8.8.8.8' dst_ip, "
        f"1::bigint flows, sum({EXACT}::bigint) src_bytes"
    )
    for source in (relation.to_arrow_table(), relation):
        flows = ft.read_flows(source)
        assert flows.to_arrow()["src_bytes"].to_pylist() == [EXACT]
        assert ft.flow_index(source)["src_bytes"].to_pylist() == [EXACT]


@pytest.mark.parametrize("kind", ["Categorical", "Enum", "LazyFrame"])
def test_polars_frames_of_every_kind_are_read(kind: str) -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(ZEEK)
    if kind == "LazyFrame":
        frame = frame.lazy()
    else:
        type_ = polars.Categorical if kind == "Categorical" else polars.Enum(["SF", "S0"])
        frame = frame.with_columns(polars.col("conn_state").cast(type_))
    flows = ft.read_flows(frame)
    assert flows.to_arrow()["state"].to_pylist() == ["SF"]
    assert ft.flow_index(frame).num_rows == 1


@pytest.mark.parametrize("name", ["src_bytes", "src_ip", "note"])
def test_duplicate_column_names_are_an_error_that_names_them(name: str) -> None:
    flows = canonical(src_bytes=[5], note=["x"])
    flows = flows.append_column(name, flows[name])
    for function in (ft.read_flows, ft.flow_index, ft.classify_direction, ft.stitch):
        with pytest.raises(ft.InputError, match=name):
            function(flows)


def test_duplicate_columns_of_pandas_are_an_error_that_names_them() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ZEEK)
    frame = pandas.concat([frame, frame[["conn_state"]]], axis=1)
    with pytest.raises(ft.InputError, match="conn_state"):
        ft.read_flows(frame)


def test_a_list_of_dicts_is_read() -> None:
    row = {name: column[0] for name, column in ZEEK.items()}
    flows = ft.read_flows([row, row | {"id.resp_h": "1.1.1.1"}])
    assert flows.to_arrow()["dst_ip"].to_pylist() == ["8.8.8.8", "1.1.1.1"]


def test_a_frame_whose_time_is_its_index_is_read() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ZEEK)
    frame["ts"] = pandas.to_datetime(frame["ts"], unit="s", utc=True)
    flows = ft.read_flows(frame.set_index("ts"))
    assert flows.to_arrow()["start_time"].null_count == 0


def test_empty_input_keeps_its_schema() -> None:
    flows = canonical(src_bytes=[5]).slice(0, 0)
    for function in (ft.flow_index, ft.classify_direction, ft.stitch):
        full = function(canonical(src_bytes=[5])).schema
        assert function(flows).schema.names == full.names
        assert function(pa.Table.from_batches([], flows.schema)).schema.names == full.names


def test_row_numbers_of_messages_count_all_chunks() -> None:
    good = canonical(3, src_bytes=pa.array([1.0, 2.0, 3.0]))
    bad = canonical(2, src_bytes=pa.array([4.0, 1.5]))
    for flows in (pa.concat_tables([good, bad]), pa.concat_tables([good, bad]).slice(1)):
        with pytest.raises(ft.InputError, match=rf"\b{len(flows) - 1}\b"):
            ft.flow_index(flows)


@pytest.mark.parametrize(
    "more",
    [
        {"dst_bytes": pa.array([0], pa.int32())},
        {"end_time": pa.nulls(1)},
        {"dst_packets": pa.nulls(1), "src_packets": pa.array([1], pa.uint8())},
        {"protocol": pa.array(["tcp"]).dictionary_encode()},
        {"tcp_flags": pa.nulls(1), "host": pa.array(["a"], pa.large_string())},
    ],
)
def test_stitching_reads_columns_of_different_types(more: dict[str, pa.Array]) -> None:
    assert ft.stitch(canonical(src_bytes=[5], **more)).num_rows == 1


def test_memory_for_small_batches_is_bounded_by_the_data() -> None:
    code = """(
        one := pa.RecordBatch.from_pydict({
            "start_time": pa.array([0], pa.timestamp("us", "UTC")), "src_ip": ["10.0.0.1"],
            "dst_ip": ["8.8.8.8"], "src_bytes": [1], "protocol": ["tcp"], "flows": [1]}),
        flows := pa.Table.from_batches([one] * 20_000),
        resource := __import__("resource"),
        before := resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        ft.flow_index(flows), ft.classify_direction(flows), ft.stitch(flows),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before >> 10)[-1]"""
    assert outcome(code)["value"] < 150


@pytest.mark.parametrize(
    ("function", "column"),
    [
        *(product(["ft.classify_direction", "ft.stitch", "ft.read_flows"], PASSED_ON)),
        *(("ft.flow_index", column) for column in ("src_ip", "service")),
        *(("search", column) for column in ("src_ip", "protocol")),
    ],
)
def test_bytes_that_are_not_utf8_are_an_error(function: str, column: str) -> None:
    code = f"""(
        search := lambda flows: ft.expanded_search(flows, "8.8.8.8"),
        struct := __import__("struct"),
        bad := pa.Array.from_buffers(pa.string(), 1,
            [None, pa.py_buffer(struct.pack("<ii", 0, 8)), pa.py_buffer(b"10.0.0.\\xff")]),
        columns := {{"start_time": pa.array([0], pa.timestamp("us", "UTC")),
            "src_ip": ["10.0.0.1"], "dst_ip": ["8.8.8.8"], "flows": [1]}},
        len(ft.read_flows(pa.table(columns | {{{column!r}: bad}})).report.bad_rows)
        if {function!r} == "ft.read_flows"
        else len(({function})(pa.table(columns | {{{column!r}: bad}}))))[-1]"""
    done = outcome(code)
    if function == "ft.read_flows" and "value" in done:
        assert done["value"] == 1
    else:
        assert done["error"] in ("InputError", "FormatError")
        assert column in done["message"]


@pytest.mark.parametrize("kind", [pa.null(), pa.float64(), pa.decimal128(38, 0), pa.uint64()])
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_stitch_takes_flows_of_every_kind(kind: pa.DataType, rows: int) -> None:
    plain = canonical(rows)
    at = plain.column_names.index("flows")
    values = pa.nulls(rows) if kind == pa.null() else plain["flows"].cast(kind)
    other = plain.set_column(at, "flows", values)
    if kind == pa.null() and rows:
        with pytest.raises(ft.InputError, match="flows"):
            ft.stitch(other)
        return
    assert ft.stitch(other).to_pylist() == ft.stitch(plain).to_pylist()
