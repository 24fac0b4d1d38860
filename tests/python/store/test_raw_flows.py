"""Raw flows: idempotent by content, atomic, with predicate pushdown."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.errors import ArgumentError, FormatError
from flowtriage.schema import SEARCH_COLUMNS
from flowtriage.store.ingest import SCHEMA
from flowtriage.store.raw_flows import RawFlows
from killing import killed_after
from oa_work import sample_day

HEADER = "start_time,src_ip,dst_ip,src_port,dst_port,protocol,src_bytes,flows,stos,in,out\n"
LINE = "2013-09-15T{:02}:30:00Z,10.0.0.1,192.0.2.{},1024,53,udp,100,1,{},2,3\n"


@pytest.fixture
def raw(tmp_path: Path) -> RawFlows:
    return RawFlows(tmp_path / "flows")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "conn.log"
    ft.write_flows(sample.office_day(), path, format="zeek")
    return path


def hours(tmp_path: Path, name: str, *which: int) -> Path:
    path = tmp_path / name
    path.write_text(HEADER + "".join(LINE.format(hour, hour, hour) for hour in which))
    return path


def test_every_flow_comes_back_once(raw: RawFlows, log: Path) -> None:
    done = raw.ingest(log)
    read = ft.read_flows(log).to_arrow()
    assert done.flows == len(read)
    days = raw.days()
    again = raw.read(days[0], days[-1])
    assert again.schema == SCHEMA
    assert set(read.column_names) <= set(again.column_names)
    assert ft.flow_index(again).equals(ft.flow_index(read))


def test_files_lie_by_year_month_day_and_hour(raw: RawFlows, tmp_path: Path) -> None:
    raw.ingest(hours(tmp_path, "a.csv", 3, 3, 17))
    files = sorted(raw.folder.glob("y=*/m=*/d=*/h=*/*.parquet"))
    folders = [str(file.parent.relative_to(raw.folder)) for file in files]
    assert folders == ["y=2013/m=9/d=15/h=17", "y=2013/m=9/d=15/h=3"]
    assert [pq.read_metadata(file).num_rows for file in files] == [1, 2]


def test_columns_of_exporters_are_kept(raw: RawFlows, tmp_path: Path) -> None:
    raw.ingest(hours(tmp_path, "a.csv", 3))
    row = raw.read(dt.date(2013, 9, 15)).to_pylist()[0]
    assert (row["tos"], row["input"], row["output"]) == (3, 2, 3)


def test_known_content_is_skipped_whatever_its_name(raw: RawFlows, log: Path) -> None:
    first = raw.ingest(log)
    assert raw.ingest(log).known == [str(log)]
    other = log.rename(log.with_name("conn.1.log"))
    again = raw.ingest(other)
    assert (again.flows, again.known) == (0, [str(other)])
    assert len(raw.sources()) == 1
    assert raw.read(*_span(raw)).num_rows == first.flows


def test_a_log_that_grew_replaces_its_earlier_ingest(raw: RawFlows, tmp_path: Path) -> None:
    path = hours(tmp_path, "a.csv", 1, 2)
    raw.ingest(path)
    with path.open("a") as file:
        file.write(LINE.format(3, 3, 3))
    assert raw.ingest(path).flows == 3
    peers = raw.read(dt.date(2013, 9, 15))["dst_ip"].to_pylist()
    assert sorted(peers) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    assert len(list(raw.folder.glob("y=*/**/*.parquet"))) == 3


@pytest.mark.parametrize("names", [("a.csv", "a.1.csv"), ("a.1.csv", "a.csv"), ("a.csv",)])
def test_a_log_that_was_rotated_loses_nothing(
    raw: RawFlows, tmp_path: Path, names: tuple[str, ...]
) -> None:
    path = hours(tmp_path, "a.csv", 1, 2)
    raw.ingest(path)
    path.rename(tmp_path / "a.1.csv")
    hours(tmp_path, "a.csv", 5)
    raw.ingest([tmp_path / name for name in names])
    peers = raw.read(dt.date(2013, 9, 15))["dst_ip"].to_pylist()
    assert sorted(peers) == ["192.0.2.1", "192.0.2.2", "192.0.2.5"]


def test_rows_that_cannot_be_kept_are_counted(raw: RawFlows, tmp_path: Path) -> None:
    path = hours(tmp_path, "a.csv", 1)
    with path.open("a") as file:
        file.write(",10.0.0.1,192.0.2.9,1,2,tcp,1,1,0,0,0\n")
        file.write("2013-09-15T01:00:00Z,ten,192.0.2.9,1,2,tcp,1,1,0,0,0\n")
    done = raw.ingest(path)
    source = raw.sources()[0]
    assert (source.flows, source.rows_bad, source.rows_timeless) == (1, 1, 1)
    assert "1 bad row dropped; 1 row without a start time dropped" in str(done)


def test_a_folder_may_hold_other_files(raw: RawFlows, tmp_path: Path, log: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.log.gz").write_bytes(gzip.compress(log.read_bytes()))
    (folder / "readme").write_text("nothing to see\n")
    done = raw.ingest(folder)
    assert done.flows == sample.office_day().num_rows
    assert [Path(name).name for name in done.skipped] == ["readme"]
    with pytest.raises(FormatError):
        raw.ingest(folder / "readme")
    assert len(raw.sources()) == 1


def test_only_selected_rows_and_columns_are_read(raw: RawFlows, log: Path) -> None:
    raw.ingest(log)
    day, flows = sample_day()
    one = flows["dst_ip"][0].as_py()
    expected = pc.sum(pc.or_(pc.equal(flows["src_ip"], one), pc.equal(flows["dst_ip"], one)))
    first, last = _span(raw)
    found = raw.read(first, last, addresses=[one], columns=["src_ip", "dst_ip"])
    assert found.num_rows == expected.as_py()
    assert found.column_names == ["src_ip", "dst_ip"]
    for file in raw.folder.glob("y=*/**/*.parquet"):
        file.write_bytes(b"not Parquet")
    assert raw.read(day - dt.timedelta(days=400)).num_rows == 0


def test_flows_of_an_address_are_selected_by_day(raw: RawFlows, tmp_path: Path) -> None:
    log = tmp_path / "a.csv"
    ends = ["10.0.0.1,2001:db8::1", "2001:DB8:0::1,192.0.2.1", "10.0.0.1,192.0.2.1"]
    times = ["2013-09-15T23:59:59Z", "2013-09-16T00:00:00Z"]
    log.write_text(HEADER + "".join(f"{at},{two},,53,udp,9,1,,,\n" for at in times for two in ends))
    raw.ingest(log)
    days = dt.date(2013, 9, 15), dt.date(2013, 9, 16)
    for ip in ("2001:0db8::1", "::ffff:10.0.0.1", "192.0.2.1", "203.0.113.9"):
        for asked in (days[:1], days[1:], days):
            found = raw.read(*asked, addresses=[ip], columns=SEARCH_COLUMNS)
            whole = ft.expanded_search(raw.read(*asked), ip)
            assert ft.expanded_search(found, ip) == whole
    rows = [raw.read(*asked, addresses=["2001:db8::1"]).num_rows for asked in (days[:1], days)]
    assert rows == [2, 4]
    absent = raw.read(*days, addresses=["203.0.113.9"])
    assert (absent.num_rows, absent.schema) == (0, SCHEMA)
    with pytest.raises(ArgumentError, match="invalid IP address"):
        raw.read(*days, addresses=["10.0.0"])


def test_no_more_than_addresses_is_read_where_the_sought_one_is_absent(
    raw: RawFlows, tmp_path: Path
) -> None:
    raw.ingest(hours(tmp_path, "a.csv", 3, 17))
    day = dt.date(2013, 9, 15)
    (file,) = raw.folder.glob("y=2013/m=9/d=15/h=17/*.parquet")
    group = pq.read_metadata(file).row_group(0)
    names = [group.column(index).path_in_schema for index in range(group.num_columns)]
    column = group.column(names.index("src_bytes"))
    start, length = column.dictionary_page_offset, column.total_compressed_size
    content = bytearray(file.read_bytes())
    content[start : start + length] = b"\xff" * length
    file.write_bytes(content)
    assert raw.read(day, addresses=["192.0.2.3"])["src_bytes"].to_pylist() == [100]
    with pytest.raises(FormatError, match="a file of the raw flows in .* is damaged"):
        raw.read(day, addresses=["192.0.2.17"])


@pytest.mark.slow
def test_an_ingest_that_is_killed_leaves_nothing_half(raw: RawFlows, tmp_path: Path) -> None:
    day, flows = sample_day()
    path = tmp_path / "many.parquet"
    pq.write_table(pa.concat_tables([flows] * 200), path)
    killed = 0
    for number in range(8):
        killed += killed_after(0.05 + number * 0.1, raw.ingest, path)
        assert raw.read(*_span(raw, day)).num_rows in (0, 200 * flows.num_rows)
    raw.ingest(path)
    assert killed
    assert raw.read(*_span(raw)).num_rows == 200 * flows.num_rows
    listed = {name for source in raw.sources() for name in source.files}
    there = {str(f.relative_to(raw.folder)) for f in raw.folder.glob("y=*/**/*.parquet")}
    assert there == listed
    assert not list(raw.folder.glob("_waiting-*"))


def test_an_ingest_that_fails_leaves_nothing(raw: RawFlows, tmp_path: Path) -> None:
    path = tmp_path / "two.log"
    fields = "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\t"
    fields += "conn_state\t"
    line = "1379202250.0\tC\t10.0.0.1\t1024\t192.0.2.1\tSF\t"
    part = fields + "{}\n" + f"{line}53\n" * 200_000
    path.write_text(part.format("id.resp_p") + part.format("other"))
    with pytest.raises(FormatError, match="line 200006: the columns change here"):
        raw.ingest(path)
    left = {str(path.relative_to(raw.folder)) for path in raw.folder.rglob("*")}
    assert left == {"_sources", "_sources/.lock"}


def test_one_process_at_a_time_adds_flows(raw: RawFlows, tmp_path: Path) -> None:
    paths = [hours(tmp_path, f"{hour}.csv", hour) for hour in range(6)]
    code = "import sys, flowtriage.oa as o; o.RawFlows(sys.argv[1]).ingest(sys.argv[2:])"
    jobs = [
        subprocess.Popen([sys.executable, "-c", code, str(raw.folder), *map(str, part)])
        for part in (paths, paths[::-1], paths[2:4])
    ]
    assert [job.wait(timeout=120) for job in jobs] == [0, 0, 0]
    assert raw.read(dt.date(2013, 9, 15)).num_rows == 6


def test_each_source_has_a_record(raw: RawFlows, log: Path) -> None:
    raw.ingest(log)
    note = next((raw.folder / "_sources").glob("*.json"))
    record = json.loads(note.read_text())
    assert record["path"] == str(log)
    assert record["format"] == "zeek"
    assert record["size"] == log.stat().st_size


def _span(raw: RawFlows, day: dt.date | None = None) -> tuple[dt.date, dt.date]:
    days = raw.days() or [day or dt.date(2000, 1, 1)]
    return days[0], days[-1]
