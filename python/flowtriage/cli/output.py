"""Terminal output: facts, tables, JSON and the progress bar."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from flowtriage.humanize import UNKNOWN, human_bytes, sanitize, thousands
from flowtriage.progress import progress_to

Kind: TypeAlias = Literal[
    "text", "sentence", "list", "size", "count", "score", "bytes", "time", "direction", "asn"
]
_NUMERIC = {"size", "count", "score", "bytes"}
_DIRECTIONS = {"I": "inbound", "O": "outbound", "L": "internal", "X": "external", "U": "unknown"}
_GAP = 2
_MIN_WIDTH = 14
_MAX_TEXT = 80
_MAX_FACT = 400
_MAX_TASK = 48
_MAX_ITEMS = 5


@dataclass(frozen=True)
class TableColumn:
    """A column of an Arrow table, its label in the output, and its format.

    Line breaks in the label apply to terminals only. On a terminal, long values of a `flexible`
    column may wrap, and a narrow terminal drops `optional` columns, the last one first.
    """

    name: str
    label: str
    kind: Kind = "text"
    flexible: bool = False
    optional: bool = False

    @property
    def flat_label(self) -> str:
        """Label without line breaks."""
        return self.label.replace("\n", " ")


MEASURES = (
    TableColumn("denied_flows", "Denied", "count", optional=True),
    TableColumn("src_bytes", "Source\nbytes", "bytes"),
    TableColumn("dst_bytes", "Dest\nbytes", "bytes"),
)
SEEN = (
    TableColumn("first_seen", "First seen\n(UTC)", "time", optional=True),
    TableColumn("last_seen", "Last seen\n(UTC)", "time", optional=True),
)


@contextmanager
def progress_bar() -> Iterator[None]:
    """Show a progress bar on stderr within the block, if stderr is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        console=Console(stderr=True, markup=False, highlight=False, emoji=False),
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def show(task: str, done: int, total: int | None) -> None:
        if task not in tasks:
            tasks[task] = bar.add_task(sanitize(task, _MAX_TASK), total=total)
        bar.update(tasks[task], completed=done, total=total)

    with bar, progress_to(show):
        yield


@contextmanager
def output() -> Iterator[Console]:
    """Buffer the output of the block and write it to stdout at the end."""
    console = Console(markup=False, highlight=False, emoji=False)
    with console.capture() as capture:
        yield console
    text = capture.get().lstrip("\n")
    if not sys.stdout.isatty():
        text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
    sys.stdout.write(text)


def print_json(document: Any) -> None:
    """Print a document as ASCII JSON, with dates and times in ISO 8601."""
    sys.stdout.write(json.dumps(document, indent=2, default=_iso) + "\n")


def print_facts(console: Console, facts: Mapping[str, str]) -> None:
    """Print one labelled fact per line."""
    grid = Table.grid(padding=(0, _GAP, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, fact in facts.items():
        grid.add_row(Text(label), Text(sanitize(fact, _MAX_FACT)))
    _print(console, grid, max(console.width, 0 if sys.stdout.isatty() else 2 * _MAX_FACT))


def print_table(
    console: Console,
    title: str,
    columns: Sequence[TableColumn],
    data: pa.Table,
    *,
    total: int | None = None,
    muted: Collection[str] = (),
    styles: Mapping[str, str] | None = None,
) -> None:
    """Print a table under a title; `total` is the number of rows that `data` is the first of.

    Addresses are never wrapped; a terminal narrower than the addresses breaks the lines itself.
    `muted` values, such as the addresses of the host, are dimmed; `styles` has those of others.
    """
    styles = {**dict.fromkeys(muted, "dim"), **(styles or {})}
    terminal = sys.stdout.isatty()
    texts = {column: cells(data[column.name], column.kind) for column in columns}
    widths = {column: _width(column, texts[column], terminal) for column in columns}
    shown = list(columns)
    while _total(widths, shown) > console.width and terminal:
        optional = [column for column in shown if column.optional]
        if not optional:
            break
        shown.remove(optional[-1])
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in shown:
        table.add_column(
            Text(column.label if terminal else column.flat_label),
            justify="right" if column.kind in _NUMERIC else "left",
            no_wrap=not column.flexible,
            overflow="fold",
        )
    for row in zip(*(texts[column] for column in shown), strict=True):
        table.add_row(*(Text(text, styles.get(text, "")) for text in row))
    console.print()
    console.print(Text(title, "bold"))
    _print(console, table, max(console.width, _total(widths, shown)))
    if total is not None and total > data.num_rows:
        console.print(Text(f"{data.num_rows:,} of {total:,} shown", "dim"))
    if hidden := [c.flat_label for c in columns if c not in shown]:
        console.print(Text(f"terminal too narrow for: {', '.join(hidden)}", "dim"))


def print_rows(
    title: str,
    columns: Sequence[TableColumn],
    data: pa.Table,
    *,
    as_json: bool,
    limit: int | None = None,
) -> None:
    """Print all rows as JSON, or a table of the first ones."""
    if as_json:
        print_json(data.to_pylist())
        return
    with output() as console:
        print_table(console, title, columns, data.slice(0, limit), total=data.num_rows)


def cells(values: pa.ChunkedArray, kind: Kind) -> list[str]:
    """Format the values of a column.

    Examples
    --------
    >>> cells(pa.chunked_array([[1234, None]]), "count")
    ['1,234', '–']
    """
    if kind == "size":
        values, kind = pc.list_value_length(values), "count"
    if kind == "count":
        values = thousands(values)
    elif kind == "bytes":
        values = human_bytes(values)
    elif kind == "time":
        seconds = pc.cast(pc.cast(values, pa.timestamp("us")), pa.timestamp("s"), safe=False)
        values = pc.strftime(seconds, "%Y-%m-%d %H:%M:%S")
    return [_cell(value, kind) for value in values.to_pylist()]


def _cell(value: Any, kind: Kind) -> str:
    if value is None or value == []:
        return UNKNOWN
    if kind == "list":
        shown = ", ".join(_cell(item, "text") for item in value[:_MAX_ITEMS])
        rest = len(value) - _MAX_ITEMS
        return f"{shown} +{rest:,} more" if rest > 0 else shown
    if kind == "sentence":
        return sanitize(value, _MAX_FACT)
    if kind == "score":
        return f"{value:.2f}"
    if kind == "direction":
        value = _DIRECTIONS.get(value, value)
    return sanitize(f"AS{value}" if kind == "asn" else str(value), _MAX_TEXT)


def _width(column: TableColumn, texts: Sequence[str], terminal: bool) -> int:
    lines = column.label.split("\n") if terminal else [column.flat_label]
    longest = max(map(cell_len, [*lines, *texts]))
    return min(longest, _MIN_WIDTH) if column.flexible and terminal else longest


def _total(widths: Mapping[TableColumn, int], shown: Sequence[TableColumn]) -> int:
    return sum(widths[column] for column in shown) + _GAP * (len(shown) - 1)


def _print(console: Console, table: Table, width: int) -> None:
    usual, console.width = console.width, width
    console.print(table)
    console.width = usual


def _iso(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
