"""What a notebooklet shows: titled sections, the same in a notebook, a terminal and a report."""

from __future__ import annotations

import html
import sys
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Section:
    """One titled part of what a notebooklet shows.

    Parameters
    ----------
    title
        Heading, plain text.
    text
        Explanation under the heading, plain text; empty when there is none.
    level
        Heading depth: 1 for the notebooklet itself, 2 for its parts.
    contents
        What follows the text, in order: `pyarrow.Table`, `pandas.DataFrame`, a Bokeh layout,
        a folium map, or plain text.
    """

    title: str
    text: str = ""
    level: int = 2
    contents: tuple[object, ...] = ()

    def holding(self, *contents: object) -> Section:
        """Return the section with these contents."""
        return replace(self, contents=contents)


def in_notebook() -> bool:
    """Tell whether output goes to a notebook rather than a terminal."""
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def show(section: Section) -> None:
    """Show a section: rich in a notebook, as text in a terminal."""
    if in_notebook():
        _show_rich(section)
    else:
        _show_text(section)


def _show_rich(section: Section) -> None:
    from IPython.display import HTML, display

    from flowtriage.report import html_table
    from flowtriage.report.tables import AS_TEXT

    tag = f"h{min(section.level + 1, 6)}"
    text = f"<p>{html.escape(section.text)}</p>" if section.text else ""
    display(HTML(f"<{tag}>{html.escape(section.title)}</{tag}>{text}"))
    for content in section.contents:
        if isinstance(content, str):
            display(HTML(f'<p class="{AS_TEXT}">{html.escape(content)}</p>'))
        elif _is_bokeh(content):
            _show_plot(content)
        elif _is_table(content):
            display(HTML(html_table(content)))
        else:
            display(content)


def _show_plot(plot: Any) -> None:
    from bokeh.io import output_notebook
    from bokeh.io import show as show_plot
    from bokeh.io.state import curstate
    from bokeh.resources import Resources

    if not curstate().notebook:
        output_notebook(Resources(mode="inline", components=["bokeh"]), hide_banner=True)
    show_plot(plot)


def _show_text(section: Section) -> None:
    line = ("=" if section.level == 1 else "-") * len(section.title)
    print("\n".join(part for part in (section.title, line, section.text) if part))
    for content in section.contents:
        if isinstance(content, str):
            print(content)
        elif _is_table(content):
            print(text_table(content))
        else:
            print(f"[{type(content).__name__}: shown in a notebook or a report]")
    print()


def text_table(table: Any, rows: int = 20) -> str:
    """Return the beginning of a table as text, without control characters or empty columns."""
    frame = table.to_pandas() if hasattr(table, "to_pandas") else table
    filled = frame.head(rows).dropna(axis="columns", how="all")
    text = filled.to_string(index=False, max_colwidth=40)
    more = len(frame) - rows
    clean = "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
    return f"{clean}\n… {more:,} more rows" if more > 0 else clean


def showable(content: object) -> bool:
    """Tell whether a section may hold something as it is."""
    return isinstance(content, str) or _is_table(content) or _is_bokeh(content)


def _is_table(content: object) -> bool:
    return hasattr(content, "column_names") or hasattr(content, "iloc")


def _is_bokeh(content: object) -> bool:
    return type(content).__module__.startswith("bokeh.")
