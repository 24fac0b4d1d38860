"""The order of day and month over all logs of one call."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage.quality import QualityWarning
from flowtriage.store.raw_flows import RawFlows

HEADER = "FlowStartTime,SrcIp,DestIp,FlowDirection,AllowedOutFlows,AclRule"
DAY_FIRST, MONTH_FIRST, AMBIGUOUS = "25/8/2025 7:06", "8/25/2025 7:06", "3/4/2025 7:06"


def log(path: Path, *starts: str) -> Path:
    rows = [f'"{start}",10.0.0.1,8.8.8.8,Outbound,1,r' for start in starts]
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def table(*starts: str) -> pa.Table:
    row = {"SrcIp": "10.0.0.1", "DestIp": "8.8.8.8", "FlowDirection": "Outbound"}
    row |= {"AllowedOutFlows": "1", "AclRule": "r"}
    return pa.Table.from_pylist([row | {"FlowStartTime": start} for start in starts])


def days(flows: ft.Flows) -> list[str]:
    return [start.date().isoformat() for start in flows.to_arrow()["start_time"].to_pylist()]


@pytest.mark.parametrize("proof_first", [True, False])
@pytest.mark.parametrize(
    ("shown", "expected", "proof"),
    [(DAY_FIRST, "2025-04-03", "day first"), (MONTH_FIRST, "2025-03-04", "month first")],
)
def test_an_ambiguous_file_follows_the_others(
    tmp_path: Path, shown: str, expected: str, proof: str, *, proof_first: bool
) -> None:
    names = ["a.csv", "b.csv"] if proof_first else ["b.csv", "a.csv"]
    showing = log(tmp_path / names[0], shown)
    following = log(tmp_path / names[1], AMBIGUOUS)
    in_order = ["2025-08-25", expected] if proof_first else [expected, "2025-08-25"]
    for source in (tmp_path, str(tmp_path / "*.csv"), sorted([showing, following])):
        flows = ft.read_flows(source)
        assert days(flows) == in_order
        assert (len(flows), flows.report.rows_read, flows.report.rows_bad) == (2, 2, 0)
        assert flows.report.sources == [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
        fact = flows.report.facts()["Order of dates"]
        assert f"{following}: {proof} (as in {showing})" in fact
        assert f"{showing}: {proof}" in fact
        assert ft.flow_report(source).start == flows.report.start
        with pytest.warns(QualityWarning, match="Order of dates"):
            index = ft.flow_index(source)
        assert index["TotalAllowedFlows"].to_pylist() == [2]


def test_files_with_different_orders_follow_their_own(tmp_path: Path) -> None:
    log(tmp_path / "a.csv", AMBIGUOUS, DAY_FIRST)
    log(tmp_path / "b.csv", AMBIGUOUS, MONTH_FIRST)
    flows = ft.read_flows(tmp_path)
    assert days(flows) == ["2025-04-03", "2025-08-25", "2025-03-04", "2025-08-25"]
    fact = flows.report.facts()["Order of dates"]
    assert fact == f"{tmp_path}/a.csv: day first, {tmp_path}/b.csv: month first"
    assert flows.report.to_dict()["date_orders"] == [
        [f"{tmp_path}/a.csv", "day first"],
        [f"{tmp_path}/b.csv", "month first"],
    ]
    log(tmp_path / "c.csv", AMBIGUOUS)
    with pytest.raises(ft.ArgumentError) as error:
        ft.read_flows(tmp_path)
    for part in ("c.csv, line 2", "a.csv, line 3", "b.csv, line 3", "both orders", "--date-order"):
        assert part in str(error.value)


def test_files_that_are_all_ambiguous_are_an_error_that_names_the_option(tmp_path: Path) -> None:
    log(tmp_path / "a.csv", AMBIGUOUS)
    log(tmp_path / "b.csv", AMBIGUOUS, "3/5/2025 7:06")
    with pytest.raises(ft.ArgumentError, match=r"a\.csv, line 2.*date_order="):
        ft.read_flows(tmp_path)
    assert days(ft.read_flows(tmp_path, date_order="dmy"))[0] == "2025-04-03"


def test_one_order_needs_no_word(tmp_path: Path) -> None:
    log(tmp_path / "a.csv", DAY_FIRST)
    log(tmp_path / "b.csv", AMBIGUOUS, DAY_FIRST)
    assert "Order of dates" not in ft.read_flows(tmp_path).report.facts()


def test_damaged_and_foreign_files_do_not_matter_to_the_look_ahead(tmp_path: Path) -> None:
    log(tmp_path / "a.csv", AMBIGUOUS)
    (tmp_path / "b.txt").write_text("nothing of interest\n", encoding="utf-8")
    (tmp_path / "c.parquet").write_bytes(b"PAR1 damaged")
    log(tmp_path / "d.csv", DAY_FIRST)
    flows = ft.read_flows(tmp_path)
    assert days(flows) == ["2025-04-03", "2025-08-25"]
    assert [Path(name).name for name in flows.report.skipped_files] == ["b.txt", "c.parquet"]


def test_tables_and_rows_of_a_list_follow_each_other() -> None:
    ambiguous, shown = table(AMBIGUOUS), table(DAY_FIRST)
    for other in (shown, shown.to_pandas(), shown.to_pylist()):
        assert days(ft.read_flows([ambiguous, other])) == ["2025-04-03", "2025-08-25"]
    # A stream can be read once only.
    assert days(ft.read_flows([shown.to_reader(), ambiguous])) == ["2025-08-25", "2025-04-03"]
    with pytest.raises(ft.ArgumentError, match="ambiguous"):
        ft.read_flows([ambiguous, shown.to_reader()])


def test_a_log_longer_than_what_waits_follows_and_must_not_contradict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowtriage.read.record_batches._MIN_ROWS", 1)
    monkeypatch.setattr("flowtriage.read.date_order.MAX_WAITING", 2)
    long = pa.Table.from_batches(table(*[AMBIGUOUS] * 6).to_batches(max_chunksize=1))
    shown = log(tmp_path / "b.csv", DAY_FIRST)
    assert days(ft.read_flows([long, shown]))[:6] == ["2025-04-03"] * 6
    late = pa.concat_tables([long, table(MONTH_FIRST)])
    with pytest.raises(ft.ArgumentError, match=r"b\.csv, line 2.*day first.*row 6.*month first"):
        ft.read_flows([late, shown])


def test_the_raw_flows_of_flow_oa_do_the_same(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    log(logs / "a.csv", AMBIGUOUS)
    log(logs / "b.csv", DAY_FIRST)
    raw = RawFlows(tmp_path / "raw")
    ingested = raw.ingest(logs)
    assert raw.days() == [date(2025, 4, 3), date(2025, 8, 25)]
    assert ingested.reports[0].date_orders == [
        (str(logs / "a.csv"), f"day first (as in {logs}/b.csv)")
    ]
    stored = raw.report(date(2025, 4, 3), date(2025, 8, 25))
    assert "as in" in stored.facts()["Order of dates"]
