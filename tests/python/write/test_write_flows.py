"""What is written in the formats of other tools reads back as the same flows."""

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
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flowtriage as ft
from flowtriage import sample
from flowtriage.errors import ArgumentError, FormatError
from flowtriage.schema import SCHEMA
from flowtriage.write import FORMATS

PAYLOAD = ("src_payload_bytes", "dst_payload_bytes")
NAMES = [*pa.schema(ft.read_flows(sample.office_day()).to_arrow().schema).names[:18], *PAYLOAD]


def rows(flows: Any) -> list[tuple[Any, ...]]:
    """The flows in an order of their own, absent columns as nulls."""
    table = flows.to_arrow() if isinstance(flows, ft.Flows) else flows
    columns = [
        table[n].to_pylist() if n in table.column_names else [None] * len(table) for n in NAMES
    ]
    return sorted(zip(*columns, strict=True), key=repr)


def read_back(path: Path, format: str) -> ft.Flows:
    flows = ft.read_flows(path)
    assert flows.report.format == ("canonical" if format == "parquet" else format)
    assert flows.report.rows_bad == 0, flows.report
    return flows


REAL = [
    "zeek/zat_conn.log",
    "zeek/zat_conn.json.log",
    "zeek/vast_m57_conn.log.gz",
    "zeek/vast_ctu_conn.log.json.gz",
    "zeek/vast_example_conn.log.gz",
    "zeek/zat_conn_date_issue.log",
    "suricata/vast_example_eve.json.gz",
    "suricata/alaajili_2022_eve.json",
    "netflow/vast_example.nfdump171.csv",
    "netflow/slips_test1.nfdump171.csv",
    "aws_vpc/drewpy_eks_2024-12-20_cwlogs.txt",
    "azure_nsg/danifitz_2020_PT1H.json",
    "azure_vnet/csp451_2026_PT1H.json",
    "azure_nta/az_net_flows_2019-02-12_13.csv",
    "argus/slips_test3-mixed.binetflow",
]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", REAL)
def test_real_logs_read_back_as_they_were(
    shared: Path, tmp_path: Path, name: str, format: str
) -> None:
    source = ft.read_flows(shared / name)
    path = tmp_path / "out"
    written = ft.write_flows(shared / name, path, format=format)
    assert written.records == len(source) > 0
    again = read_back(path, format)
    expected, found = rows(source), rows(again)
    lost = written.dropped.pop("end_time", 0) if format == "zeek" else 0
    assert set(written.dropped) <= set(source.to_arrow().column_names) - set(NAMES)
    if lost:
        end = NAMES.index("end_time")
        assert sum(a[end] is not None for a in expected) - lost == sum(
            a[end] is not None for a in found
        )
        expected, found = (
            sorted((a[:end] + a[end + 1 :] for a in t), key=repr) for t in (expected, found)
        )
    assert found == expected
    for verb in (ft.flow_index, ft.flow_summary):
        assert verb(again).equals(verb(source))


MICROSECONDS = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
TIMES = st.one_of(
    st.none(), MICROSECONDS, st.integers(1_700_000_000_000_000, 1_700_000_100_000_000)
)
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
COUNTS = st.one_of(st.none(), st.integers(0, 3), st.integers(0, 2**63 - 1))
ODD = st.sampled_from(
    [
        "-",
        "(empty)",
        "a\tb",
        "two\nlines",
        "\r\n",
        '"quoted"',
        "it's",
        "back\\slash",
        "\\x09",
        "\\",
        "#fields",
        "null",
        "é\u202e\U0001f600",
        "\x00\x1f\x7f\x85\u2028",
        "{}",
        "=1+1",
        "a,b",
        "0",
        "nan",
        "<b>",
    ]
)
TEXTS = st.one_of(st.none(), ODD, st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
WORDS = st.sampled_from([None, "inbound", "outbound", "internal", "external", "unknown"])
PORTS = st.one_of(st.none(), st.integers(0, 65535))
FLOWS = st.fixed_dictionaries(
    {
        "start_time": TIMES,
        "end_time": TIMES,
        "src_ip": ADDRESSES,
        "dst_ip": ADDRESSES,
        "src_port": PORTS,
        "dst_port": PORTS,
        "protocol": st.one_of(st.sampled_from(["tcp", "udp", "icmp", "61", "sctp"]), TEXTS),
        "service": TEXTS,
        "src_bytes": COUNTS,
        "dst_bytes": COUNTS,
        "src_packets": COUNTS,
        "dst_packets": COUNTS,
        "flows": st.one_of(st.integers(0, 3), st.integers(0, 2**63 - 1)),
        "denied_flows": COUNTS,
        "reported_direction": WORDS,
        "state": TEXTS,
        "tcp_flags": TEXTS,
        "host": TEXTS,
        "src_payload_bytes": COUNTS,
        "dst_payload_bytes": COUNTS,
    }
)
SCHEMA = pa.schema(
    [
        *SCHEMA,
        pa.field("src_payload_bytes", pa.int64()),
        pa.field("dst_payload_bytes", pa.int64()),
    ]
)


def canonical(records: list[dict[str, Any]]) -> ft.Flows:
    columns = {
        field.name: pa.array([r[field.name] for r in records], _plain(field.type)).cast(field.type)
        for field in SCHEMA
    }
    return ft.read_flows(pa.table(columns, SCHEMA))


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.int64() if pa.types.is_timestamp(kind) else kind


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=150)
@given(records=st.lists(FLOWS, min_size=1, max_size=6))
def test_any_flows_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, format: str, records: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("out") / "flows"
    flows = canonical(records)
    assert len(flows) == len(records)
    written = ft.write_flows(flows, path, format=format)
    expected = flows.to_arrow()
    if format == "zeek":
        starts, ends = expected["start_time"], expected["end_time"]
        kept = pc.fill_null(pc.less_equal(starts, ends), False)
        lost = len(expected) - ends.null_count - pc.sum(kept).as_py()
        assert written.dropped == ({"end_time": lost} if lost else {})
        known = pc.if_else(kept, ends, pa.scalar(None, ends.type))
        expected = expected.set_column(expected.column_names.index("end_time"), "end_time", known)
    elif format == "asim":
        records = expected.to_pylist()
        for name in ("service", "state", "tcp_flags", "host"):
            missing = [r for r in records if r[name] in ("nan", "NaN", "None")]
            assert written.dropped.pop(name, 0) == len(missing)
            for record in missing:
                record[name] = None
        expected = pa.Table.from_pylist(records, expected.schema)
        assert not written.dropped
    else:
        assert not written.dropped
    assert rows(read_back(path, format)) == rows(expected)


def test_packed_text_by_the_ending(tmp_path: Path) -> None:
    day = sample.office_day()
    expected = rows(ft.read_flows(day))
    for name, magic in (("a.log.gz", b"\x1f\x8b"), ("a.zst", b"\x28\xb5\x2f\xfd")):
        ft.write_flows(day, tmp_path / name, format="zeek")
        assert (tmp_path / name).read_bytes().startswith(magic)
        assert rows(ft.read_flows(tmp_path / name)) == expected
    with pytest.raises(ArgumentError, match="compresses its columns"):
        ft.write_flows(day, tmp_path / "a.parquet.gz", format="parquet")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.log.gz", "a.zst"]


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
    assert "1 bad rows" in str(written)


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
    with pytest.raises(ArgumentError, match="give one of zeek, ocsf, asim, parquet"):
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
