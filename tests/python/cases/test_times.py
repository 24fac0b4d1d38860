"""Times: durations, wrapped clocks, notations and the ends of a timespan."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

import flowtriage as ft
from flowtriage.configuration import FolderSettings, Settings, StoreSettings
from flowtriage.store.raw_flows import RawFlows
from small_logs import argus, canonical, nfdump, zeek

WRAPPED = "11-netflow-end-before-start/nfdump.csv"


def azure(start: str, **more: Any) -> pa.Table:
    row = {
        "FlowStartTime": start,
        "FlowDirection": "O",
        "AllowedOutFlows": "1",
        "SrcIP": "10.20.0.5",
        "DestIP": "1.1.1.1",
    }
    return pa.Table.from_pylist([row | more])


def start_of(flows: ft.Flows) -> dt.datetime | None:
    (start,) = flows.to_arrow()["start_time"].to_pylist()
    assert start is None or isinstance(start, dt.datetime)
    return start


def test_an_end_before_the_start_is_missing_and_counted(cases: Path) -> None:
    flows = ft.read_flows(cases / WRAPPED)
    table = flows.to_arrow()
    assert len(flows) == 3
    assert pc.sum(table["src_bytes"]).as_py() == 1200
    assert [end is None for end in table["end_time"].to_pylist()] == [True, True, False]
    assert flows.report.rows_bad == 0
    assert flows.report.rows_end_before_start == 2
    assert "End before start" in flows.report.facts()
    assert [(t.name, t.stated, t.read) for t in flows.report.totals][:2] == [
        ("flows", 3, 3),
        ("bytes", 1200, 1200),
    ]


def test_no_duration_is_negative(cases: Path) -> None:
    quality = ft.read_flows(cases / WRAPPED).report.quality
    assert quality is not None
    assert quality.max_record_duration == dt.timedelta(0)


def test_a_wrapped_clock_leaves_a_gap_in_the_report_and_a_small_timeline(cases: Path) -> None:
    flows = ft.read_flows(cases / WRAPPED)
    quality = flows.report.quality
    assert quality is not None
    assert quality.gaps == 1
    assert quality.longest_gap is not None
    first, last = quality.longest_gap
    assert (first.date(), last.date()) == (dt.date(2026, 3, 2), dt.date(2026, 4, 20))
    assert "Coverage gaps" in flows.report.facts()
    assert ft.timeline(flows, by="protocol").num_rows < 1000


def test_canonical_flows_have_no_negative_duration() -> None:
    late = pa.array([1772409599000000], pa.timestamp("us", "UTC"))
    flows = ft.read_flows(canonical(end_time=late))
    assert flows.to_arrow()["end_time"].to_pylist() == [None]
    assert flows.report.rows_end_before_start == 1


def test_a_negative_duration_gives_no_end(tmp_path: Path) -> None:
    flows = ft.read_flows(zeek(tmp_path / "conn.log", {"duration": "-4294967.0"}))
    assert flows.to_arrow()["end_time"].to_pylist() == [None]
    assert (flows.report.rows_bad, flows.report.rows_end_before_start) == (0, 1)


def test_starts_far_from_all_others_are_reported(tmp_path: Path) -> None:
    rows = [{"ts": f"177240960{n}.5"} for n in range(10)] + [{"ts": "1.5"}]
    flows = ft.read_flows(zeek(tmp_path / "conn.log", *rows))
    assert len(flows) == 11
    quality = flows.report.quality
    assert quality is not None
    assert quality.time_outliers == 1
    assert "Time outliers" in flows.report.facts()


@pytest.mark.parametrize(
    "duration",
    ["213503982d 08:01:49.551616", "106751991d 04:00:54.775808", "99999999999d 00:00:00"],
)
def test_a_duration_beyond_the_range_is_not_a_short_one(tmp_path: Path, duration: str) -> None:
    flows = ft.read_flows(argus(tmp_path / "argus.csv", {"Dur": duration}))
    assert flows.to_arrow()["end_time"].drop_null().to_pylist() == []
    assert flows.report.rows_bad == 1
    assert flows.report.bad_rows[0].column == "Dur"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8/25/2025 7:06:57.584 PM", (2025, 8, 25, 19, 6, 57, 584000)),
        ("8/25/2025 12:00:00 AM", (2025, 8, 25, 0, 0, 0, 0)),
        ("08/25/2025, 12:30:00.000 PM", (2025, 8, 25, 12, 30, 0, 0)),
        ("2025-08-25T19:06:57.5840000Z", (2025, 8, 25, 19, 6, 57, 584000)),
        ("2025-08-25 21:06:57.584+02:00", (2025, 8, 25, 19, 6, 57, 584000)),
    ],
)
def test_us_and_iso_dates_are_read(text: str, expected: tuple[int, ...]) -> None:
    flows = ft.read_flows(azure(text))
    assert flows.report.bad_rows == []
    assert start_of(flows) == dt.datetime(*expected, tzinfo=dt.UTC)  # type: ignore[arg-type]


def test_a_leap_second_is_the_next_second(tmp_path: Path) -> None:
    flows = ft.read_flows(azure("2016-12-31T23:59:60Z"))
    assert start_of(flows) == dt.datetime(2017, 1, 1, tzinfo=dt.UTC)
    log = nfdump(
        tmp_path / "nf.csv", {"ts": "2016-12-31 23:59:60.000", "te": "2017-01-01 00:00:05"}
    )
    assert start_of(ft.read_flows(log)) == dt.datetime(2017, 1, 1, tzinfo=dt.UTC)


def test_an_ambiguous_date_is_an_error_that_names_the_option() -> None:
    with pytest.raises((ft.FormatError, ft.ArgumentError), match="date_order"):
        ft.read_flows(azure("3/4/2025 10:00:00"))


@pytest.mark.parametrize(("order", "month"), [("mdy", 3), ("dmy", 4)])
def test_every_reader_takes_the_order_of_dates(tmp_path: Path, order: str, month: int) -> None:
    log = tmp_path / "flows.csv"
    log.write_text("start,src_ip,dst_ip\n3/4/2025 10:00:00,10.0.0.1,8.8.8.8\n")
    columns = {"src_ip": "src_ip", "dst_ip": "dst_ip", "start_time": "start"}
    day = dt.date(2025, month, 7 - month)
    options = {"columns": columns, "date_order": order}
    report = ft.flow_report(log, **options)  # type: ignore[arg-type]
    assert report.start == start_of(ft.read_flows(log, **options))  # type: ignore[arg-type]
    raw = RawFlows(tmp_path / "raw")
    assert raw.ingest(log, **options).flows == 1  # type: ignore[arg-type]
    assert raw.days() == [day]
    settings = Settings(
        StoreSettings(url=f"duckdb:///{tmp_path}/flows.duckdb"),
        FolderSettings(tmp_path / "data", tmp_path / "ipynb", tmp_path / "oa"),
    )
    oa = ft.FlowOA(day, [str(log)], settings=settings, **options)  # type: ignore[arg-type]
    assert oa.run(["ingest"]).steps[0].count == 1
    in_memory = pa.csv.read_csv(log)
    flows = ft.FlowOA(day, in_memory, settings=settings, **options)  # type: ignore[arg-type]
    assert flows.run(["ingest"]).steps[0].count == 0


@pytest.mark.parametrize("end", ["2026-03-02", dt.date(2026, 3, 2)])
def test_a_date_as_the_end_includes_that_day(tmp_path: Path, end: str | dt.date) -> None:
    log = zeek(tmp_path / "conn.log", {"ts": "1772452800.0"}, {"ts": "1772496000.0"})
    flows = ft.read_flows(log, timespan=("2026-03-02", end))
    assert (len(flows), flows.report.rows_outside) == (1, 1)


def test_a_time_as_the_end_is_that_time(tmp_path: Path) -> None:
    log = zeek(tmp_path / "conn.log", {"ts": "1772452800.0"}, {"ts": "1772409600.0"})
    flows = ft.read_flows(log, timespan=("2026-03-02", dt.datetime(2026, 3, 2)))
    assert len(flows) == 1
