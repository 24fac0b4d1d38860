"""Arrow data at the boundary: what is valid is read, what is not is named."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from limited import outcome
from small_logs import canonical

LIMIT = 2**63 - 1
BAD = b"ht\xffp"


def as_string(values: list[bytes | None]) -> pa.Array:
    """Strings of any bytes."""
    return pa.array(values, pa.binary()).view(pa.string())


def as_large_string(values: list[bytes | None]) -> pa.Array:
    return pa.array(values, pa.large_binary()).view(pa.large_string())


def as_view(values: list[bytes | None]) -> pa.Array:
    return pa.array(values, pa.binary_view()).view(pa.string_view())


def as_dictionary(values: list[bytes | None]) -> pa.Array:
    coded = pa.array(values, pa.binary()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(coded.indices, coded.dictionary.view(pa.string()))


KINDS: dict[str, Callable[[list[bytes | None]], pa.Array]] = {
    "string": as_string,
    "large_string": as_large_string,
    "string_view": as_view,
    "dictionary": as_dictionary,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("long", [b"", b"0123456789abcdef"])
def test_only_the_rows_that_are_not_utf8_are_bad(kind: str, long: bytes) -> None:
    service = KINDS[kind]([b"dns" + long, BAD + long, None, "é".encode() + long, BAD + long])
    flows = canonical(5, service=service, note=[f"row {n}" for n in range(5)])
    read = ft.read_flows(flows, keep=["note"])
    assert read.to_arrow()["note"].to_pylist() == ["row 0", "row 2", "row 3"]
    assert read.to_arrow()["service"].to_pylist() == [
        "dns" + long.decode(),
        None,
        "é" + long.decode(),
    ]
    assert (read.report.rows_read, read.report.rows_bad) == (5, 2)
    assert [(row.number, row.column) for row in read.report.bad_rows] == [
        (1, "service"),
        (4, "service"),
    ]
    with pytest.raises(ft.InputError, match=r'row 1, column "service"'):
        ft.flow_index(flows)


@pytest.mark.parametrize("kind", KINDS)
def test_an_extra_column_that_is_not_utf8_is_a_bad_row_too(kind: str) -> None:
    flows = canonical(3, note=KINDS[kind]([b"a", BAD, b"c"]))
    read = ft.read_flows(pa.concat_tables([flows, flows]), keep=["note"])
    assert read.to_arrow()["note"].cast(pa.string()).to_pylist() == ["a", "c"] * 2
    assert [row.number for row in read.report.bad_rows] == [1, 4]


def test_a_parquet_file_with_one_bad_string_is_read(tmp_path: Path) -> None:
    path = tmp_path / "flows.parquet"
    pq.write_table(canonical(3, service=as_string([b"dns", BAD, b"ssl"])), path)
    read = ft.read_flows(path)
    assert read.to_arrow()["service"].to_pylist() == ["dns", "ssl"]
    assert [row.number for row in read.report.bad_rows] == [1]


@pytest.mark.parametrize("function", [ft.read_flows, ft.flow_index])
@pytest.mark.parametrize("cut", [-20, -200])
def test_a_truncated_stream_is_an_error_of_the_project(
    tmp_path: Path, function: Callable[[object], object], cut: int
) -> None:
    path = tmp_path / "stream"
    flows = canonical(1000)
    with pa.ipc.new_stream(path, flows.schema) as writer:
        writer.write_table(flows, max_chunksize=100)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ft.InputError), path.open("rb") as file:
        function(pa.ipc.open_stream(file))


def test_memory_for_reading_small_batches_is_bounded_by_the_data() -> None:
    code = """(
        one := pa.RecordBatch.from_pydict({
            "start_time": pa.array([0], pa.timestamp("us", "UTC")), "src_ip": ["10.0.0.1"],
            "dst_ip": ["8.8.8.8"], "src_bytes": [1], "flows": [1], "note": ["x"]}),
        flows := pa.Table.from_batches([one] * 20_000),
        resource := __import__("resource"),
        before := resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        len(ft.read_flows(flows)), len(ft.read_flows(flows, keep=True)),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before >> 10)[-1]"""
    assert outcome(code)["value"] < 200


@pytest.mark.parametrize(
    ("counts", "expected", "bad"),
    [
        (pa.array([Decimal("1.50"), Decimal("9007199254740993.00")]), [9007199254740993], [0]),
        (pa.array([Decimal(2**70), Decimal(2)]), [2], [0]),
        (pa.array([2**64 - 1, 7], pa.uint64()), [7], [0]),
        (pa.array([1.5, 3.0]).dictionary_encode(), [3], [0]),
        (pa.array([-4, 3]).dictionary_encode(), [3], [0]),
    ],
)
def test_a_number_that_is_no_count_is_a_bad_row_alone(
    counts: pa.Array, expected: list[int], bad: list[int]
) -> None:
    read = ft.read_flows(canonical(2, src_bytes=counts))
    assert read.to_arrow()["src_bytes"].to_pylist() == expected
    assert [row.number for row in read.report.bad_rows] == bad


@pytest.mark.parametrize(
    "encode",
    [
        lambda column: column.dictionary_encode(),
        pc.run_end_encode,
        lambda column: column.cast(pa.string_view()),
        lambda column: column.cast(pa.large_string()).dictionary_encode(),
    ],
)
def test_encoded_columns_equal_plain_ones(encode: Callable[[pa.Array], pa.Array]) -> None:
    service, source = pa.array(["dns", None, "dns"]), pa.array(["10.0.0.1", "::1", "10.0.0.1"])
    plain = canonical(3, service=service, src_ip=source)
    coded = canonical(3, service=encode(service), src_ip=encode(source))
    for function in (ft.flow_index, ft.stitch, ft.classify_direction):
        found = function(coded)
        for name in ("service", "src_ip", "source", "L7Protocol", "direction"):
            if name in found.column_names:
                assert found[name].to_pylist() == function(plain)[name].to_pylist()
    assert ft.read_flows(coded).to_arrow().equals(ft.read_flows(plain).to_arrow())


def test_encoded_times_without_a_zone_have_the_given_zone() -> None:
    times = pa.array([1_700_000_000_000_000], pa.timestamp("us"))
    for encoded in (times, times.dictionary_encode(), pc.run_end_encode(times)):
        read = ft.read_flows(canonical(start_time=encoded), tz="+01:00")
        assert str(read.to_arrow()["start_time"][0]) == "2023-11-14 21:13:20+00:00"


def test_bytes_of_both_directions_beyond_64_bits_are_an_error() -> None:
    flows = canonical(2, src_bytes=[LIMIT, 1], dst_bytes=[1, LIMIT])
    with pytest.raises(ft.InputError, match="64-bit"):
        ft.top_n(flows, key="dst_port", by="bytes")


def test_named_levels_of_an_index_are_columns() -> None:
    pandas = pytest.importorskip("pandas")
    frame = canonical(2, service=["dns", "ssl"]).to_pandas()
    for names in (["start_time"], ["start_time", "src_ip"], ["service", "flows"]):
        read = ft.read_flows(frame.set_index(names))
        assert read.to_arrow().equals(ft.read_flows(frame).to_arrow())
    unnamed = frame.set_index(pandas.Index(["a", "b"]))
    assert len(ft.read_flows(unnamed)) == 2


def test_rows_of_mixed_types_and_nested_rows_are_read() -> None:
    row = {
        "start_time": "2024-01-01",
        "src_ip": "10.0.0.1",
        "dst_ip": "8.8.8.8",
        "flows": 1,
        "src_bytes": 5,
    }
    read = ft.read_flows([row, row | {"src_bytes": "7"}, row | {"src_bytes": "many"}, {"flows": 1}])
    assert read.to_arrow()["src_bytes"].to_pylist() == [5, 7]
    assert [found.number for found in read.report.bad_rows] == [2, 3]
    with pytest.raises(ft.ArgumentError, match="list of rows"):
        ft.read_flows(row)


@pytest.mark.parametrize("name", ["src_bytes", "src_packets"])
def test_stitching_fills_the_column_of_the_other_side(name: str) -> None:
    flows = canonical(
        2,
        src_ip=["10.0.0.1", "8.8.8.8"],
        dst_ip=pa.array(["8.8.8.8", "10.0.0.1"]).dictionary_encode(),
        src_port=pa.array([50_000, 443], pa.int32()),
        dst_port=pa.array([443, 50_000], pa.uint16()),
        **{name: pa.array([9.0, 7.0])},
    )
    (row,) = ft.stitch(flows).to_pylist()
    assert (row[name], row[name.replace("src", "dst")]) == (9, 7)
    assert (row["src_ip"], row["dst_ip"], row["dst_port"]) == ("10.0.0.1", "8.8.8.8", 443)
