"""Sources that give the total of a flow to both endpoints."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.quality import notices
from small_logs import canonical

LABEL = "Equal counters on both sides"


def flows(equal: int, other: int = 0, **columns: Any) -> pa.Table:
    rows = equal + other
    sent = [1000 + n for n in range(rows)]
    made = {
        "src_bytes": sent,
        "dst_bytes": sent[:equal] + [n + 1 for n in sent[equal:]],
        "src_packets": [5] * rows,
        "dst_packets": [5] * rows,
        "protocol": ["tcp"] * rows,
    }
    kinds = dict.fromkeys(("src_bytes", "dst_bytes", "src_packets", "dst_packets"), pa.int64())
    return canonical(
        rows, **{name: pa.array(made[name], kinds.get(name)) for name in made} | columns
    )


@pytest.mark.parametrize(("equal", "other"), [(20, 0), (95, 5), (1000, 50)])
def test_equal_counters_are_a_notice_and_stay(equal: int, other: int) -> None:
    table = flows(equal, other)
    read = ft.read_flows(table)
    found = notices(read.report)
    assert found[LABEL].startswith(f"{equal:,} of {equal + other:,} rows with bytes: ")
    assert notices(ft.flow_report(table))[LABEL] == found[LABEL]
    for name in ("src_bytes", "dst_bytes", "src_packets", "dst_packets"):
        assert read.to_arrow()[name].to_pylist() == table[name].to_pylist()
    assert read.report.to_dict()["quality"]["equal_sides"] == equal


@pytest.mark.parametrize(
    "table",
    [
        flows(19),
        flows(90, 10),
        flows(30, dst_packets=pa.array([6] * 30)),
        flows(30, protocol=["icmp"] * 30),
        flows(30, src_bytes=pa.array([0] * 30), dst_bytes=pa.array([0] * 30)),
        flows(30, dst_bytes=pa.nulls(30, pa.int64())),
    ],
    ids=["few", "a tenth differs", "packets differ", "icmp", "no bytes", "one side"],
)
def test_usual_logs_have_no_such_notice(table: pa.Table) -> None:
    assert LABEL not in notices(ft.read_flows(table).report)


def test_packets_may_be_unknown() -> None:
    nulls = pa.nulls(25, pa.int64())
    table = flows(25, src_packets=nulls, dst_packets=nulls)
    assert LABEL in notices(ft.read_flows(table).report)


def test_rows_without_bytes_do_not_count() -> None:
    idle = flows(30, src_bytes=pa.array([0] * 30), dst_bytes=pa.array([0] * 30))
    both = pa.concat_tables([flows(25), idle])
    assert notices(ft.read_flows(both).report)[LABEL].startswith("25 of 25 rows")
