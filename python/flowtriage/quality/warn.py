"""The warning about bad rows."""

from __future__ import annotations

import warnings

from flowtriage.quality.report import ReadReport


def warn_bad_rows(report: ReadReport, *, stacklevel: int = 1) -> None:
    """Warn about the bad rows of a report that the caller does not return.

    A stacklevel of 1 names the caller of this function, as in `warnings.warn`.
    """
    if report.rows_bad:
        warnings.warn(
            f"{', '.join(report.sources)}: {report.rows_bad:,} of {report.rows_read:,} rows could "
            "not be used and were dropped; see the report of read_flows for rows and reasons",
            stacklevel=stacklevel + 1,
        )
