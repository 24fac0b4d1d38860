"""What a notebooklet shows: titled sections, the same in a notebook, a terminal and a report."""

from __future__ import annotations

from dataclasses import dataclass


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
