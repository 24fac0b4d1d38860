"""The warnings about flows whose report is not shown."""

from __future__ import annotations

import warnings

from flowtriage.humanize import sanitize
from flowtriage.quality.notices import notices, reading_notices, stated
from flowtriage.quality.numbers import few
from flowtriage.quality.report import ReadReport


class QualityWarning(UserWarning):
    """Flows with limits that the caller may not see otherwise."""


def warn_reading(report: ReadReport, *, stacklevel: int = 1) -> None:
    """Warn once about what reading lost or repeated, if the caller does not return the report.

    A stacklevel of 1 names the caller of this function, as in `warnings.warn`.
    """
    _warn(report, reading_notices(report), "see the report of read_flows", stacklevel + 1)


def warn_notices(report: ReadReport, *, stacklevel: int = 1) -> None:
    """Warn once about everything that limits the use of the flows of a silent run.

    A requested timespan is no reason.
    """
    found = notices(report)
    found.pop("Outside the timespan", None)
    _warn(report, found, "see the report of the result", stacklevel + 1)


def warn_settled(exchanged: int, end_before_start: int) -> None:
    """Warn about flows of an Arrow table that a function of the core read by the rules of logs.

    The core calls it, so the caller of the function is two frames away.
    """
    report = ReadReport(sources=["Arrow table"], rows_end_before_start=end_before_start)
    if exchanged:
        report.reversed["destination-only address"] = exchanged
    found = stated(report.facts(rows=False), ("End before start", "Endpoints exchanged"))
    _warn(report, found, "read_flows reports more", 3)


def _warn(report: ReadReport, found: dict[str, str], hint: str, stacklevel: int) -> None:
    if found:
        listed = "; ".join(f"{label}: {text}" for label, text in found.items())
        message = sanitize(f"{few(report.sources)}: {listed}; {hint}")
        warnings.warn(message, QualityWarning, stacklevel=stacklevel + 1)
