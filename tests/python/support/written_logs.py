"""Logs that a test writes by hand: their time, and how they are read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flowtriage as ft

AT = datetime(2024, 12, 20, 18, 23, 2, tzinfo=UTC)
EPOCH = 1_734_718_982


def rows(flows: ft.Flows, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in flows.to_arrow().to_pylist()]


def read(log: Path, text: str, format: str, **options: Any) -> ft.Flows:
    """Read a text, and check that its format was told."""
    log.write_text(text)
    flows = ft.read_flows(log, **options)
    assert flows.report.format == format
    return flows
