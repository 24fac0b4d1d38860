"""A report in one HTML file that asks nothing of the network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowtriage.atomic import replacing
from flowtriage.humanize import sanitize
from flowtriage.render.assets import asset
from flowtriage.render.html_tables import MAX_ROWS, table_body
from flowtriage.render.plots import bokeh_scripts, plot_figure, policy
from flowtriage.render.table_head import is_table

if TYPE_CHECKING:
    from flowtriage.render.section import Section

MAP_NOTE = "The map itself needs a map server; these are the places on it."


@dataclass(frozen=True)
class Part:
    """A section as the template needs it.

    Parameters
    ----------
    title
        Heading.
    depth
        Level of the heading, from 2 to 6.
    paragraphs
        Explanation, as text.
    blocks
        Contents, as HTML.
    """

    title: str
    depth: int
    paragraphs: list[str]
    blocks: list[str]


def write_report(
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

    The file holds everything it needs, and its content security policy forbids all requests and
    all scripts but its own; JavaScript callbacks within a plot are not run. The file appears at
    once and whole, or not at all.

    Parameters
    ----------
    sections
        What to show, in order: tables, Bokeh layouts, texts, and maps with a table `places`,
        which is listed in their stead, since a map cannot be seen without a server.
    path
        File to write; replaced if it exists.
    title
        Heading of the report.
    summary
        Facts at its top: host, time span, numbers of rows, file names.
    credits
        Whose data is shown, with the link that they ask for.
    max_rows
        How many rows of a table to show.
    dated
        Whether the page tells when it was written; without that, the same sections make the same
        bytes.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    TypeError
        If a section contains something else.
    OSError
        If the file cannot be written.
    """
    plots: list[Any] = []
    parts = [_part(section, plots, max_rows) for section in sections]
    scripts = [*bokeh_scripts(plots), asset("plots.js"), asset("tables.js")]
    page = _template().render(
        title=sanitize(title),
        summary=[(sanitize(key), sanitize(str(value))) for key, value in summary.items()],
        parts=parts,
        policy=policy(scripts),
        style=asset("tables.css") + asset("page.css"),
        scripts=scripts,
        credits=credits or {},
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}" if dated else "",
    )
    path = Path(path)
    with replacing(path) as file:
        file.write(page.encode())
    return path


def _part(section: Section, plots: list[Any], max_rows: int) -> Part:
    heading = sanitize(section.title)
    texts = sanitize(section.text, multiline=True).split("\n\n")
    return Part(
        title=heading,
        depth=min(max(section.level, 1) + 1, 6),
        paragraphs=[text.strip() for text in texts if text.strip()],
        blocks=[_block(content, heading, plots, max_rows) for content in section.contents],
    )


def _block(content: object, heading: str, plots: list[Any], max_rows: int) -> str:
    if isinstance(content, str):
        return f"<p>{escape(sanitize(content, multiline=True))}</p>"
    if is_table(content):
        return table_body(content, max_rows=max_rows, label=heading)
    if is_table(places := getattr(content, "places", None)):
        return f"<p>{MAP_NOTE}</p>{table_body(places, max_rows=max_rows, label=heading)}"
    if _is_plot(content):
        plots.append(content)
        return plot_figure(content, f"plot-{len(plots)}", heading)
    raise TypeError(f"a report cannot show {type(content).__name__}, in section {heading!r}")


def _is_plot(content: object) -> bool:
    return any(base.__module__.startswith("bokeh.") for base in type(content).__mro__)


def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(asset("page.html.j2"))
