"""Output of sections in a notebook or a terminal."""

from __future__ import annotations

import html
import sys
from typing import Any

from flowtriage.humanize import sanitize
from flowtriage.render.assets import asset
from flowtriage.render.findings import FindingList
from flowtriage.render.notice import Notice
from flowtriage.render.plots import is_plot, plot_html
from flowtriage.render.section import Section, anchor
from flowtriage.render.text_tables import text_table

Bundle = dict[str, str]
"""The same content by MIME type."""
_CELLS_WITH_BOKEH: set[int] = set()


def in_notebook() -> bool:
    """Check whether output goes to a notebook rather than a terminal."""
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def show(section: Section) -> None:
    """Show a section as HTML in a notebook, or as text in a terminal."""
    if not in_notebook():
        print(as_text(section), end="\n\n")
        return
    from IPython.display import display

    display(heading_bundle(section), raw=True)
    for content in section.contents:
        with_bokeh = is_plot(content) and _first_plot_of_cell()
        made = bundle(content, section.title, with_bokeh=with_bokeh)
        display(content if made is None else made, raw=made is not None)


def heading_bundle(section: Section) -> Bundle:
    """Render the title and text of a section."""
    tag = f"h{min(section.level + 1, 6)}"
    text = f"<p>{html.escape(section.text)}</p>" if section.text else ""
    title = f'<{tag} id="{anchor(section.title)}">{html.escape(section.title)}</{tag}>'
    rich = f"{title}{text}"
    return {"text/html": rich, "text/plain": _heading(section)}


def bundle(content: Any, title: str, *, with_bokeh: bool) -> Bundle | None:
    """Render a content of a section, as in `plot_html`; None if only IPython can show it."""
    plot = is_plot(content)
    rich = plot_html(content, title, with_bokeh=with_bokeh) if plot else _html(content, title)
    return None if rich is None else {"text/html": rich, "text/plain": _text(content)}


def _html(content: Any, title: str) -> str | None:
    from flowtriage.render.html_tables import AS_TEXT, html_table

    if isinstance(content, str):
        return f'<p class="{AS_TEXT}">{html.escape(content)}</p>'
    if isinstance(content, Notice):
        return f"<style>{asset('notice.css')}</style>{content.as_html(classes=AS_TEXT)}"
    if isinstance(content, FindingList):
        script = f"<script>{asset(content.script)}</script>"
        rich = content.as_html(classes=AS_TEXT)
        return f"<style>{asset(content.style)}</style>{rich}{script}"
    if _is_table(content):
        return html_table(content, label=title)
    return str(content._repr_html_()) if _is_map(content) else None


def _first_plot_of_cell() -> bool:
    """Check whether a plot must include Bokeh, so that the output of its cell is self-contained."""
    from IPython import get_ipython

    cell = get_ipython().execution_count
    first = cell not in _CELLS_WITH_BOKEH
    _CELLS_WITH_BOKEH.add(cell)
    return first


def as_text(section: Section) -> str:
    """Render a section as text."""
    return "\n".join([_heading(section), *map(_text, section.contents)])


def _heading(section: Section) -> str:
    title = sanitize(section.title)
    line = ("=" if section.level == 1 else "-") * len(title)
    return "\n".join(part for part in (title, line, section.text) if part)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return sanitize(content, multiline=True)
    if isinstance(content, Notice | FindingList):
        return content.as_text()
    if _is_table(content):
        return text_table(content)
    if _is_map(content):
        return f"Locations on the map:\n{text_table(content.places)}"
    if is_plot(content):
        return "[plot: shown in a notebook or a report]"
    return f"[{type(content).__name__}: shown in a notebook]"


def can_show(content: object) -> bool:
    """Check whether a section can contain an object as it is."""
    return isinstance(content, str) or _is_table(content) or is_plot(content)


def _is_table(content: object) -> bool:
    return hasattr(content, "column_names") or hasattr(content, "iloc")


def _is_map(content: object) -> bool:
    return hasattr(content, "places")
