"""Attributes that are made when they are first asked for."""

from __future__ import annotations

import html
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flowtriage.inputs.timespan import Timespan
from flowtriage.notebooklet.docstring import parse
from flowtriage.quality.report import ReadReport
from flowtriage.render.section import Section
from flowtriage.render.text_tables import text_table


@dataclass(frozen=True)
class Lazy:
    """A value to be made when an `LazyAttribute` attribute is first read.

    Attributes
    ----------
    make
        Makes the value; a function of a module, or a `functools.partial` of one, can be pickled.
    """

    make: Callable[[], Any]


class LazyAttribute:
    """An attribute that may be set to `Lazy`, and then holds what that makes.

    Examples
    --------
    >>> class Result:
    ...     table = OnDemand()
    >>> result = Result()
    >>> result.table = Later(lambda: ["made"])
    >>> result.table is result.table
    True
    """

    def __set_name__(self, owner: type, name: str) -> None:
        """Learn the attribute's name."""
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        """Return the value, made now if it was not yet."""
        if instance is None:
            return self
        try:
            value = vars(instance)[self._name]
        except KeyError:
            raise AttributeError(self._name) from None
        if isinstance(value, Lazy):
            value = vars(instance)[self._name] = value.make()
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        """Take a value, or what makes it later."""
        vars(instance)[self._name] = value


_MAX_LENGTH = 3000
"""Characters that a summary shows of a value which is no table, plot or map."""
_ROWS, _TABLE_HEIGHT = 100, "20rem"
"""How much a summary shows of a table."""


class NotebookletResult:
    """What a run of a notebooklet returns.

    Attributes
    ----------
    description : str
        What was run, on what.
    timespan : Span or None
        The span of time that the result covers.
    notebooklet : Notebooklet
        The notebooklet that made it.
    report : Report
        What was found while reading the flows.
    sections : list of Section
        What is shown of it, in order.
    credits : dict
        Whom to name, with links, where the result is published.
    """

    def __init__(
        self,
        *,
        description: str,
        timespan: Timespan | None = None,
        notebooklet: Any = None,
        report: ReadReport | None = None,
    ) -> None:
        self.description = description
        self.timespan = timespan
        self.notebooklet = notebooklet
        self.report = report or ReadReport()
        self.sections: list[Section] = []
        self.credits: dict[str, str] = {}

    def attributes(self) -> dict[str, Any]:
        """Return the result's data by name: all public attributes that hold something."""
        return {name: getattr(self, name) for name in self.properties}

    @property
    def properties(self) -> list[str]:
        """Names of the attributes that hold something."""
        own = {"description", "timespan", "notebooklet", "report", "sections", "credits"}
        return [
            name
            for name, value in vars(self).items()
            if not name.startswith("_") and name not in own and value is not None
        ]

    def prop_doc(self, name: str) -> tuple[str, str]:
        """Return the type and the description of an attribute.

        Parameters
        ----------
        name
            Name of the attribute.

        Raises
        ------
        KeyError
            If the result has no attribute of that name.

        Examples
        --------
        >>> NotebookletResult(description="x").prop_doc("description")
        ('str', 'What was run, on what.')
        """
        return self._descriptions()[name]

    def data_properties(self, empty: bool = False) -> list[str]:
        """Return the names of the attributes that are tables.

        Parameters
        ----------
        empty
            Whether to name those without rows, too.
        """
        tables = {name: v for name, v in self.attributes().items() if hasattr(v, "iloc")}
        return [name for name, table in tables.items() if empty or len(table)]

    def vis_properties(self) -> list[str]:
        """Return the names of the attributes that are plots."""
        plots = "bokeh."
        return [n for n, v in self.attributes().items() if type(v).__module__.startswith(plots)]

    def __getattr__(self, name: str) -> Any:
        """Return a method of the notebooklet itself: `result.select_asns()`."""
        if not name.startswith("_") and self.__dict__.get("notebooklet") is not None:
            methods = self.notebooklet.get_methods()
            if name in methods:
                return methods[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def facts(self) -> dict[str, str]:
        """Return what a reader should know first, as label and text."""
        return self.report.facts()

    def write_html(self, path: str | os.PathLike[str]) -> Path:
        """Write the result as one self-contained HTML page.

        Parameters
        ----------
        path
            The file; it is replaced as a whole or not at all.

        Returns
        -------
        pathlib.Path
            The file.
        """
        from flowtriage.render import write_page

        return write_page(
            self.sections,
            path,
            title=self.description,
            summary=self.facts(),
            credits=self.credits,
        )

    def _descriptions(self) -> dict[str, tuple[str, str]]:
        kind: type = type(self)
        return _described(kind)

    def __repr__(self) -> str:
        """Show the result as text."""
        lines = [self.description, "", *(f"{k}: {v}" for k, v in self.facts().items()), ""]
        lines += [f"{name}: {_sketch(value)}" for name, value in self.attributes().items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from flowtriage.render import plot_frame
        from flowtriage.render.html_tables import AS_TEXT, table_body, with_assets

        plots = {name: getattr(self, name) for name in self.vis_properties()}
        parts = [f"<h3>{html.escape(self.description)}</h3>", self.report._repr_html_()]
        for name, value in self.attributes().items():
            parts.append(f"<h4>{html.escape(name)}</h4>")
            if said := self._descriptions().get(name, ("", ""))[1]:
                parts.append(f"<p>{html.escape(said)}</p>")
            if hasattr(value, "iloc"):
                parts.append(table_body(value, max_rows=_ROWS, label=name))
            elif name in plots:
                if name == next(reversed(plots)):
                    parts.append(plot_frame(plots))
            elif hasattr(value, "folium_map"):
                parts.append(value._repr_html_())
            else:
                parts.append(f"<pre>{html.escape(str(value)[:_MAX_LENGTH])}</pre>")
        height = f"--ft-height: {_TABLE_HEIGHT}"
        return with_assets(f'<div class="{AS_TEXT}" style="{height}">{"".join(parts)}</div>')


@cache
def _described(cls: type) -> dict[str, tuple[str, str]]:
    """Types and descriptions of the attributes that the docstrings of a class tell of."""
    found: dict[str, tuple[str, str]] = {}
    for kind in reversed(cls.__mro__):
        for term, text in parse(kind).sections.get("Attributes", []):
            name, _, of_type = term.partition(" : ")
            found[name] = (of_type, text)
    return found


def _sketch(value: Any) -> str:
    if hasattr(value, "iloc"):
        return f"{len(value):,} rows\n{text_table(value, 5)}"
    name = type(value).__name__
    text = str(value).split("\n", 1)[0]
    return text if len(text) <= 100 else name
