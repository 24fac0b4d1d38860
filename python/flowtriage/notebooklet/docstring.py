"""Parser of numpy docstrings (see `docs/decisions/0009-docstrings.md`)."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Any, TypeAlias

Item: TypeAlias = tuple[str, str]
"""A term and its text; the term of a paragraph is empty, that of a plain bullet is `-`."""
_BULLET = re.compile(r"- (?:(\w+): )?(.*)")


@dataclass
class Docstring:
    """The parts of a docstring; in `sections`, the code of `Examples` is one item."""

    summary: str
    text: list[Item]
    sections: dict[str, list[Item]]


def parse(documented: Any) -> Docstring:
    """Parse the docstring of an object.

    Examples
    --------
    >>> parse(parse).sections["Examples"][0][1].splitlines()[0]
    '>>> parse(parse).sections["Examples"][0][1].splitlines()[0]'
    """
    lines = (inspect.getdoc(documented) or "").split("\n")
    titles = [
        number
        for number, line in enumerate(lines[1:])
        if set(line) == {"-"} and lines[number].strip() and len(line) >= 3
    ]
    ends = [*titles, len(lines)]
    opening = _prose(lines[: ends[0]])
    sections = {
        lines[title].strip(): _section(lines[title].strip(), lines[title + 2 : end])
        for title, end in zip(titles, ends[1:], strict=True)
    }
    return Docstring(opening[0][1] if opening else "", opening[1:], sections)


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
    """Parse paragraphs and bullets."""
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
