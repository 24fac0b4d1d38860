"""A self-contained HTML page of sections, which makes no requests."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from flowtriage.atomic import replacing
from flowtriage.humanize import sanitize
from flowtriage.render.assets import asset
from flowtriage.render.findings import FindingList
from flowtriage.render.html_tables import MAX_ROWS, table_body
from flowtriage.render.notice import Notice
from flowtriage.render.plots import bokeh_scripts, is_plot, plot_figure, policy
from flowtriage.render.section import Section, anchor
from flowtriage.render.table_head import is_table

_STYLES = ("tables.css", "page.css", "notice.css")
MAP_NOTE = "A map needs a map server; its locations are listed instead."


def write_page(
    sections: Sequence[Section],
    path: str | os.PathLike[str],
    *,
    title: str,
    summary: Mapping[str, str],
    credits: Mapping[str, str] | None = None,
    max_rows: int = MAX_ROWS,
    dated: bool = True,
) -> Path:
    """Write sections into one self-contained HTML file.

    The content security policy of the page forbids all requests and all scripts but its own;
    JavaScript callbacks of a plot do not run. The file is written completely or not at all.

    Parameters
    ----------
    sections
        Sections of tables, findings, Bokeh layouts, strings, notices and maps, in order. A map is
        replaced by its table `places`, because it needs a server.
    path
        File to write; replaced if it exists.
    title
        Title of the page.
    summary
        Facts at its top: host, time span, numbers of rows, file names.
    credits
        Data sources to credit, with their links.
    max_rows
        Maximum number of rows of a table.
    dated
        Whether the page contains its time of writing; without it, the same sections always make
        the same bytes.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    TypeError
        If a section contains anything else.
    OSError
        If the file cannot be written.
    """
    plots: list[Any] = []
    anchors: Counter[str] = Counter()
    rendered = [_rendered(section, plots, anchors, max_rows) for section in sections]
    found = any(isinstance(one, FindingList) for section in sections for one in section.contents)
    styles = (*_STYLES, *((FindingList.style,) if found else ()))
    scripts = [*bokeh_scripts(plots), asset("plots.js"), asset("tables.js")]
    scripts += [asset(FindingList.script)] if found else []
    page = _template().render(
        title=sanitize(title),
        summary=[(sanitize(key), sanitize(str(value))) for key, value in summary.items()],
        sections=rendered,
        policy=policy(scripts),
        style="".join(map(asset, styles)),
        scripts=scripts,
        credits=credits or {},
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}" if dated else "",
    )
    path = Path(path)
    with replacing(path) as file:
        file.write(page.encode())
    return path


def _rendered(
    section: Section, plots: list[Any], anchors: Counter[str], max_rows: int
) -> dict[str, Any]:
    """Return the template's variables of a section; collect its plots and its anchor."""
    title = sanitize(section.title)
    name = anchor(title)
    anchors[name] += 1
    texts = sanitize(section.text, multiline=True).split("\n\n")
    return {
        "title": title,
        "anchor": name if anchors[name] == 1 else f"{name}-{anchors[name]}",
        "depth": min(max(section.level, 1) + 1, 6),
        "paragraphs": [text.strip() for text in texts if text.strip()],
        "blocks": [_block(content, title, plots, max_rows) for content in section.contents],
    }


def _block(content: object, title: str, plots: list[Any], max_rows: int) -> str:
    if isinstance(content, str):
        return f"<p>{escape(sanitize(content, multiline=True))}</p>"
    if isinstance(content, Notice | FindingList):
        return content.as_html()
    if is_table(content):
        return table_body(content, max_rows=max_rows, label=title)
    if is_table(places := getattr(content, "places", None)):
        return f"<p>{MAP_NOTE}</p>{table_body(places, max_rows=max_rows, label=title)}"
    if is_plot(content):
        plots.append(content)
        return plot_figure(content, f"plot-{len(plots)}", title)
    raise TypeError(f"a page cannot show {type(content).__name__}, in section {title!r}")


def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(asset("page.html.j2"))
