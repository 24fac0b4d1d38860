"""Sections: titled parts of what a notebooklet or a report shows."""

from __future__ import annotations

from dataclasses import dataclass, replace


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
