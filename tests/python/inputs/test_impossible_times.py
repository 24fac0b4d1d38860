"""Times beyond the years 1 to 9999, as damaged files and foreign stores have them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from flowtriage.enrich.asn import _built
from flowtriage.inputs.timespan import impossible_time
from flowtriage.quality import ReadReport
from flowtriage.store.raw_flows import RawFlows
from small_logs import canonical

FAR = 400_000_000_000_000_000
"""Microseconds since 1970 of a time in the year 14645."""


@pytest.mark.parametrize("value", [FAR, -FAR, (1 << 63) - 1])
@pytest.mark.parametrize("kind", [pa.timestamp("us", "UTC"), pa.timestamp("us")])
def test_they_are_found(value: int, kind: pa.DataType) -> None:
    table = pa.table({"day": pa.array([0, None], pa.date32()), "at": pa.array([None, value], kind)})
    assert impossible_time(table) == "at"
    assert impossible_time(table.slice(0, 1)) is None


@pytest.mark.parametrize("kind", [pa.timestamp("s"), pa.timestamp("ms", "UTC"), pa.date32()])
def test_in_every_unit(kind: pa.DataType) -> None:
    value = (1 << 31) - 1 if kind == pa.date32() else (1 << 62)
    assert impossible_time(pa.table({"at": pa.array([value], kind)})) == "at"
    assert impossible_time(pa.table({"at": pa.array([1000], kind)})) is None


def test_nanoseconds_are_possible() -> None:
    at = pa.array([-(1 << 62) + 1, (1 << 62) + 1], pa.timestamp("ns", "UTC"))
    assert impossible_time(pa.table({"at": at})) is None


@pytest.mark.parametrize("epoch", [-(1 << 63), 1 << 60, 1 << 63, 10**12])
def test_the_build_time_of_a_database(epoch: int) -> None:
    with pytest.raises(ft.DatabaseError, match=r"asn\.mmdb: the database is damaged"):
        _built("asn.mmdb", epoch)


@pytest.mark.parametrize("name", ["start_time", "end_time"])
def test_flows_of_other_producers(name: str) -> None:
    time = pa.array([FAR], pa.timestamp("us", "UTC"))
    table = canonical(1).append_column("end_time", pa.nulls(1, time.type))
    table = table.set_column(table.column_names.index(name), name, time)
    report = ft.read_flows(table).report
    assert report.rows_bad == 1
    with pytest.raises(ft.InputError, match=name):
        ReadReport().describe(
            ft.read_flows(canonical(1)).to_arrow().drop_columns([name]).append_column(name, time)
        )
    with pytest.raises(ft.InputError, match=f'column "{name}".* is not a time of the years 1'):
        ft.timeline(table, by="dest")


@pytest.mark.extra
def test_a_damaged_file_of_raw_flows(tmp_path: Path) -> None:
    raw = RawFlows(tmp_path)
    log = tmp_path / "log.parquet"
    pq.write_table(canonical(1), log)
    raw.ingest(log)
    day = raw.days()[0]
    [path] = tmp_path.glob("y=*/**/*.parquet")
    table = pq.read_table(path)
    at = table.column_names.index("end_time")
    far = pa.array([FAR], table.schema.field("end_time").type)
    pq.write_table(table.set_column(at, "end_time", far), path)
    with pytest.raises(ft.FormatError, match="end_time"):
        raw.read(day)


@pytest.mark.extra
def test_a_day_that_another_program_stored(tmp_path: Path) -> None:
    store = ft.FlowStore(f"duckdb:///{tmp_path}/flows.duckdb")
    with store.transaction() as change:
        change.execute("INSERT INTO flow_chords (day, ip_threat) VALUES (DATE 'infinity', 'x')")
        change.execute("INSERT INTO flow_run VALUES (DATE 'infinity', 'x', now())")
    with pytest.raises(ft.StoreError, match="table flow_chords, column day"):
        store.read("flow_chords")
    with pytest.raises(ft.StoreError, match="table flow_run, column day"):
        store.days()
