"""Findings of a day: hunt in its flows, and report their number."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.detect import FINDINGS, SEVERITIES, detector_status, hunt
from flowtriage.detect.findings import STATUS, with_status
from flowtriage.detect.thresholds import DETECTORS


def find(flows: pa.Table, ipranges: Path | None) -> pa.Table:
    """Run all detectors over the flows of a day; without flows, none of them runs."""
    if not flows.num_rows:
        names = list(DETECTORS)
        reasons = ["the day has no flows"] * len(names)
        columns = {"detector": names, "ran": [False] * len(names), "reason": reasons}
        return with_status(FINDINGS.empty_table(), pa.table(columns, schema=STATUS))
    internal = ipranges if ipranges is not None and ipranges.is_file() else None
    return hunt(flows, internal=internal)


def note_of(findings: pa.Table) -> str:
    """Return the number of findings by severity, and which detectors could not run."""
    counted = pc.value_counts(findings["severity"].combine_chunks()).to_pylist()
    counts = {one["values"]: one["counts"] for one in counted}
    parts = [f"{counts[name]:,} {name}" for name in SEVERITIES if name in counts]
    by_reason: dict[str, list[str]] = {}
    for one in detector_status(findings).to_pylist():
        if not one["ran"]:
            by_reason.setdefault(one["reason"], []).append(one["detector"])
    absent = [f"not run: {', '.join(names)} ({why})" for why, names in by_reason.items()]
    return "; ".join([", ".join(parts) or "none", *absent])
