"""Help pages of notebooklets, from docstrings and metadata."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flowtriage.errors import ArgumentError
from flowtriage.notebooklet.docstring import Item, parse

_CODE = re.compile(r"`+([^`]+)`+")
_SPECIAL = re.compile(r"([\\*_<>\[\]#|])")


@dataclass(frozen=True)
class Part:
    """A part of a help page.

    Attributes
    ----------
    kind
        `heading`, `items` or `code`.
    text
        Plain text of a heading, or code.
    level
        Level of a heading, 1 for the page.
    items
        Terms and texts; an item without a term is a paragraph.
    """

    kind: str
    text: str = ""
    level: int = 0
    items: tuple[Item, ...] = ()


def get_help(notebooklet: type[Any], fmt: str) -> str:
    """Return the help page of a notebooklet.

    Parameters
    ----------
    notebooklet
        The class.
    fmt
        `html`, or `md` for Markdown.

    Raises
    ------
    ArgumentError
        If the format is unknown.
    """
    writers = {"html": _html, "md": _markdown, "markdown": _markdown}
    if fmt not in writers:
        raise ArgumentError(f"unknown help format {fmt!r}; give html or md")
    return writers[fmt](list(_parts(notebooklet)))


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
    for title, options in (
        ("Default Options", cls.metadata.default_options),
        ("Other Options", cls.metadata.other_options),
    ):
        yield Part("heading", title, 3)
        yield Part("items", items=tuple(options.items()))


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
    names = [name for name, member in inspect.getmembers(cls) if not name.startswith("_")]
    own = {name for kind in cls.own_classes() for name in vars(kind)}
    bound = [name for name in names if _is_of_instance(inspect.getattr_static(cls, name))]
    methods = [name for name in names if callable(getattr(cls, name)) or _is_property(cls, name)]
    return {
        "Instance Methods": ["__init__", *(name for name in bound if name in own)],
        "Inherited methods": [name for name in bound if name not in own],
        "Other Methods": [name for name in methods if name not in bound],
    }


def _is_of_instance(member: Any) -> bool:
    return inspect.isfunction(member)


def _is_property(cls: type, name: str) -> bool:
    return isinstance(inspect.getattr_static(cls, name), property)


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


def _html(parts: list[Part]) -> str:
    return "\n".join(map(_html_part, parts))


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


def _markdown(parts: list[Part]) -> str:
    return "\n\n".join(map(_markdown_part, parts)) + "\n"


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
