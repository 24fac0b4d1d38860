"""Options of a run about the times in its data."""

from __future__ import annotations

from pathlib import Path

import pytest

import flowtriage as ft

pytestmark = pytest.mark.extra

HEAD = (
    "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,"
    "SrcBytes,Label"
)
HOST = "10.0.0.1"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    row = f"8/5/2025 10:00:00,1,tcp,{HOST},1577,->,8.8.8.8,443,S_RA,0,0,4,276,156,x"
    path.write_text(f"{HEAD}\n{row}\n")
    return path


def start(data: object, **times: str) -> str:
    nb = ft.NetworkFlowSummary(silent=True)
    result = nb.run(HOST, data=data, options=["flow_summary"], **times)  # type: ignore[arg-type]
    assert result.report.records == 1
    return f"{result.report.start:%Y-%m-%d %H:%M}"


def test_the_order_and_the_zone_of_dates_are_options_of_a_run(log: Path) -> None:
    assert start(log, date_order="mdy") == "2025-08-05 10:00"
    assert start(log, date_order="dmy") == "2025-05-08 10:00"
    assert start([log], date_order="mdy", tz="Europe/Prague") == "2025-08-05 08:00"


def test_the_order_of_dates_in_a_frame(log: Path) -> None:
    pandas = pytest.importorskip("pandas")
    assert start(pandas.read_csv(log), date_order="dmy", tz="+01:00") == "2025-05-08 09:00"


def test_ambiguous_dates_and_wrong_options_are_explained(log: Path) -> None:
    with pytest.raises(ft.ArgumentError, match="is an ambiguous date.*date_order"):
        start(log)
    with pytest.raises(ft.ArgumentError, match="date_order"):
        start(log, date_order="ymd")
    with pytest.raises(ft.ArgumentError, match="tz and date_order are about times in data"):
        start(None, date_order="mdy")
