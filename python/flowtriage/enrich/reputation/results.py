"""Columns of reputation results, and how they are read from a source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.enrich.reputation.severity import parse_severity
from flowtriage.humanize import sanitize

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("Ioc", "IocType", "QuerySubtype", "Provider", "Result", "Severity", "Details"),
    *("RawResult", "Reference", "Status"),
)
"""Columns of msticpy's `TILookup`."""
FOUND = pa.schema(
    [
        ("address", pa.string()),
        ("provider", pa.string()),
        ("known", pa.bool_()),
        ("severity", pa.int8()),
        ("network", pa.string()),
        ("answered", pa.bool_()),
        ("reason", pa.string()),
    ]
)
"""`severity` is a `Severity`, `network` the entry of a block list, `reason` that of a failure."""
_ANSWERED = (0, 4, 404)  # found, no data, and not found where a service reports it by HTTP
_MAX_REASON = 160


def result_table(addresses: pa.Array, **columns: Any) -> pa.Table:
    """Build results in msticpy's columns and `Network`; a scalar fills its column."""
    count = len(addresses)
    usual = {
        "Ioc": addresses,
        "IocType": ioc_types(addresses),
        "QuerySubtype": pa.scalar(None, pa.string()),
        "RawResult": pa.scalar(None, pa.string()),
        "Status": pa.scalar(0, pa.int64()),
    }
    filled = {
        name: values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.repeat(values, count)
        for name, values in (usual | columns).items()
    }
    return pa.table({name: filled[name] for name in (*COLUMNS, "Network")})


def ioc_types(addresses: pa.Array) -> pa.Array:
    """Return msticpy's type of each address, `ipv4` or `ipv6`."""
    return pc.if_else(pc.match_substring(addresses, ":"), "ipv6", "ipv4")


def read_results(raw: pa.Table | pd.DataFrame) -> pa.Table:
    """Read results in msticpy's columns as `FOUND`, row by row."""
    columns = _columns(raw)
    results = [result in (True,) for result in columns["Result"]]
    answered = list(map(_is_answer, columns["Status"], columns["RawResult"], results))
    details = zip(answered, columns["Details"], strict=True)
    return pa.table(
        [
            columns["Ioc"],
            columns["Provider"],
            results,
            [parse_severity(severity) for severity in columns["Severity"]],
            columns["Network"],
            answered,
            [None if known else sanitize(str(text), _MAX_REASON) for known, text in details],
        ],
        schema=FOUND,
    )


def _columns(raw: pa.Table | pd.DataFrame) -> Mapping[str, list[Any]]:
    names = (*COLUMNS, "Network")
    if isinstance(raw, pa.Table):
        return {name: raw[name].to_pylist() for name in names}
    frame = raw.reindex(columns=[*names])
    columns = {name: frame[name].tolist() for name in names}
    return columns | {"Network": [None] * len(frame)}


def _is_answer(status: Any, raw: Any, result: bool) -> bool:
    """Check whether a provider answered; msticpy puts the text of an error into the raw result."""
    error = isinstance(raw, str) and not result and status == 0
    return status in _ANSWERED and not error
