"""Leaving out what several reporters saw of one flow."""

from __future__ import annotations

import flowtriage as ft
from flow_records import CLIENT, SERVER, record, table


def test_the_reporter_that_saw_most_stays() -> None:
    flows = table(
        record(CLIENT, SERVER, 0, 800, host="eni-1"),
        record(CLIENT, SERVER, 0.5, 900, host="eni-2"),
        record(CLIENT, SERVER, 1.2, 10, host="eni-1"),
        record(CLIENT, SERVER, 100, 5, host="eni-1"),
        record(CLIENT, SERVER, 0.5, 5, host="eni-3", flows=0, denied_flows=1),
    )
    once = ft.read_flows(flows, deduplicate=True)
    assert sorted(once.to_arrow()["src_bytes"].to_pylist()) == [5, 5, 900]
    assert once.report.rows_duplicate == 2
    assert len(ft.read_flows(flows)) == 5


def test_of_equal_reporters_the_first_stays() -> None:
    flows = table(
        record(CLIENT, SERVER, 0, 9, host="DEST"), record(CLIENT, SERVER, 0, 9, host="SRC")
    )
    once = ft.read_flows(flows, deduplicate=True).to_arrow()
    assert once["host"].to_pylist() == ["DEST"]
