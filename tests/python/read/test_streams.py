"""Streams larger than memory, Ctrl-C in long calls, any number of threads."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

import flowtriage as ft
from flowtriage.errors import InputError
from stream_program import STREAM, run


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is told in other units elsewhere")
def test_memory_follows_the_groups_and_not_the_rows() -> None:
    code = f"""{STREAM}
verbs = [
    ft.flow_index,
    ft.flow_summary,
    lambda flows: ft.timeline(flows, by="src_ip", bins=10),
    lambda flows: ft.top_n(flows, key="src_ip", by="flows"),
    lambda flows: ft.expanded_search(flows, "192.0.2.1"),
]
for verb in verbs:
    verb(stream(4))
before = peak()
for verb in verbs:
    verb(stream(36))
print(peak() - before, 32 * batch.nbytes)
"""
    grown, streamed = map(int, run(code).split())
    assert streamed > 250 << 20
    assert grown < 100 << 20


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is told in other units elsewhere")
def test_memory_does_not_grow_with_a_log_that_is_streamed(tmp_path: Path) -> None:
    head = "\t".join(["#fields", "ts", "id.orig_h", "id.resp_h", "proto", "conn_state", "uid"])
    lines = [f"{i}.5\t10.0.0.{i % 99}\t192.0.2.1\ttcp\tSF\tC{i:030}\n" for i in range(10_000)]
    logs = {}
    for rows in (400_000, 2_000_000):
        logs[rows] = tmp_path / f"{rows}.log"
        with logs[rows].open("w") as file:
            file.write(f"{head}\n")
            for _ in range(rows // len(lines)):
                file.writelines(lines)
    code = f"""{STREAM}
for path in {list(map(str, logs.values()))}:
    print(pa.compute.sum(ft.flow_index(path)["TotalAllowedFlows"]), peak())
"""
    found = [tuple(map(int, line.split())) for line in run(code).splitlines()]
    assert [flows for flows, _ in found] == list(logs)
    assert logs[2_000_000].stat().st_size > 100 << 20
    assert found[1][1] - found[0][1] < 40 << 20


def test_ctrl_c_stops_a_long_call_soon() -> None:
    code = f"""{STREAM}
import os, signal, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)

def interrupt():
    global sent
    time.sleep(1)
    sent = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)

for verb in [
    ft.flow_index,
    ft.flow_summary,
    lambda flows: ft.timeline(flows, by="src_ip"),
    lambda flows: ft.expanded_search(flows, "192.0.2.1"),
]:
    threading.Thread(target=interrupt).start()
    try:
        verb(stream(10**9))
    except KeyboardInterrupt:
        print(time.monotonic() - sent)
"""
    waits = list(map(float, run(code).split()))
    assert len(waits) == 4
    # Half a second on a free machine; that of a test may be busy.
    assert max(waits) < 2


def test_ctrl_c_in_the_source_of_a_stream_is_passed_on() -> None:
    code = f"""{STREAM}
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)

def batches():
    yield batch
    os.kill(os.getpid(), signal.SIGINT)
    yield batch

try:
    ft.flow_index(pa.RecordBatchReader.from_batches(batch.schema, batches()))
except KeyboardInterrupt:
    print("stopped")
"""
    assert run(code) == "stopped\n"


def test_ctrl_c_stops_the_making_of_a_large_result() -> None:
    code = """
import os, signal, threading, time
import pyarrow as pa
import pyarrow.compute as pc
import flowtriage as ft

signal.signal(signal.SIGINT, signal.default_int_handler)
pairs = pa.array(range(1 << 22), pa.int32())
sources = pa.array([f"10.0.{i >> 8}.{i & 255}" for i in range(1 << 11)])
dests = pa.array([f"192.0.{i >> 8}.{i & 255}" for i in range(1 << 11)])
batch = pa.record_batch({
    "src_ip": pa.DictionaryArray.from_arrays(pc.shift_right(pairs, 11), sources),
    "dst_ip": pa.DictionaryArray.from_arrays(pc.bit_wise_and(pairs, 2047), dests),
    "flows": pa.repeat(1, len(pairs)),
})

def interrupt():
    global sent
    sent = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)

def batches():
    yield batch
    threading.Timer(0.1, interrupt).start()

try:
    ft.flow_index(pa.RecordBatchReader.from_batches(batch.schema, batches()))
except KeyboardInterrupt:
    print(time.monotonic() - sent)
