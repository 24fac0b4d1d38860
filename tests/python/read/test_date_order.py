"""The order of day and month in dates with the year last."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.read import record_batches

HEADER = "FlowStartTime,FlowEndTime,SrcIp,DestIp,FlowDirection,AllowedOutFlows,AclRule"


def log(path: Path, *starts: str, end: str = "") -> Path:
    rows = [f'"{start}","{end}",10.0.0.1,8.8.8.8,Outbound,1,r' for start in starts]
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def table(*starts: str) -> pa.Table:
    row = {
        "FlowDirection": "O",
        "AllowedOutFlows": "1",
        "SrcIP": "10.20.0.5",
        "DestIP": "1.1.1.1",
    }
    return pa.Table.from_pylist([row | {"FlowStartTime": start} for start in starts])


def days(flows: ft.Flows) -> list[str]:
    return [start.date().isoformat() for start in flows.to_arrow()["start_time"].to_pylist()]


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        (["8/25/2025 7:06:57 PM", "8/5/2025 7:06:57 AM"], ["2025-08-25", "2025-08-05"]),
        (["8/5/2025 7:06 AM", "8/25/2025 7:06 PM"], ["2025-08-05", "2025-08-25"]),
        (["5/8/2025 7:06", "5/5/2025 1:00", "25/8/2025 7:06"], ["2025-08-05", "2025-05-05"]),
    ],
)
def test_one_date_decides_for_the_whole_log(
    tmp_path: Path, starts: list[str], expected: list[str]
) -> None:
    for source in (log(tmp_path / "nta.csv", *starts), table(*starts)):
        flows = ft.read_flows(source)
        assert days(flows)[: len(expected)] == expected
        assert (len(flows), flows.report.rows_bad) == (len(starts), 0)
        assert ft.flow_report(source).rows_read == len(starts)


def test_the_end_of_a_flow_decides_too(tmp_path: Path) -> None:
    flows = ft.read_flows(log(tmp_path / "nta.csv", "8/5/2025 7:06", end="8/25/2025 7:06"))
    assert days(flows) == ["2025-08-05"]


def test_dates_that_contradict_each_other_are_an_error_with_both(tmp_path: Path) -> None:
    path = log(tmp_path / "nta.csv", "8/25/2025 7:06", "25/8/2025 7:07")
    with pytest.raises(ft.ArgumentError) as error:
        ft.read_flows(path)
    for part in (
        f"{path}, line 2, column FlowStartTime: '8/25/2025 7:06'",
        f"{path}, line 3, column FlowStartTime: '25/8/2025 7:07'",
        "month first",
        "day first",
        "date_order=",
    ):
        assert part in str(error.value)
    flows = ft.read_flows(path, date_order="mdy")
    assert (days(flows), flows.report.rows_bad) == (["2025-08-25"], 1)


def test_an_ambiguous_log_is_an_error_with_file_line_and_both_options(tmp_path: Path) -> None:
    path = log(tmp_path / "nta.csv", "5/5/2025 7:06", "8/5/2025 7:06")
    with pytest.raises(ft.ArgumentError) as error:
        ft.read_flows(path)
    for part in (
        f"{path}, line 3, column FlowStartTime: '8/5/2025 7:06'",
        'read_flows(…, date_order="mdy")',
        "--date-order",
    ):
        assert part in str(error.value)
    with pytest.raises(ft.ArgumentError, match="row 1, column FlowStartTime: '3/4/2025 10:00'"):
        ft.read_flows(table("3/3/2025 10:00", "3/4/2025 10:00"))
    with pytest.raises(ft.ArgumentError, match="read_flows"):
        ft.NetworkFlowSummary(silent=True).run("10.0.0.1", data=path)
    read = ft.read_flows(path, date_order="dmy")
    assert days(read)[1] == dt.date(2025, 5, 8).isoformat()


def test_parts_of_a_table_wait_for_the_date_that_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_batches, "_MIN_ROWS", 2)
    starts = [f"8/{day}/2025 7:06" for day in (1, 2, 3, 4, 5, 6, 25, 7)]
    batches = table(*starts).to_batches(max_chunksize=2)
    flows = ft.read_flows(pa.Table.from_batches(batches), keep=["FlowStartTime"])
    assert [start.day for start in flows.to_arrow()["start_time"].to_pylist()] == [
        *(1, 2, 3, 4, 5, 6, 25, 7)
    ]
    assert flows.to_arrow()["FlowStartTime"].to_pylist() == starts
    assert (flows.report.rows_read, flows.report.rows_bad) == (8, 0)
    late = pa.Table.from_batches([*batches, *table("26/8/2025 7:06").to_batches()])
    with pytest.raises(ft.ArgumentError, match=r"row 6, .*8/25/2025.* row 8, .*26/8/2025"):
        ft.read_flows(late)
    monkeypatch.setattr("flowtriage.read.date_order.MAX_WAITING", 2)
    with pytest.raises(ft.ArgumentError, match="ambiguous"):
        ft.read_flows(pa.Table.from_batches(batches))
