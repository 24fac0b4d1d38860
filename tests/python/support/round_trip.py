"""Flows read back from a written file, and their rows to compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

import flowtriage as ft
from flowtriage import sample

PAYLOAD = ("src_payload_bytes", "dst_payload_bytes")
NAMES = [*pa.schema(ft.read_flows(sample.office_day()).to_arrow().schema).names[:18], *PAYLOAD]


def rows(flows: Any) -> list[tuple[Any, ...]]:
    """The flows in an order of their own, absent columns as nulls."""
    table = flows.to_arrow() if isinstance(flows, ft.Flows) else flows
    columns = [
        table[n].to_pylist() if n in table.column_names else [None] * len(table) for n in NAMES
    ]
    return sorted(zip(*columns, strict=True), key=repr)


def read_back(path: Path, format: str) -> ft.Flows:
    flows = ft.read_flows(path)
    assert flows.report.format == ("canonical" if format == "parquet" else format)
    assert flows.report.rows_bad == 0, flows.report
    return flows
