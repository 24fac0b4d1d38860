"""Quality of flows: the read report, and the one channel for bad rows."""

from flowtriage.quality.report import BadRow, ReadReport
from flowtriage.quality.warn import warn_bad_rows

__all__ = ["BadRow", "ReadReport", "warn_bad_rows"]
