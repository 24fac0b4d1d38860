"""Parquet files are searched for hosts by row group; the flows are those of reading them whole."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowtriage as ft

ROWS = 1_000
GROUP = 100
HOST = "10.0.0.7"


def table() -> pa.Table:
    """Make flows of many hosts, of which those of `HOST` are in few row groups."""
    sources = [f"10.0.{row // 250}.{row % 250 + 1}" for row in range(ROWS)]
    dests = ["192.0.2.1"] * ROWS
    for row in (6, 206, 207, 790):
        sources[row] = HOST
    dests[410], dests[411] = f"::ffff:{HOST}", f" {HOST}"
    sources[620] = "not an address"
    ports = [443] * ROWS
    ports[207] = 70_000
    return pa.table(
        {
            "start_time": pa.array(range(ROWS), pa.timestamp("us", "UTC")),
            "src_ip": sources,
            "dst_ip": dests,
            "dst_port": ports,
            "flows": [1] * ROWS,
            "state": [f"S{row % 3}" for row in range(ROWS)],
        }
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "flows.parquet"
    pq.write_table(table(), path, row_group_size=GROUP)
    return path


def test_the_flows_of_a_host_are_found_in_any_notation(path: Path) -> None:
    found = ft.read_flows(path, hosts=[HOST])
    expected = ft.read_flows(table(), hosts=[HOST])
    assert found.to_arrow().equals(expected.to_arrow())
    assert found.to_arrow()["start_time"].cast(pa.int64()).to_pylist() == [6, 206, 410, 411, 790]
    counts = [
        (r.rows_read, r.rows_bad, r.rows_of_other_hosts, [row.number for row in r.bad_rows])
        for r in (found.report, expected.report)
    ]
    assert counts == [(ROWS, 2, ROWS - 7, [207, 620])] * 2


def test_a_host_that_no_row_group_has(path: Path) -> None:
    found = ft.read_flows(path, hosts=["198.51.100.1"])
    assert (len(found), found.report.rows_read) == (0, ROWS)
    assert found.report.format == "canonical"
    assert found.report.rows_of_other_hosts + found.report.rows_bad == ROWS
