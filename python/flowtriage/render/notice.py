"""A notice: a few facts in view, and details one click away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from flowtriage.humanize import sanitize


@dataclass(frozen=True)
class Notice:
    """Facts that limit a result; its values are untrusted, and escaped where they are shown.

    Parameters
    ----------
    title
        What the facts are about.
    facts
        Labels and texts in view.
    summary
        What the details are, and for a terminal, where to find them.
    details, listed
        Labels and texts, and lines after them, that a click shows.
    """

    title: str
    facts: Mapping[str, str]
    summary: str
    details: Mapping[str, str] = field(default_factory=dict)
    listed: Sequence[str] = ()

    def as_text(self) -> str:
        """Render the notice as text, without the details."""
        lines = [f"  {label}: {text}" for label, text in self.facts.items()]
        return "\n".join(map(sanitize, [f"{self.title}:", *lines, f"  {self.summary}"]))

    def as_html(self, *, classes: str = "") -> str:
        """Render the notice as HTML without its style, in an element with further classes."""
        listed = "".join(f"<li>{_escaped(line)}</li>" for line in self.listed)
        return (
            f'<div class="ft-notice {classes}" role="note" aria-label="{_escaped(self.title)}">'
            f"<p>{_escaped(self.title)}</p>{_list(self.facts)}<details>"
            f"<summary>{_escaped(self.summary)}</summary>{_list(self.details)}"
            f"{f'<ul>{listed}</ul>' if listed else ''}</details></div>"
        )


def _list(facts: Mapping[str, str]) -> str:
    rows = (f"<dt>{_escaped(k)}</dt><dd>{_escaped(v)}</dd>" for k, v in facts.items())
    return f"<dl>{''.join(rows)}</dl>"


def _escaped(text: str) -> str:
    return escape(sanitize(text))
