"""Tables as HTML: escaped, readable, the same in a notebook and in a report."""

from __future__ import annotations

from html import escape
from typing import Any

from flowtriage.humanize import sanitize
from flowtriage.render.assets import asset
from flowtriage.render.cells import HtmlColumn, column
from flowtriage.render.table_head import head

MAX_ROWS = 500
AS_TEXT = "mathjax_ignore tex2jax_ignore"
"""Classes of HTML in which notebooks must not typeset what looks like mathematics."""


def html_table(table: Any, *, max_rows: int = MAX_ROWS) -> str:
    """Write a table as a piece of HTML that brings its own style and script.

    The script sorts by a click on a heading, and filters; without it, as in a notebook that is
    not trusted, the whole table stays to be read. It holds nothing of the table.

    Parameters
    ----------
    table
        `pyarrow.Table`, `pandas.DataFrame`, or anything with ``__arrow_c_stream__``.
    max_rows
        How many rows to show; a sentence says how many there are.

    Returns
    -------
    str
        One ``<div class="ft-table">``, its style before it and its script behind it; safe to
        return from ``_repr_html_``.

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
    return dressed(table_body(table, max_rows=max_rows))


def dressed(tables: str) -> str:
    """Put the style of tables before HTML that holds some, and their script behind it."""
    return f"<style>{asset('tables.css')}</style>{tables}<script>{asset('tables.js')}</script>"


def table_body(table: Any, *, max_rows: int = MAX_ROWS, label: str = "Table") -> str:
    """Write a table without its style and script.

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


def _heading(column: HtmlColumn) -> str:
    look = ' class="ft-num"' if column.numeric else ""
    unit = f" <small>{column.unit}</small>" if column.unit else ""
    return f'<th scope="col"{look}>{escape(sanitize(column.name))}{unit}</th>'


def _count(total: int, shown: int) -> str:
    if total > shown:
        return f"First {shown:,} of {total:,} rows"
    return "No rows" if not total else "1 row" if total == 1 else f"{total:,} rows"
