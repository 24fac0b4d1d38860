"""Labels and texts of the counts of a read report."""

from __future__ import annotations

from collections.abc import Mapping

from flowtriage.humanize import counted

_FACTS = {
    "rows_outside": ("Outside the timespan", "", "", ""),
    "rows_counted": ("Per-peer counters", "flow", "flows", ""),
    "rows_expanded": (
        "Records with several peers",
        *("", "", " (each peer has all counters of the record)"),
    ),
    "rows_end_before_start": (
        "End before start",
        *("record; its end is missing", "records; their end is missing", ""),
    ),
    "rows_without_sides": (
        "Counters without sides",
        "record has only totals of both endpoints",
        "records have only totals of both endpoints",
        ", which are given as sent by the source",
    ),
    "rows_contradicted_totals": (
        "Contradicted totals",
        "record whose total is not the sum of its sides",
        "records whose total is not the sum of their sides",
        "; the sides are used",
    ),
    "rows_payload_only": (
        "Payload bytes only",
        "record has payload bytes",
        "records have payload bytes",
        " (src_payload_bytes, dst_payload_bytes), but no bytes; totals of bytes are too low",
    ),
    "rows_translated": (
        "Translated addresses",
        "record whose packets have other addresses",
        "records whose packets have other addresses",
        ", as at a NAT gateway; keep= adds the columns of these",
    ),
    "rows_of_other_hosts": (
        "Other hosts",
        *("record; only its addresses were read", "records; only their addresses were read", ""),
    ),
    "rows_migrated": ("Superseded by NTANetAnalytics", "row dropped", "rows dropped", ""),
    "rows_superseded": (
        "Superseded records",
        *("dropped", "dropped", "; later records of the same flows contain more"),
    ),
    "rows_duplicate": ("Duplicates dropped", "", "", ""),
    "rows_stitched": ("Merged into biflows", "record", "records", ""),
}
"""Label, text after one and after several, and the end of both texts; by attribute of a report."""

COUNTER_SEMANTICS = {
    "record": "delta (per record)",
    "flow": "cumulative (per flow)",
    None: "as counted by the source",
}
"""Text of each counter semantics."""


def count_facts(counts: Mapping[str, float]) -> dict[str, str]:
    """Return label and text of each count that is not 0."""
    return {
        label: f"{counted(int(counts[name]), one, several)}{end}"
        for name, (label, one, several, end) in _FACTS.items()
        if counts[name]
    }


def repeated_text(rows: int, flows: int, size: int) -> str:
    """Return by how much rows that repeat the counters of a record may inflate totals."""
    return (
        f"by up to {counted(flows, 'flow')} and {counted(size, 'byte')}: "
        f"{counted(rows, 'row repeats', 'rows repeat')} the counters of one record"
    )
