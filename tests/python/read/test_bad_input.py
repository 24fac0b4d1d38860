"""Bad input gives a clear error, or a bad row that is counted and told."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from flowtriage.errors import ArgumentError, FormatError, InputError

HEADER = (
    "#separator \\x09\n#unset_field\t-\n#path\tconn\n"
    "#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\torig_ip_bytes\n"
)
GOOD = "1.5\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\t9\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "conn.log"


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent.log"):
        ft.read_flows(tmp_path / "absent.log")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="the directory contains no file"):
        ft.read_flows(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"\n\n  \n", gzip.compress(b"", mtime=0), b"\xef\xbb\xbf"]
)
def test_an_empty_file(log: Path, content: bytes) -> None:
    log.write_bytes(content)
    with pytest.raises(FormatError, match="is empty"):
        ft.read_flows(log)


def test_a_binary_file(log: Path) -> None:
    log.write_bytes(bytes(range(256)) * 40)
    with pytest.raises(FormatError, match="binary data"):
        ft.read_flows(log)
    for magic in (b"PAR1", b"ARROW1"):
        log.write_bytes(magic + bytes(100))
        with pytest.raises(FormatError, match="cannot read this"):
            ft.read_flows(log)


def test_a_text_that_is_no_log(shared: Path) -> None:
    with pytest.raises(FormatError, match="not recognised") as caught:
        ft.read_flows(shared / "zeek" / "broken" / "text_file_conn.log")
    for candidate in ("canonical lacks", "zeek lacks", "azure-network-analytics lacks"):
        assert candidate in str(caught.value)


def test_logs_that_were_cut(shared: Path) -> None:
    broken = shared / "zeek" / "broken"
    tail = ft.read_flows(broken / "truncated_conn.log")
    assert (len(tail), tail.report.rows_bad) == (58, 1)
    assert str(tail.report.bad_rows[0]).endswith("has 9 values, the header has 21")
    with pytest.raises(FormatError, match="top of a Zeek log is missing"):
        ft.read_flows(broken / "truncated_conn_top.log")
    lines = ft.read_flows(broken / "truncated_conn_json.log")
    assert (len(lines), lines.report.rows_read, lines.report.rows_bad) == (2, 4, 2)
    assert [row.number for row in lines.report.bad_rows] == [3, 4]
    assert "not a port" in lines.report.bad_rows[0].reason
    assert "JSON" in lines.report.bad_rows[1].reason


def test_a_gzip_that_was_cut(zat: Path, log: Path) -> None:
    packed = gzip.compress(zat.read_bytes())
    log.write_bytes(packed[: len(packed) // 2])
    flows = ft.read_flows(log)
    assert 0 < len(flows) < 360
    assert any("gzip stream is truncated" in row.reason for row in flows.report.bad_rows)
    log.write_bytes(packed[:12])
    with pytest.raises(FormatError, match="truncated|empty"):
        ft.read_flows(log)


def test_blank_lines_before_the_header_are_passed_over(log: Path) -> None:
    log.write_text(
        "\n\r\nstart_time,src_ip,dst_ip,flows\n2024-01-01,10.0.0.1,10.0.0.2,1\n,ten,,1\n"
    )
    flows = ft.read_flows(log)
    assert len(flows) == 1
    assert flows.report.bad_rows[0].number == 5


def test_an_endless_line_is_no_header(log: Path) -> None:
    log.write_text('"' + "x" * 300_000)
    with pytest.raises(FormatError, match="not a header|not recognised"):
        ft.read_flows(log)


def test_a_missing_column(log: Path) -> None:
    log.write_text("#fields\tts\tid.orig_h\tconn_state\n1.0\t10.0.0.1\tSF\n")
    with pytest.raises(FormatError, match=r"zeek lacks id\.orig_h and id\.resp_h"):
        ft.read_flows(log, format="zeek")


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (GOOD.replace("10.0.0.1", "10.0.0.256"), "id.orig_h", "is not an IP address"),
        (GOOD.replace("10.0.0.2", "-"), "id.resp_h", "has no address"),
        (GOOD.replace("\t2\t", "\t65536\t"), "id.resp_p", "is not a port"),
        (GOOD.replace("1.5", "yesterday"), "ts", "is not a time"),
        (GOOD.replace("1.5", "99999999999999"), "ts", "is not a time of the years 1 to 9999"),
        (GOOD.replace("\t9\n", "\t-9\n"), "orig_ip_bytes", "is not a non-negative integer"),
        (GOOD.replace("\t9\n", "\t9.5\n"), "orig_ip_bytes", "is not a non-negative integer"),
        ("1.5\t10.0.0.1\n", None, "has 2 values, the header has 8"),
        (GOOD.replace("\tSF", "\tSF\textra"), None, "has 9 values"),
    ],
)
def test_a_bad_value_is_told_with_its_place(
    log: Path, line: str, column: str | None, reason: str
) -> None:
    log.write_text(HEADER + GOOD + line + GOOD)
    flows = ft.read_flows(log)
    assert (len(flows), flows.report.rows_read, flows.report.rows_bad) == (2, 3, 1)
    (row,) = flows.report.bad_rows
    assert (row.number, row.column) == (6, column)
    assert reason in row.reason
    assert f"{log}, line 6" in str(row)


def test_text_that_is_not_utf8_is_a_bad_row(log: Path) -> None:
    log.write_bytes((HEADER + GOOD).encode() + GOOD.encode().replace(b"tcp", b"t\xffp"))
    flows = ft.read_flows(log)
    assert (len(flows), flows.report.bad_rows[0].number) == (1, 6)


def test_only_the_first_ten_bad_rows_are_told_but_all_are_counted(log: Path) -> None:
    log.write_text(HEADER + GOOD + "bad\n" * 25_000)
    flows = ft.read_flows(log)
    assert flows.report.rows_bad == 25_000
    assert [row.number for row in flows.report.bad_rows] == list(range(6, 16))


def test_columns_that_change_within_a_log(log: Path) -> None:
    other = HEADER.replace("\tconn_state", "\tstate2")
    log.write_text(HEADER + GOOD + other + GOOD)
    with pytest.raises(FormatError, match="line 9: the columns change here"):
        ft.read_flows(log)
    log.write_text(HEADER + GOOD + HEADER + GOOD + "#close\t2024-01-01-00-00-00\n")
    assert len(ft.read_flows(log)) == 2


def test_a_bad_row_of_a_table_is_told_by_its_row() -> None:
    table = pa.table(
        {
            "start_time": ["2024-01-01T00:00:00Z"] * 3,
            "src_ip": ["10.0.0.1", "ten", "10.0.0.3"],
            "dst_ip": ["10.0.0.2"] * 3,
            "flows": [1, 1, None],
        }
    )
    flows = ft.read_flows(table)
    assert [str(row) for row in flows.report.bad_rows] == [
        "Table, row 1, column src_ip: 'ten' is not an IP address",
        "Table, row 2, column flows: has no number of flows",
    ]


def test_a_column_of_the_wrong_type() -> None:
    table = pa.table(
        {
            "start_time": pa.array([[1]]),
            "src_ip": ["10.0.0.1"],
            "dst_ip": ["10.0.0.2"],
            "flows": [1],
        }
    )
    with pytest.raises(InputError, match="start_time"):
        ft.read_flows(table)


@pytest.mark.parametrize(
    ("timespan", "message"),
    [
        (("2024-01-02", "2024-01-01"), "is before its start"),
        (("yesterday", None), "'yesterday' is not a time"),
        (object(), "neither start nor end"),
        ((1, 2), "is not a time"),
    ],
)
def test_a_timespan_that_cannot_be(log: Path, timespan: object, message: str) -> None:
    log.write_text(HEADER + GOOD)
    with pytest.raises(ArgumentError, match=message):
        ft.read_flows(log, timespan=timespan)


def test_a_format_that_is_not_known(log: Path) -> None:
    log.write_text(HEADER + GOOD)
    with pytest.raises(ArgumentError, match="unknown format 'pcap'; did you mean "):
        ft.read_flows(log, format="pcap")


def test_a_source_of_no_known_kind() -> None:
    with pytest.raises(ArgumentError, match="cannot read flows from int"):
        ft.read_flows(42)
    with pytest.raises(FormatError, match="not recognised"):
        ft.read_flows(pa.table({"a": [1]}))


def test_a_parquet_file_of_other_things(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(FormatError, match="not recognised"):
        ft.read_flows(tmp_path / "other.parquet")


def test_hostile_text_stays_text(log: Path) -> None:
    hostile = "<script>alert(1)</script>"
    log.write_text(HEADER + GOOD + GOOD.replace("10.0.0.1", hostile))
    shown = ft.read_flows(log)._repr_html_()
    assert hostile not in shown
    assert "&lt;script&gt;" in shown
