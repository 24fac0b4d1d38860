"""The order of day and month where only the flows of some hosts are read."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

import flowtriage as ft

HEADER = (
    "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes"
)
MINE, OTHER = "10.0.0.1", "10.0.0.2"


def log(path: Path, *rows: tuple[str, str]) -> Path:
    lines = [
        f"{date} 10:00:00,1,tcp,{ip},1577,->,8.8.8.8,443,S_RA,0,0,4,276,156" for date, ip in rows
    ]
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def table(*rows: tuple[str, str]) -> pa.Table:
    row = {"FlowDirection": "O", "AllowedOutFlows": "1", "DestIP": "8.8.8.8"}
    return pa.Table.from_pylist(
        [row | {"FlowStartTime": f"{date} 7:06", "SrcIP": ip} for date, ip in rows]
    )


def days(flows: ft.Flows) -> list[str]:
    return [start.date().isoformat() for start in flows.to_arrow()["start_time"].to_pylist()]


SHOWN_BY_OTHER = [("8/5/2025", MINE), ("8/25/2025", OTHER)]
CONTRADICTED = [("25/8/2025", MINE), ("8/26/2025", OTHER)]
AMBIGUOUS = [("8/8/2025", OTHER), ("8/5/2025", MINE)]


@pytest.mark.parametrize("rows", [SHOWN_BY_OTHER, SHOWN_BY_OTHER[::-1]])
def test_a_date_of_another_host_shows_the_order(
    tmp_path: Path, rows: list[tuple[str, str]]
) -> None:
    for source in (log(tmp_path / "a.csv", *rows), table(*rows)):
        flows = ft.read_flows(source, hosts=MINE)
        assert days(flows) == ["2025-08-05"]
        assert (flows.report.rows_read, flows.report.rows_of_other_hosts) == (2, 1)


@pytest.mark.parametrize("hosts", [None, MINE, OTHER, "10.0.0.9"])
def test_dates_of_other_hosts_contradict(tmp_path: Path, hosts: str | None) -> None:
    path = log(tmp_path / "b.csv", *CONTRADICTED)
    with pytest.raises(ft.ArgumentError) as error:
        ft.read_flows(path, hosts=hosts)
    assert "b.csv, line 2" in str(error.value)
    assert "b.csv, line 3" in str(error.value)
    with pytest.raises(ft.ArgumentError, match=r"row 1, .*8/26/2025.*, but .*row 0, .*25/8/2025"):
        ft.read_flows(table(*CONTRADICTED), hosts=hosts)


@pytest.mark.parametrize("hosts", [None, MINE])
def test_an_ambiguous_date_has_its_line(tmp_path: Path, hosts: str | None) -> None:
    with pytest.raises(ft.ArgumentError, match=r"a\.csv, line 3, column StartTime: '8/5/2025"):
        ft.read_flows(log(tmp_path / "a.csv", *AMBIGUOUS), hosts=hosts)
    with pytest.raises(ft.ArgumentError, match="row 1, column FlowStartTime: '8/5/2025"):
        ft.read_flows(table(*AMBIGUOUS), hosts=hosts)
    assert days(ft.read_flows(table(*AMBIGUOUS), hosts=MINE, date_order="dmy")) == ["2025-05-08"]


def test_a_late_date_of_another_host_decides_in_a_log_of_many_parts(tmp_path: Path) -> None:
    rows = [("8/5/2025", MINE), *[("8/6/2025", OTHER)] * 30_000, ("8/25/2025", OTHER)]
    flows = ft.read_flows(log(tmp_path / "a.csv", *rows), hosts=MINE)
    assert days(flows) == ["2025-08-05"]
    assert flows.report.rows_of_other_hosts == 30_001
    early = [*[("2025/08/06", OTHER)] * 100, ("8/5/2025", MINE)]
    with pytest.raises(ft.ArgumentError, match=r"a\.csv, line 102, "):
        ft.read_flows(log(tmp_path / "a.csv", *early), hosts=MINE)


def test_json_lines_have_the_order_of_the_whole_log(tmp_path: Path) -> None:
    path = tmp_path / "nta.json"
    rows = table(*SHOWN_BY_OTHER).to_pylist()
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    flows = ft.read_flows(path, hosts=MINE)
    assert days(flows) == ["2025-08-05"]
    assert flows.report.rows_of_other_hosts == 1
