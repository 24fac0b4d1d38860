"""Help pages of notebooklets, from docstrings and metadata."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from flowtriage.errors import ArgumentError
from flowtriage.notebooklet.docstring import Item, parse

_CODE = re.compile(r"`+([^`]+)`+")
_SPECIAL = re.compile(r"([\\*_<>\[\]#|])")


@dataclass(frozen=True)
class Part:
    """A part of a help page; an item without a term is a paragraph."""

    kind: Literal["heading", "items", "code"]
    text: str = ""
    level: int = 0
    items: tuple[Item, ...] = ()


def get_help(notebooklet: type[Any], fmt: str) -> str:
    """Return the help page of a notebooklet (see `HasMetadata.get_help`)."""
    if fmt == "html":
        return "\n".join(map(_html_part, _parts(notebooklet)))
    if fmt in ("md", "markdown"):
        return "\n\n".join(map(_markdown_part, _parts(notebooklet))) + "\n"
    raise ArgumentError(f"unknown help format {fmt!r}; give html or md")


def docstring_html(documented: Any, title: str, *, sections: bool = True) -> str:
    """Return the docstring of an object as HTML, under a title, with or without its sections."""
    parts = [Part("heading", title, 1), *_docstring(documented)]
    return "\n".join(map(_html_part, parts if sections else parts[:2]))


def _parts(cls: type[Any]) -> Iterator[Part]:
    yield Part("heading", f"Notebooklet Class - {cls.name()}", 1)
    yield from _docstring(cls)
    yield Part("heading", "Display Sections", 2)
    for section in cls.metadata.sections.values():
        yield Part("heading", section.title, 2 + section.level)
        if section.text:
            yield Part("items", items=(("", section.text),))
    result = inspect.signature(cls.run, eval_str=False).return_annotation
    yield Part("heading", "Results Class", 2)
    yield Part("heading", str(result), 3)
    yield from _docstring(getattr(inspect.getmodule(cls), str(result), None), level=4)
    yield Part("heading", "Methods", 2)
    for title, names in _methods(cls).items():
        yield Part("heading", title, 3)
        for name in names:
            yield Part("heading", name, 4)
            yield from _method(cls, name)
    yield Part("heading", "`run` function documentation", 2)
    yield from _docstring(cls.run, level=3)


def _docstring(documented: Any, level: int = 3) -> Iterator[Part]:
    doc = parse(documented)
    yield Part("items", items=(("", doc.summary), *doc.text))
    for title, items in doc.sections.items():
        yield Part("heading", title, level)
        if title == "Examples":
            yield Part("code", items[0][1])
        else:
            yield Part("items", items=tuple(items))


def _methods(cls: type[Any]) -> dict[str, list[str]]:
    """Return the names of public methods and properties by the title of their section."""
    members = {n: m for n, m in inspect.getmembers_static(cls) if not n.startswith("_")}
    own = {name for kind in cls.own_classes() for name in vars(kind)}
    bound = [name for name, member in members.items() if inspect.isfunction(member)]
    others = (classmethod, staticmethod, property)
    return {
        "Instance Methods": ["__init__", *(name for name in bound if name in own)],
        "Inherited methods": [name for name in bound if name not in own],
        "Other Methods": [name for name, member in members.items() if isinstance(member, others)],
    }


def _method(cls: type, name: str) -> Iterator[Part]:
    member = inspect.getattr_static(cls, name)
    if isinstance(member, property):
        yield Part("code", f"{name} [property]")
    else:
        yield Part("code", f"{name}{_signature(getattr(cls, name))}")
    yield Part("items", items=(("", parse(member).summary),))


class _Plain(str):
    """An annotation whose `repr` has no quotation marks."""

    __slots__ = ()
    __repr__ = str.__str__


def _signature(function: Any) -> inspect.Signature:
    found = inspect.signature(function)
    return found.replace(
        parameters=[
            p if p.annotation is p.empty else p.replace(annotation=_Plain(p.annotation))
            for p in found.parameters.values()
        ],
        return_annotation=_Plain(found.return_annotation),
    )


def _html_part(part: Part) -> str:
    if part.kind == "heading":
        level = min(part.level, 6)
        return f"<h{level}>{_html_text(part.text)}</h{level}>"
    if part.kind == "code":
        return f"<pre>{html.escape(part.text)}</pre>"
    return "\n".join(
        f"<p><b>{_html_text(term)}</b>: {_html_text(text)}</p>"
        if term not in ("", "-")
        else f"<p>{'• ' if term else ''}{_html_text(text)}</p>"
        for term, text in part.items
    )


def _html_text(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", html.escape(text))


def _markdown_part(part: Part) -> str:
    if part.kind == "heading":
        return f"{'#' * part.level} {_markdown_text(part.text)}"
    if part.kind == "code":
        return f"```python\n{part.text}\n```"
    return "\n\n".join(
        f"- **{_markdown_text(term)}**: {_markdown_text(text)}"
        if term not in ("", "-")
        else f"{'- ' if term else ''}{_markdown_text(text)}"
        for term, text in part.items
    )


def _markdown_text(text: str) -> str:
    """Escape special characters outside of code."""
    parts = re.split(r"(`+[^`]+`+)", text)
    return "".join(p if p.startswith("`") else _SPECIAL.sub(r"\\\1", p) for p in parts)
