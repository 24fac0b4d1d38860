"""Regular calls, and the findings about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import flowtriage as ft
import random_flows

START = datetime(2026, 3, 2, microsecond=250_000, tzinfo=UTC)


def calls(
    count: int, seconds: float, start: datetime = START, **given: Any
) -> list[dict[str, Any]]:
    """Return flows at regular times."""
    times = [start + timedelta(seconds=seconds * call) for call in range(count)]
    row = {"src_ip": "10.0.0.1", "dst_ip": "192.0.2.1", "dst_port": 443, "protocol": "tcp",
           "state": "SF", "src_bytes": 900, "dst_bytes": 400, "flows": 1}  # fmt: skip
    return [{**row, "start_time": time, "end_time": time, **given} for time in times]


def of(rows: list[dict[str, Any]], **given: Any) -> list[dict[str, Any]]:
    """Return the findings about flows."""
    return ft.hunt(random_flows.table(rows), **given).to_pylist()
