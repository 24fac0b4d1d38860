"""The table of findings, and what is stated about the detectors in its metadata."""

from __future__ import annotations

import json

import pyarrow as pa

from flowtriage.errors import ArgumentError

_EVIDENCE = pa.struct([("name", pa.string()), ("value", pa.float64()), ("threshold", pa.float64())])
_TIME = pa.timestamp("us", "UTC")
FINDINGS = pa.schema(
    [
        *((name, pa.string()) for name in ("finding", "detector", "severity")),
        ("score", pa.float64()),
        *((name, pa.string()) for name in ("source", "dest")),
        ("dst_port", pa.uint16()),
        *((name, pa.string()) for name in ("protocol", "as_name", "country")),
        *((name, _TIME) for name in ("first_seen", "last_seen")),
        *((name, pa.int64()) for name in ("flows", "bytes_out", "bytes_in")),
        ("summary", pa.string()),
        ("evidence", pa.list_(_EVIDENCE)),
        ("technique", pa.string()),
        ("context", pa.list_(pa.string())),
        ("flows_filter", pa.string()),
    ]
)
"""Columns of findings."""
STATUS = pa.schema([("detector", pa.string()), ("ran", pa.bool_()), ("reason", pa.string())])
"""Columns of what each detector did."""
_KEY = b"flowtriage.detectors"


def with_status(table: pa.Table, status: pa.Table) -> pa.Table:
    """Return a table with what each detector did in its metadata, as JSON."""
    return table.replace_schema_metadata({_KEY: json.dumps(status.to_pylist())})


def detector_status(findings: pa.Table) -> pa.Table:
    """Return what each detector did.

    Parameters
    ----------
    findings
        Result of `hunt` or of a detector.

    Returns
    -------
    pyarrow.Table
        Columns `detector`, `ran`, and `reason`, why the source of the flows did not allow it.

    Raises
    ------
    ArgumentError
        If the table has no such metadata.

    Examples
    --------
    >>> from flowtriage import hunt, sample
    >>> detector_status(hunt(sample.office_day(), detectors="beacons")).to_pylist()
    [{'detector': 'beacons', 'ran': True, 'reason': None}]
    """
    stored = (findings.schema.metadata or {}).get(_KEY)
    if stored is None:
        raise ArgumentError("the table has no status of detectors; give the result of hunt")
    return pa.Table.from_pylist(json.loads(stored), schema=STATUS)
