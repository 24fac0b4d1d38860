"""The report as a gate: what it says of the rows, the same in all its forms."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

import flowtriage as ft
from flowtriage.flows import SCHEMA

START = datetime(2024, 12, 20, 18, tzinfo=UTC)


def flows(*rows: dict[str, Any]) -> ft.Flows:
    base = {"src_ip": "10.0.0.4", "dst_ip": "192.0.2.1", "flows": 1, "start_time": START}
    return ft.read_flows(pa.Table.from_pylist([base | row for row in rows], schema=SCHEMA))


def test_gaps_are_longer_than_two_records_and_five_minutes() -> None:
    def at(*minutes: float) -> list[dict[str, Any]]:
        return [{"start_time": START + timedelta(minutes=m)} for m in minutes]

    quality = flows(*at(0, 30, 4, 5, 26)).report.quality
    assert quality is not None
    assert quality.gaps == 1
    assert quality.longest_gap == (START + timedelta(minutes=5), START + timedelta(minutes=26))
    long = {"end_time": START + timedelta(minutes=11)}
    quality = flows(*at(4, 5, 26), long).report.quality
    assert quality is not None
    assert (quality.gaps, quality.longest_record) == (0, timedelta(minutes=11))


def test_nulls_repeats_and_one_way_rows_are_counted() -> None:
    row = {"src_bytes": 5, "dst_bytes": 0, "protocol": "tcp"}
    both = {"src_bytes": 5, "dst_bytes": 7}
    quality = flows(row, row, both, {"start_time": None}).report.quality
    assert quality is not None
    assert (quality.repeats, quality.one_way) == (1, 2)
    assert quality.nulls["start_time"] == 1
    assert quality.nulls["src_bytes"] == 1
    assert quality.nulls["protocol"] == 2
    assert "service" in quality.empty
    assert "src_bytes" not in quality.empty


def test_the_report_says_the_same_as_text_html_and_dictionary() -> None:
    read = flows({"src_bytes": 5}, {"src_bytes": 5})
    told = read.report.to_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["quality"]["repeats"] == 1
    for shown in (str(read.report), read._repr_html_()):
        assert "Repeated rows" in shown
        assert "service" in shown
    empty = ft.read_flows(SCHEMA.empty_table()).report
    assert empty.to_dict()["quality"]["empty"] == []
    assert "Rows read" in str(empty)


def test_limits_of_a_format_are_told_and_hostile_text_is_escaped() -> None:
    record = {
        "interface-id": "<b>eni</b>",
        "srcaddr": "10.0.0.4",
        "dstaddr": "192.0.2.1",
        "log-status": "<script>",
    }
    report = ft.read_flows(pa.Table.from_pylist([record, record | {"log-status": "OK"}])).report
    assert "stitch=True joins them" in str(report)
    assert report.skipped == {"log-status <script>": 1}
    assert "&lt;script&gt;" in report._repr_html_()
    assert "<script>" not in report._repr_html_()
