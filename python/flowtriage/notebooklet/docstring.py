"""Docstrings in numpy style, taken apart."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Item: TypeAlias = tuple[str, str]
"""A term and what is said of it; of plain text, an empty term."""
_BULLET = re.compile(r"- (?:(\w+): )?(.*)")


@dataclass
class Docstring:
    """A docstring in parts.

    Attributes
    ----------
    summary
        Its first paragraph.
    text
        The paragraphs and list items before the first section.
    sections
        The sections by title, in order; of `Examples` the code, as one item.
    """

    summary: str
    text: list[Item]
    sections: dict[str, list[Item]] = field(default_factory=dict)


def parse(documented: Any) -> Docstring:
    """Take the docstring of an object apart.

    Examples
    --------
    >>> parse(parse).sections["Examples"][0][1].splitlines()[0]
    '>>> parse(parse).sections["Examples"][0][1].splitlines()[0]'
    """
    lines = (inspect.getdoc(documented) or "").split("\n")
    heads = [
        place
        for place, line in enumerate(lines[1:])
        if set(line) == {"-"} and lines[place].strip() and len(line) >= 3
    ]
    ends = [*heads, len(lines)]
    opening = _prose(lines[: ends[0]])
    sections = {
        lines[head].strip(): _section(lines[head].strip(), lines[head + 2 : end])
        for head, end in zip(heads, ends[1:], strict=True)
    }
    summary = opening[0][1] if opening else ""
    return Docstring(summary, opening[1:], sections)


def _section(title: str, lines: list[str]) -> list[Item]:
    if title == "Examples":
        return [("", "\n".join(lines).strip())]
    if any(line.startswith("    ") for line in lines):
        return _definitions(lines)
    return _prose(lines)


def _definitions(lines: list[str]) -> list[Item]:
    items: list[tuple[str, list[str]]] = []
    for line in lines:
        if line and not line.startswith(" "):
            items.append((line.strip(), []))
        elif line.strip() and items:
            items[-1][1].append(line.strip())
    return [(term, " ".join(text)) for term, text in items]


def _prose(lines: list[str]) -> list[Item]:
    """Paragraphs, and items of lists that begin with a hyphen."""
    items: list[tuple[str, list[str]]] = []
    new = True
    for line in lines:
        bullet = _BULLET.fullmatch(line.strip())
        if bullet and line.strip().startswith("- "):
            items.append((bullet[1] or "-", [bullet[2]]))
            new = False
        elif not line.strip():
            new = True
        elif new:
            items.append(("", [line.strip()]))
            new = False
        else:
            items[-1][1].append(line.strip())
    return [(term, " ".join(text)) for term, text in items]
