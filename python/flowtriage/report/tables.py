"""Tables as HTML: escaped, readable, the same in a notebook and in a report."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib import resources
from typing import Any

from flowtriage.report.arrowed import head
from flowtriage.report.cells import Column, column
from flowtriage.report.text import visible

MAX_ROWS = 500
AS_TEXT = "mathjax_ignore tex2jax_ignore"
"""Classes of HTML in which notebooks must not typeset what looks like mathematics."""


def html_table(table: Any, *, max_rows: int = MAX_ROWS) -> str:
    """Write a table as a piece of HTML that brings its own style.

    Parameters
    ----------
    table
        `pyarrow.Table`, `pandas.DataFrame`, or anything with ``__arrow_c_stream__``.
    max_rows
        How many rows to show; a sentence says how many there are.

    Returns
    -------
    str
        One ``<div class="ft-table">``; safe to return from ``_repr_html_``.

    Raises
    ------
    TypeError
        If `table` is no table.

    Examples
    --------
    >>> import pyarrow as pa
    >>> "&lt;b&gt;" in html_table(pa.table({"host": ["<b>"]}))
    True
    """
    return f"<style>{table_style()}</style>{table_body(table, max_rows=max_rows)}"


@cache
def table_style() -> str:
    """Return the style sheet of tables; all its rules are scoped to ``.ft-table``."""
    return resources.files(__package__).joinpath("tables.css").read_text(encoding="utf-8")


def table_body(table: Any, *, max_rows: int = MAX_ROWS, label: str = "Table") -> str:
    """Write a table without its style.

    Parameters
    ----------
    table, max_rows
        As in `html_table`.
    label
        What a screen reader calls the table.
    """
    names, values, total = head(table, max_rows)
    columns = [column(name, chunk) for name, chunk in zip(names, values, strict=True)]
    headings = "".join(_heading(one) for one in columns)
    rows = zip(*(one.cells for one in columns), strict=True)
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return (
        f'<div class="ft-table"><p class="ft-count">{_count(total, max_rows)}</p>'
        f'<div class="ft-scroll {AS_TEXT}" role="region" tabindex="0" aria-label="{escape(label)}">'
        f"<table><thead><tr>{headings}</tr></thead><tbody>{body}</tbody></table></div></div>"
    )


def _heading(column: Column) -> str:
    look = ' class="ft-num"' if column.numeric else ""
    unit = f" <small>{column.unit}</small>" if column.unit else ""
    return f'<th scope="col"{look}>{escape(visible(column.name))}{unit}</th>'


def _count(total: int, shown: int) -> str:
    if total > shown:
        return f"First {shown:,} of {total:,} rows"
    return "No rows" if not total else "1 row" if total == 1 else f"{total:,} rows"
