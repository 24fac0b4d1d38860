"""Totals that stand at the end of a log, and whether they are those of its flows."""

from __future__ import annotations

import re
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.formats.declaration import Trailer
from flowtriage.quality.report import ReadReport, Total


class Ending:
    """The end of a log, kept apart from its records.

    Parameters
    ----------
    trailer
        What the end looks like; None if the format has none.
    """

    def __init__(self, trailer: Trailer | None) -> None:
        self._trailer = trailer
        self._first = trailer and re.compile(rb"^%s\r?$" % re.escape(trailer.first.encode()), re.M)
        self._text = b""
        self._sums: Counter[str] = Counter()

    def cut(self, text: bytes, end: int) -> int:
        """Return where the records before `end` end; what follows them is kept."""
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
        """Add up flows that were read."""
        for _, columns in self._trailer.totals if self._trailer else ():
            for name in columns:
                self._sums[name] += pc.sum(flows[name]).as_py() or 0

    def tell(self, report: ReadReport, source: str) -> None:
        """Report the totals of the log beside those of the flows."""
        lines = self._text.decode("utf-8", "replace").splitlines()
        if self._trailer is None or len(lines) < 3:
            return
        told = dict(zip(lines[1].split(","), lines[2].split(","), strict=False))
        for name, columns in self._trailer.totals:
            if told.get(name, "").strip().isdecimal():
                read = sum(self._sums[column] for column in columns)
                report.totals.append(Total(source, name, int(told[name]), read))
