"""The warnings about flows whose report is not shown."""

from __future__ import annotations

import sys
import warnings

from flowtriage.humanize import counted, sanitize
from flowtriage.quality.notices import notices, reading_notices, stated
from flowtriage.quality.numbers import few
from flowtriage.quality.report import ReadReport

_PACKAGE = "flowtriage"


class QualityWarning(UserWarning):
    """Flows with limits that the caller may not see otherwise."""


def warn_reading(report: ReadReport) -> None:
    """Warn once about what reading lost or repeated, if the caller does not return the report."""
    _warn(report, reading_notices(report), "see the report of read_flows")


def warn_notices(report: ReadReport, absence: str = "") -> None:
    """Warn once about everything that limits the use of the flows of a silent run.

    A requested timespan is no reason; `absence` states which host was not found.
    """
    found = notices(report)
    found.pop("Outside the timespan", None)
    if absence:
        found = {"Host not found": absence} | found
    _warn(report, found, "see the report of the result")


def warn_settled(exchanged: int, end_before_start: int) -> None:
    """Warn about flows of an Arrow table that a function of the core read by the rules of logs."""
    report = ReadReport(sources=["Arrow table"], rows_end_before_start=end_before_start)
    if exchanged:
        report.reversed["destination-only address"] = exchanged
    found = stated(report.facts(rows=False), ("End before start", "Endpoints exchanged"))
    _warn(report, found, "read_flows reports more")


def warn_inside(flows: int) -> None:
    """Warn about flows between the addresses whose peers were summarised."""
    if flows:
        text = f"{counted(flows, 'flow')} between the given addresses, allowed or denied: no peer"
        warnings.warn(text, QualityWarning, stacklevel=caller_level())


def _warn(report: ReadReport, found: dict[str, str], hint: str) -> None:
    if found:
        listed = "; ".join(f"{label}: {text}" for label, text in found.items())
        sources = f"{few(report.sources)}: " if report.sources else ""
        warnings.warn(
            sanitize(f"{sources}{listed}; {hint}"), QualityWarning, stacklevel=caller_level()
        )


def caller_level() -> int:
    """Return the stack level, as seen from the caller, of the first frame outside the package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back and _is_ours(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    return level


def _is_ours(module: str) -> bool:
    return module == _PACKAGE or module.startswith(f"{_PACKAGE}.")
