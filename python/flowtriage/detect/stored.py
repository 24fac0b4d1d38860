"""Findings as rows of a store, and back."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.detect.findings import FINDINGS, STATUS, with_status
from flowtriage.detect.thresholds import DETECTORS
from flowtriage.errors import StoreError

_NESTED = ("evidence", "context")
_TIMES = ("first_seen", "last_seen")


def as_rows(findings: pa.Table) -> pa.Table:
    """Return findings as rows of `flow_findings`: lists are JSON, times text in UTC."""
    rank = pa.array(range(findings.num_rows), pa.int32())
    columns = {name: findings[name] for name in FINDINGS.names}
    for name in _NESTED:
        columns[name] = pa.array(map(json.dumps, findings[name].to_pylist()), pa.string())
    for name in _TIMES:
        columns[name] = findings[name].cast(pa.timestamp("us")).cast(pa.string())
    return pa.table({"rank": rank, **columns})


def as_findings(rows: pa.Table, detectors: pa.Table) -> pa.Table:
    """Return rows of `flow_findings` and `flow_detectors` as the result of `hunt`.

    Raises
    ------
    StoreError
        If another program stored values that do not fit.
    """
    try:
        return with_status(_parsed(rows.sort_by("rank")), _in_order(detectors))
    except (ValueError, TypeError) as error:
        raise StoreError(f"table flow_findings has values that do not fit: {error}") from None


def _parsed(rows: pa.Table) -> pa.Table:
    columns = {name: rows[name] for name in FINDINGS.names}
    for name in _NESTED:
        parsed = map(json.loads, rows[name].to_pylist())
        columns[name] = pa.array(parsed, FINDINGS.field(name).type)
    for name in _TIMES:
        columns[name] = pc.assume_timezone(rows[name].cast(pa.timestamp("us")), "UTC")
    return pa.table(columns).cast(FINDINGS)


def _in_order(detectors: pa.Table) -> pa.Table:
    order = pc.index_in(detectors["detector"], value_set=pa.array(DETECTORS, pa.string()))
    return detectors.select(STATUS.names).take(pc.sort_indices(order))
