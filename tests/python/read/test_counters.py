"""Counters of a flow since it began, and counters of one record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft

FIELDS = (
    "ts",
    "uid",
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "id.resp_p",
    "proto",
    "duration",
    "orig_ip_bytes",
    "resp_ip_bytes",
    "conn_state",
)


def zeek(*records: tuple[str, float, int, int, str]) -> str:
    """A `conn.log` of records of start, duration, bytes of both ends and state."""
    lines = ["#separator \\x09", "#unset_field\t-", "#fields\t" + "\t".join(FIELDS)]
    for start, duration, sent, answered, state in records:
        ends = ["C1", "10.0.0.4", "50000", "192.0.2.1", "443", "tcp"]
        lines.append("\t".join([start, *ends, str(duration), str(sent), str(answered), state]))
    return "\n".join(lines) + "\n"


LONG = zeek(
    ("1734718982.000001", 600.0, 1_000, 10, "S1"),
    ("1734718982.000001", 1_200.0, 3_000, 30, "S1"),
    ("1734718999.000000", 1.0, 5, 5, "SF"),
)
FINAL = zeek(("1734718982.000001", 1_500.0, 4_000, 40, "SF"))


def sums(flows: Any) -> tuple[int, int, int]:
    table = pa.table(flows)
    names = ("flows", "src_bytes", "dst_bytes")
    return tuple(sum(filter(None, table[name].to_pylist())) for name in names)  # type: ignore[return-value]


def test_long_connections_of_zeek_are_not_counted_twice(tmp_path: Path) -> None:
    (tmp_path / "conn_long.log").write_text(LONG)
    (tmp_path / "conn.log").write_text(FINAL)
    flows = ft.read_flows(tmp_path)
    assert sums(flows) == (2, 4_005, 45)
    assert (flows.report.rows_read, flows.report.rows_superseded, len(flows)) == (4, 2, 2)
    assert "2 dropped; later records of the same flows contain more" in str(flows.report)
    alone = ft.read_flows(tmp_path / "conn_long.log")
    assert sums(alone) == (2, 3_005, 35)
    report = ft.flow_report(tmp_path)
    assert report.quality is not None
    assert (report.records, report.quality.superseded) == (4, 2)
    assert "2; later records of the same flows contain more" in str(report)


def test_what_is_no_earlier_state_stays(tmp_path: Path) -> None:
    log = tmp_path / "conn.log"
    first = ("1734718982.000001", 600.0, 1_000, 10, "S1")
    for other in (
        first,  # the same row again
        ("1734718982.000002", 900.0, 2_000, 20, "S1"),  # begun later
        ("1734718982.000001", 900.0, 500, 5, "S1"),  # later, but less
    ):
        log.write_text(zeek(first, other))
        flows = ft.read_flows(log)
        assert (len(flows), flows.report.rows_superseded) == (2, 0), other


def test_records_that_were_written_from_others_stay(tmp_path: Path) -> None:
    log, again = tmp_path / "conn_long.log", tmp_path / "again.log"
    log.write_text(LONG)
    ft.write_flows(log, again, format="zeek")
    assert len(ft.read_flows(again)) == 3


AWS = "2 1 eni-1 10.0.0.4 192.0.2.1 50000 443 6 9 {} 1734718982 {} ACCEPT OK\n"


def test_deltas_are_added_up_and_each_source_says_what_it_counts(tmp_path: Path) -> None:
    (tmp_path / "aws.log").write_text(AWS.format(900, 1734719042) + AWS.format(1_800, 1734719102))
    (tmp_path / "conn.log").write_text(FINAL)
    flows = ft.read_flows(tmp_path)
    assert sums(flows) == (3, 6_700, 40)
    assert flows.report.counters == {"aws-vpc": "record", "zeek": "flow"}
    assert "aws-vpc: delta (per record); zeek: cumulative (per flow)" in str(flows.report)
    assert flows.report.to_dict()["counters"] == flows.report.counters


@pytest.mark.parametrize(
    ("bytes_sent", "packets", "full"),
    [
        (2**32 - 1, 9_000_000, True),  # stands at its end
        (1_000, 8_000_000, True),  # began again: 8 million packets have more than 1,000 bytes
        (2**32 + 5, 9_000_000, False),  # wider than 32 bits
        (100, 9, False),  # too few for packets, but never 4 GB
        (900, 9, False),
    ],
)
def test_counters_of_32_bits_that_ran_full_are_told(
    tmp_path: Path, bytes_sent: int, packets: int, full: bool
) -> None:
    log = tmp_path / "flow.csv"
    log.write_text(
        "firstSeen,srcAddr,dstAddr,packets,bytes\n"
        f"2024-12-20 18:23:02,10.0.0.4,192.0.2.1,{packets},{bytes_sent}\n"
    )
    report = ft.read_flows(log).report
    assert report.quality is not None
    assert report.quality.counter_overflows == full
    assert ("32-bit counter overflow" in str(report)) == full


def test_what_is_sampled_is_told(tmp_path: Path) -> None:
    log = tmp_path / "flow.json"
    log.write_text(
        '{"jsonPayload":{"connection":{"src_ip":"10.0.0.4","dest_ip":"10.0.0.5"},'
        '"reporter":"SRC","bytes_sent":"9"}}\n'
    )
    assert "records are sampled: bytes and packets are estimates" in str(ft.read_flows(log).report)
