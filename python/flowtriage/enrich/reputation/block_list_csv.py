"""Records of block lists in CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator

_MAX_RECORD_LINES = 1_000


def records(lines: list[str], at: int, width: int) -> Iterator[tuple[int, str, list[str]]]:
    """Yield line number, first line and cells of each record from index `at` on.

    Remarks and empty lines are skipped. A stray quote affects its own line only: a record of
    several lines needs `width` cells.
    """
    while at < len(lines):
        line, number = lines[at].rstrip("\r"), at + 1
        at += 1
        if not line.strip() or line.startswith("#"):
            continue
        if '"' not in line:
            yield number, line, line.split(",")
            continue
        stop = min(len(lines), number - 1 + _MAX_RECORD_LINES)
        reader = csv.reader((f"{lines[i]}\n" for i in range(number - 1, stop)), strict=True)
        try:
            cells = next(reader)
        except csv.Error:
            cells = []
        if len(cells) == width or (cells and reader.line_num == 1):
            at += reader.line_num - 1
        else:
            cells = _cells(line)
        yield number, line, cells


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []
