"""Labels and texts of the counts of a read report."""

COUNT_FACTS = {
    "rows_outside": ("Outside the timespan", "{:,}"),
    "rows_counted": ("Per-peer counters", "{:,} flows"),
    "rows_expanded": (
        "Records with several peers",
        "{:,} (each peer has all counters of the record)",
    ),
    "rows_end_before_start": ("End before start", "{:,} records; their end is missing"),
    "rows_without_sides": (
        "Counters without sides",
        "{:,} records have only totals of both endpoints, which are given as sent by the source",
    ),
    "rows_contradicted_totals": (
        "Contradicted totals",
        "{:,} records whose total is not the sum of their sides; the sides are used",
    ),
    "rows_payload_only": (
        "Payload bytes only",
        "{:,} records have payload bytes (src_payload_bytes, dst_payload_bytes), but no bytes; "
        "totals of bytes are too low",
    ),
    "rows_translated": (
        "Translated addresses",
        "{:,} records whose packets have other addresses, as at a NAT gateway; keep= adds the "
        "columns of these",
    ),
    "rows_of_other_hosts": ("Other hosts", "{:,} records; only their addresses were read"),
    "rows_migrated": ("Superseded by NTANetAnalytics", "{:,} rows dropped"),
    "rows_superseded": (
        "Superseded records",
        "{:,} dropped; later records of the same flows contain more",
    ),
    "rows_duplicate": ("Duplicates dropped", "{:,}"),
    "rows_stitched": ("Merged into biflows", "{:,} records"),
}
"""Label and text of each count, by attribute of the report."""

COUNTER_SEMANTICS = {
    "record": "delta (per record)",
    "flow": "cumulative (per flow)",
    None: "as counted by the source",
}
"""Text of each counter semantics."""
