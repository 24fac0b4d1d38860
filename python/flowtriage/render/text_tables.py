"""Tables as text for a terminal; needs pyarrow only."""

from __future__ import annotations

from shutil import get_terminal_size
from typing import Any
from unicodedata import east_asian_width

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from flowtriage.humanize import UNKNOWN, counted, sanitize
from flowtriage.render.cells import are_integers, is_list, time_texts
from flowtriage.render.table_head import head

_MAX_LENGTH, _LISTED, _GAP, _USUAL_WIDTH = 40, 2, 2, 120


def text_table(table: Any, rows: int = 20, width: int | None = None) -> str:
    """Render the first rows of a table as text, without empty columns and control characters.

    Long values end with an ellipsis. A last line has the number of further rows; columns that do
    not fit into the width, by default that of the terminal, are listed below the table.

    Examples
    --------
    >>> import pyarrow as pa
    >>> print(text_table(pa.table({"host": ["ws-0341", "db"], "flows": [12, 3456]}), rows=1))
    host     flows
    ws-0341     12
    … 1 more row
    """
    names, values, total = head(table, rows)
    filled = [(n, v) for n, v in zip(names, values, strict=True) if v.null_count < len(v)]
    if not filled:
        return "No values" if total else "No rows"
    limit = width or get_terminal_size((_USUAL_WIDTH, 0)).columns
    shown: list[list[str]] = []
    excluded, used = [], -_GAP
    for name, column in filled:
        texts = [sanitize(name, _MAX_LENGTH), *_cells(column)]
        columns = max(map(_columns, texts))
        used += columns + _GAP
        if used <= limit or not shown:
            numeric = types.is_integer(column.type) or types.is_floating(column.type)
            shown.append([_padded(text, columns, numeric) for text in texts])
        else:
            excluded.append(texts[0])
    lines = [(" " * _GAP).join(line).rstrip() for line in zip(*shown, strict=True)]
    if more := max(total - rows, 0):
        lines.append(f"… {counted(more, 'more row')}")
    if excluded:
        lines.append(f"Columns not shown: {', '.join(excluded)}")
    return "\n".join(lines)


def _cells(values: pa.ChunkedArray) -> list[str]:
    if types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    texts: list[Any]
    if types.is_timestamp(values.type):
        texts = time_texts(values)
    elif is_list(values.type):
        starts = pc.list_slice(values, 0, _LISTED).to_pylist()
        lengths = pc.list_value_length(values).to_pylist()
        texts = list(map(_list, starts, lengths))
    elif types.is_floating(values.type) and are_integers(values):
        texts = values.cast(pa.int64()).to_pylist()
    else:
        texts = values.to_pylist()
    return [UNKNOWN if text is None else sanitize(str(text), _MAX_LENGTH) for text in texts]


def _list(start: list[Any] | None, length: int | None) -> str | None:
    if start is None or length is None:
        return None
    more = f" +{length - _LISTED:,} more" if length > _LISTED else ""
    return sanitize(", ".join(map(str, start)), _MAX_LENGTH - len(more)) + more


def _columns(text: str) -> int:
    """Return the number of terminal columns of a text."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _padded(text: str, columns: int, numeric: bool) -> str:
    space = " " * (columns - _columns(text))
    return space + text if numeric else text + space
