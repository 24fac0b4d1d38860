"""Quality of flows: the report of a reading, and the one channel for bad rows."""

from flowtriage.quality.report import BadRow, ReadReport

__all__ = ["BadRow", "ReadReport"]
