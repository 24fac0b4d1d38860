"""Trailers of logs: stated totals, compared with those of the flows."""

from __future__ import annotations

import re
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.formats.layout import Trailer
from flowtriage.quality.bad_rows import Total
from flowtriage.quality.report import ReadReport
from flowtriage.quality.sums import exact_sum

_EXCHANGED = {"src_bytes": "dst_bytes", "src_packets": "dst_packets"}
"""Where the counters of a unidirectional record are if its endpoints were exchanged."""


class TrailerCheck:
    """Separate the trailer of a log, if its format has one, and check its totals."""

    def __init__(self, trailer: Trailer | None) -> None:
        self._trailer = trailer
        self._first = trailer and _first_line(trailer)
        self._text = b""
        self._sums: Counter[str] = Counter()

    def cut(self, text: bytes, end: int) -> int:
        """Return the end of the records before `end`; keep the trailer that follows."""
        if self._text:
            self._text += text[:end]
            return 0
        if self._trailer and self._first and text.find(self._trailer.first.encode(), 0, end) >= 0:
            found = self._first.search(text, 0, end)
            if found:
                self._text = text[found.start() : end]
                return found.start()
        return end

    def add(self, flows: pa.Table) -> None:
        """Add flows to the sums."""
        for _, columns in self._trailer.totals if self._trailer else ():
            for name in columns:
                counts = flows[name]
                if name in _EXCHANGED:
                    counts = pc.coalesce(counts, flows[_EXCHANGED[name]])
                self._sums[name] += exact_sum(counts)

    def add_totals(self, report: ReadReport, source: str) -> None:
        """Add the totals of the log and of the flows to a report."""
        lines = self._text.decode("utf-8", "replace").splitlines()
        if self._trailer is None or len(lines) < 3:
            return
        stated = dict(zip(lines[1].split(","), lines[2].split(","), strict=False))
        for name, columns in self._trailer.totals:
            if stated.get(name, "").strip().isdecimal():
                read = sum(self._sums[column] for column in columns)
                report.totals.append(Total(source, name, int(stated[name]), read))


def _first_line(trailer: Trailer) -> re.Pattern[bytes]:
    """Return a pattern of the first line, also where it lacks the line end before it."""
    first = re.escape(trailer.first.encode())
    name = re.escape(trailer.totals[0][0].encode())
    return re.compile(rb"^%s\r?$|%s(?=\r?\n%s,)" % (first, first, name), re.M)
