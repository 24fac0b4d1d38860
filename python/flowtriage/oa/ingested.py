"""What was ingested, and what an ingest did."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowtriage.formats.report import Report


@dataclass(frozen=True)
class Source:
    """A log file that was ingested.

    Attributes
    ----------
    path
        Where it was.
    digest
        SHA-256 of its content.
    size
        Bytes of its content.
    flows
        Rows of it that are kept.
    rows_bad
        Rows that could not be used.
    rows_timeless
        Rows without a start time, which belong to no day.
    format
        Its format.
    files
        Parquet files that hold its flows, within the folder.
    """

    path: str
    digest: str
    size: int
    flows: int
    rows_bad: int
    rows_timeless: int
    format: str
    files: tuple[str, ...]


@dataclass
class Ingested:
    """What an ingest did.

    Attributes
    ----------
    new
        Sources that were read.
    known
        Names of the files whose content is there already.
    reports
        What was found while reading each of `new`.
    passed_over
        Files of a folder that are no flow logs, and why.
    """

    new: list[Source] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    passed_over: dict[str, str] = field(default_factory=dict)

    @property
    def flows(self) -> int:
        """Number of flows that were added."""
        return sum(source.flows for source in self.new)

    def __str__(self) -> str:
        """Say what was added and what was not."""
        text = f"{self.flows:,} flows of {len(self.new):,} files ingested"
        if self.known:
            text += f"; {len(self.known):,} files were there already"
        if bad := sum(source.rows_bad for source in self.new):
            text += f"; {bad:,} bad rows left out"
        if timeless := sum(source.rows_timeless for source in self.new):
            text += f"; {timeless:,} rows without a start time left out"
        if self.passed_over:
            text += f"; {len(self.passed_over):,} files are no flow logs"
        return text
