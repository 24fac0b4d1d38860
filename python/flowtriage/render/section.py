"""Sections: the titled parts of a notebooklet's output or a page."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Section:
    """One titled part of the output.

    Parameters
    ----------
    title
        Title, plain text.
    text
        Explanation below the title, plain text; may be empty.
    level
        Heading level: 1 for the notebooklet itself, 2 for its parts.
    contents
        Contents after the text, in order: `pyarrow.Table`, `pandas.DataFrame`, a Bokeh layout,
        a folium map, a `Notice`, a `FindingList`, or plain text.
    """

    title: str
    text: str = ""
    level: int = 2
    contents: tuple[object, ...] = ()

    def with_contents(self, *contents: object) -> Section:
        """Return a copy with these contents."""
        return replace(self, contents=contents)


def anchor(title: str) -> str:
    """Return the HTML id of the heading of a section.

    Examples
    --------
    >>> anchor("Flow Index.")
    'ft-flow-index'
    """
    return f"ft-{re.sub('[^a-z0-9]+', '-', title.lower()).strip('-') or 'section'}"
