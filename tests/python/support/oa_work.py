"""Settings and questions that tests of Flow OA share."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

import flowtriage as ft
from flowtriage import sample
from flowtriage.configuration import (
    ContextSettings,
    FolderSettings,
    RankingSettings,
    Settings,
    StoreSettings,
)

NIGHT = dt.date(2013, 9, 15)


def settings_in(folder: Path, url: str | None = None, **ranking: Any) -> Settings:
    """A configuration that keeps everything in a folder."""
    folders = [folder / name for name in ("data", "ipynb", "flows")]
    return Settings(
        StoreSettings(url or f"duckdb:///{folder}/flows.duckdb"),
        FolderSettings(*folders),
        RankingSettings(**{"iterations": 3, "topics": 5, **ranking}),
        ContextSettings(None, None, None),
    )


def sample_day() -> tuple[dt.date, pa.Table]:
    """The invented day at an office."""
    flows = sample.office_day()
    return flows["start_time"][0].as_py().date(), flows


def moved(flows: pa.Table, by: dt.timedelta) -> pa.Table:
    """Return flows with later times."""
    shift = pa.scalar(by, pa.duration("us"))
    for name in ("start_time", "end_time"):
        at = flows.column_names.index(name)
        flows = flows.set_column(at, name, pc.add(flows[name], shift))
    return flows


def run_day(settings: Settings, flows: pa.Table) -> Any:
    """Run that day with these flows of it."""
    return ft.FlowOA(sample_day()[0], flows, settings=settings, limit=30).run()


def snapshot(store: Any, day: dt.date | None = None) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, in an order that does not depend on the database."""
    from flowtriage.store import TABLES

    return {
        name: sorted(store.read(name, day=day).to_pylist(), key=lambda row: str(row.values()))
        for name in TABLES
    }