"""
    # Half a second on a free machine; that of a test may be busy.
    assert float(run(code)) < 2


def test_results_do_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    code = """
import sys
import pyarrow as pa
import pyarrow.feather
import flowtriage as ft

ROWS = 200_000
number = [i * 2_654_435_761 % 2**32 for i in range(ROWS)]
flows = pa.table({
    "src_ip": [f"10.{n >> 24}.{n >> 12 & 255}.{n & 7}" for n in number],
    "dst_ip": [
        f"2001:db8::{n >> 8 & 0xfff:x}" if n % 3 else f"8.8.{n >> 16 & 255}.{n >> 8 & 255}"
        for n in number
    ],
    "service": [("dns", "http", None)[n % 7 % 3] for n in number],
    "src_port": pa.array([n & 0xffff for n in number], pa.uint16()),
    "src_bytes": number,
    "flows": [1] * ROWS,
    "start_time": pa.array([n * 1000 for n in number], pa.timestamp("us", "UTC")),
})
tables = [
    ft.flow_index(flows),
    ft.flow_summary(flows),
    ft.timeline(flows, by="service"),
    ft.top_n(flows, key=["src_ip", "service"], by="src_bytes", n=1000),
    ft.classify_direction(flows),
    found := ft.expanded_search(flows, "2001:db8::7b"),
    ft.connection_sets(found, "2001:db8::7b"),
    ft.AsnDatabase().lookup(flows["dst_ip"]),
]
assert tables[0].num_rows > 100_000
assert found.num_rows > 20
for at, table in enumerate(tables):
    pyarrow.feather.write_feather(table, f"{sys.argv[1]}/{at}")
"""
    made = []
    for threads in ("1", "2", "8"):
        folder = tmp_path / threads
        folder.mkdir()
        run(code, str(folder), RAYON_NUM_THREADS=threads)
        made.append([feather.read_table(path) for path in sorted(folder.iterdir())])
    assert len(made[0]) == 8
    assert made[0] == made[1] == made[2]


def test_a_dataset_is_read_as_a_stream(tmp_path: Path) -> None:
    time = pa.array([0, 1, 2], pa.timestamp("us", "UTC"))
    parts = [
        pa.table(
            {
                "start_time": time,
                "src_ip": [f"10.0.0.{i}"] * 3,
                "dst_ip": ["192.0.2.1"] * 3,
                "flows": [i, 1, 1],
            }
        )
        for i in (1, 2, 3)
    ]
    for i, part in enumerate(parts):
        pq.write_table(part, tmp_path / f"{i}.parquet")
    dataset = ds.dataset(tmp_path)
    assert ft.flow_index(dataset) == ft.flow_index(pa.concat_tables(parts))
    assert len(ft.read_flows(dataset)) == 9


def test_the_index_does_not_depend_on_the_size_of_batches() -> None:
    table = pa.table(
        {
            "src_ip": [f"10.0.{i % 7}.{i % 11}" for i in range(5000)],
            "dst_ip": [f"192.0.2.{i % 13}" for i in range(5000)],
            "flows": [1] * 5000,
        }
    )
    expected = ft.flow_index(table)
    for size in (1, 77, 4096):
        assert ft.flow_index(pa.table(table).to_reader(max_chunksize=size)) == expected


def test_an_error_of_the_source_is_passed_on() -> None:
    schema = pa.schema([("src_ip", "string"), ("dst_ip", "string"), ("flows", "int64")])

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch([["10.0.0.1"], ["192.0.2.1"], [1]], schema=schema)
        raise InputError("the line is dead")

    with pytest.raises(InputError, match="the line is dead"):
        ft.flow_index(pa.RecordBatchReader.from_batches(schema, batches()))


def test_functions_without_a_report_warn_of_bad_rows(tmp_path: Path) -> None:
    log = tmp_path / "flows.csv"
    rows = ["start_time,src_ip,dst_ip,flows", "0,10.0.0.1,192.0.2.1,1", "0,somebody,192.0.2.1,1"]
    log.write_text("\n".join(rows))
    for source in (log, tmp_path, str(tmp_path / "*.csv"), [log]):
        with pytest.warns(UserWarning, match=r"flows\.csv: Bad rows: 1 of 2 rows") as seen:
            assert ft.flow_index(source).num_rows == 1
        assert [warning.filename for warning in seen] == [__file__]
