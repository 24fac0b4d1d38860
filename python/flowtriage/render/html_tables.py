"""Tables as escaped HTML, the same in a notebook and on a page."""

from __future__ import annotations

from html import escape
from typing import Any

from flowtriage.humanize import sanitize
from flowtriage.render.assets import asset
from flowtriage.render.cells import HtmlColumn, column
from flowtriage.render.folded import FoldedTable
from flowtriage.render.table_head import head

MAX_ROWS = 500
AS_TEXT = "mathjax_ignore tex2jax_ignore"
"""HTML classes in which notebooks do not typeset mathematics."""


def html_table(table: Any, *, max_rows: int = MAX_ROWS, label: str = "Table") -> str:
    """Render a table as an HTML fragment with its own style and script.

    The script sorts by a click on a header, and filters. Without it, as in an untrusted notebook,
    the table remains readable. The script contains no data of the table.

    Parameters
    ----------
    table
        `pyarrow.Table`, `pandas.DataFrame`, or anything with ``__arrow_c_stream__``.
    max_rows
        Maximum number of rows; a line above the table has the total.
    label
        Name of the table for screen readers.

    Returns
    -------
    str
        One ``<div class="ft-table">`` between its style and its script; safe to return from
        ``_repr_html_``.

    Raises
    ------
    TypeError
        If `table` is not a table.

    Examples
    --------
    >>> import pyarrow as pa
    >>> "&lt;b&gt;" in html_table(pa.table({"host": ["<b>"]}))
    True
    """
    return with_assets(table_body(table, max_rows=max_rows, label=label))


def with_assets(tables: str) -> str:
    """Add the style and the script of tables to HTML with tables."""
    return f"<style>{asset('tables.css')}</style>{tables}<script>{asset('tables.js')}</script>"


def table_body(table: Any, *, max_rows: int = MAX_ROWS, label: str = "Table") -> str:
    """Render a table without its style and script; the label is for screen readers."""
    names, values, total = head(table, max_rows)
    folds = table.members if isinstance(table, FoldedTable) else {}
    columns = [
        column(name, chunk, folds.get(name, {})) for name, chunk in zip(names, values, strict=True)
    ]
    headers = "".join(_header(one) for one in columns)
    rows = zip(*(one.cells for one in columns), strict=True)
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return (
        f'<div class="ft-table"><p class="ft-count">{_count(total, max_rows)}</p>'
        f'<div class="ft-scroll {AS_TEXT}" role="region" tabindex="0" aria-label="{escape(label)}">'
        f"<table><thead><tr>{headers}</tr></thead><tbody>{body}</tbody></table></div></div>"
    )


def _header(column: HtmlColumn) -> str:
    look = ' class="ft-num"' if column.numeric else ""
    unit = f" <small>{column.unit}</small>" if column.unit else ""
    return f'<th scope="col"{look}>{escape(sanitize(column.name))}{unit}</th>'


def _count(total: int, shown: int) -> str:
    if total > shown:
        return f"First {shown:,} of {total:,} rows"
    return "No rows" if not total else "1 row" if total == 1 else f"{total:,} rows"
