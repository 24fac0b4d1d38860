"""Files in the formats of other tools: their content, what they lose, and how they are replaced."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.errors import ArgumentError, FormatError
from flowtriage.write import FORMATS
from round_trip import PAYLOAD, read_back, rows


def test_zeek_is_as_zeek_writes_it(tmp_path: Path) -> None:
    start = datetime(2024, 1, 2, 3, 4, 5, 678_901, UTC)
    flows = pa.table(
        {
            "start_time": [start],
            "end_time": [start + timedelta(seconds=2.5)],
            "src_ip": ["10.0.0.1"],
            "dst_ip": ["2001:db8::1"],
            "dst_port": pa.array([53], pa.uint16()),
            "protocol": ["udp"],
            "service": ["a\tb\\"],
            "state": ["(empty)"],
            "flows": [2],
        }
    )
    path = tmp_path / "conn.log"
    ft.write_flows(flows, path, format="zeek")
    lines = path.read_text().splitlines()
    header = dict(line[1:].split(None, 1) for line in lines[:-1])
    assert header["separator"] == r"\x09"
    assert header["unset_field"] == "-"
    names, kinds = (header[key].split("\t") for key in ("fields", "types"))
    record = dict(zip(names, lines[-1].split("\t"), strict=True))
    assert len(kinds) == len(names)
    assert record["ts"] == "1704164645.678901"
    assert record["duration"] == "2.500000"
    assert record["id.orig_p"] == "-"
    assert record["id.resp_p"] == "53"
    assert record["service"] == r"a\x09b\x5c"
    assert record["conn_state"] == r"\x28empty)"
    assert record["flows"] == "2"


REFUSED = {
    "start_time": datetime(2024, 1, 2, tzinfo=UTC),
    "end_time": datetime(2024, 1, 2, 0, 0, 1, 500_000, UTC),
    "src_ip": "10.0.0.1",
    "dst_ip": "192.0.2.1",
    "dst_port": 22,
    "protocol": "tcp",
    "src_bytes": 60,
    "flows": 0,
    "denied_flows": 3,
    "reported_direction": "outbound",
}


@pytest.mark.parametrize("format", ["asim", "ocsf"])
def test_other_readers_of_the_schema_find_its_own_fields(tmp_path: Path, format: str) -> None:
    path = tmp_path / "out.json"
    ft.write_flows(pa.Table.from_pylist([REFUSED]), path, format=format)
    (record,) = map(json.loads, path.read_text().splitlines())
    if format == "asim":
        assert record["EventSchema"] == "NetworkSession"
        assert (record["EventCount"], record["DvcAction"]) == (3, "Deny")
        assert (record["NetworkDirection"], record["NetworkProtocol"]) == ("Outbound", "TCP")
        assert record["NetworkDuration"] == 1500
        del record["AdditionalFields"]
    else:
        assert (record["class_uid"], record["type_uid"]) == (4001, 400106)
        assert (record["count"], record["action_id"]) == (3, 2)
        assert record["time"] == record["start_time"] == 1_704_153_600_000
        assert record["connection_info"]["direction_id"] == 2
        assert record["traffic"] == {"bytes_out": 60}
        del record["unmapped"]
    path.write_text(json.dumps(record))
    (row,) = ft.read_flows(path).to_arrow().select(list(REFUSED)).to_pylist()
    assert row == REFUSED


def test_what_has_no_place_is_counted(tmp_path: Path) -> None:
    flows = ft.classify_direction(sample.office_day())
    table = flows.append_column("colour", pa.array(["red", *[None] * (len(flows) - 1)]))
    source = ft.read_flows(table, keep=["colour"])
    written = ft.write_flows(source, tmp_path / "a.log", format="zeek")
    assert dict(written.dropped) == {
        "colour": 1,
        "direction": len(flows),
        "direction_reason": len(flows),
    }
    assert "1 of colour" in str(written)
    written = ft.write_flows(source, tmp_path / "a.parquet", format="parquet")
    assert not written.dropped
    assert pq.read_table(tmp_path / "a.parquet").equals(source.to_arrow())


def test_columns_of_later_sources_have_no_place_in_parquet(shared: Path, tmp_path: Path) -> None:
    zeek = ft.read_flows(shared / "zeek" / "zat_conn.log").to_arrow()
    path = tmp_path / "flows.parquet"
    written = ft.write_flows([sample.office_day(), zeek], path, format="parquet")
    assert dict(written.dropped) == {name: zeek[name].drop_null().length() for name in PAYLOAD}
    written = ft.write_flows([zeek, sample.office_day()], path, format="parquet")
    assert not written.dropped
    assert len(ft.read_flows(path)) == written.records == 360 + sample.office_day().num_rows


def test_bad_rows_of_the_source_are_told(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    path.write_text("start_time,src_ip,dst_ip,flows\n,10.0.0.1,10.0.0.2,1\n,ten,10.0.0.2,1\n")
    written = ft.write_flows(path, tmp_path / "a.log", format="zeek")
    assert (written.records, written.report.rows_bad) == (1, 1)
    assert "1 bad row " in str(written)


def test_no_flows_at_all(tmp_path: Path) -> None:
    empty = sample.office_day().slice(0, 0)
    for format in FORMATS:
        assert ft.write_flows(empty, tmp_path / format, format=format).records == 0
    for format in ("zeek", "parquet"):
        assert len(ft.read_flows(tmp_path / format)) == 0
    with pytest.raises(FormatError, match="is empty"):
        ft.read_flows(tmp_path / "ocsf")


def test_a_file_can_be_written_over_itself(tmp_path: Path) -> None:
    path = tmp_path / "flows"
    ft.write_flows(sample.office_day(), path, format="zeek")
    expected = rows(ft.read_flows(path))
    path.chmod(0o640)
    ft.write_flows(path, path, format="ocsf")
    assert rows(read_back(path, "ocsf")) == expected
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "flows")
    ft.write_flows(sample.office_day(), tmp_path / "link", format="zeek")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "flows").is_file()


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    day = sample.office_day()
    with pytest.raises(ArgumentError, match="cannot write format 'pcap'; did you mean parquet"):
        ft.write_flows(day, tmp_path / "a", format="pcap")
    with pytest.raises(IsADirectoryError, match="is a directory"):
        ft.write_flows(day, tmp_path, format="zeek")
    with pytest.raises(FileNotFoundError):
        ft.write_flows(day, tmp_path / "absent" / "a", format="zeek")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ArgumentError, match="not a regular file"):
            ft.write_flows(day, tmp_path / "pipe", format="zeek")


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("before")
    for source in (tmp_path / "absent.log", pa.table({"a": [1]}), [sample.office_day(), 42]):
        with pytest.raises((FileNotFoundError, FormatError, ArgumentError)):
            ft.write_flows(source, path, format="zeek")
        assert path.read_text() == "before"
        assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("format", FORMATS)
def test_an_interrupt_leaves_nothing(tmp_path: Path, format: str) -> None:
    code = """
    import itertools, sys
    import flowtriage as ft
    from flowtriage import sample
    day = sample.office_day()
    ft.write_flows((day for _ in itertools.count()), sys.argv[1], format=sys.argv[2])
    """
    program = "\n".join(line.strip() for line in code.splitlines())
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "out", format], stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 60
        while not any(p.stat().st_size > 1000 for p in tmp_path.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) != 0
    assert list(tmp_path.iterdir()) == []


PEAKS = """
import resource, sys
import flowtriage as ft
from flowtriage import sample
to, format, *sources = sys.argv[1:]
day = sample.office_day()
for source in sources:
    days = (day for _ in range(int(source))) if source.isdecimal() else source
    flows = ft.write_flows(days, to, format=format).records
    print(flows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""
large = pytest.mark.skipif(sys.platform != "linux", reason="the peak is told in other units there")


def peaks(to: Path, format: str, *sources: object) -> tuple[list[int], int]:
    """Write the day so many times, or logs, one after the other.

    Return the flows of each, and by how many megabytes the peak of memory grew from first to last.
    """
    command = [sys.executable, "-c", PEAKS, str(to), format, *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    return [flows for flows, _ in told], told[-1][1] - told[0][1]


@pytest.mark.slow
@large
@pytest.mark.parametrize("format", FORMATS)
def test_a_stream_is_written_in_bounded_memory(tmp_path: Path, format: str) -> None:
    day = sample.office_day()
    flows, grown = peaks(tmp_path / "out", format, 5, 60)
    assert flows == [5 * len(day), 60 * len(day)]
    assert 55 * day.nbytes > 60 << 20
    assert grown < 30


@pytest.mark.slow
@large
def test_a_large_log_is_written_in_bounded_memory(tmp_path: Path) -> None:
    day = sample.office_day()
    ft.write_flows(day, tmp_path / "day.log", format="zeek")
    lines = (tmp_path / "day.log").read_bytes().splitlines(keepends=True)
    head, body = (
        [one for one in lines if one.startswith(b"#") is is_head] for is_head in (True, False)
    )
    packed_head, packed_body = (gzip.compress(b"".join(part), 1) for part in (head, body))
    logs = [tmp_path / name for name in ("log.gz", "large.log.gz")]
    for log, times in zip(logs, (60, 180), strict=True):
        log.write_bytes(packed_head + packed_body * times)
    flows, grown = peaks(tmp_path / "out", "parquet", *logs)
    assert flows == [60 * len(day), 180 * len(day)]
    assert 120 * len(b"".join(body)) > 100 << 20
    assert grown < 90
