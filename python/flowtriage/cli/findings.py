"""Findings about a host in the terminal."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flowtriage.detect.cards import finding_list
from flowtriage.detect.of_host import HostFindings
from flowtriage.humanize import sanitize

_STYLES = {"high": "bold red", "warning": "yellow", "information": "dim"}
_NO_WRAP = 10_000


def print_findings(console: Console, found: HostFindings, top: int) -> None:
    """Print the severity and the sentence of the first findings, or that there are none."""
    lines = [found.none]
    table = found.table.slice(0, top)
    if table.num_rows:
        lines = [f"{finding_list(found.table).total}."]
        if more := found.table.num_rows - table.num_rows:
            lines.append(f"{table.num_rows:,} of {more + table.num_rows:,} shown")
        lines += [found.not_run] if found.not_run else []
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    rows = zip(table["severity"].to_pylist(), table["summary"].to_pylist(), strict=True)
    for severity, summary in rows:
        grid.add_row(Text(severity.upper(), _STYLES.get(severity, "")), Text(sanitize(summary)))
    width = console.width if sys.stdout.isatty() else _NO_WRAP
    console.print(Text("\nFindings", "bold"))
    usual, console.width = console.width, width
    console.print(Text(lines[0]))
    if table.num_rows:
        console.print(grid)
    for line in [*lines[1:], found.context]:
        console.print(Text(line, "dim"))
    console.width = usual
