"""Results of notebooklets."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from flowtriage.errors import MsticnbMissingParameterError
from flowtriage.humanize import counted
from flowtriage.inputs.timespan import Timespan, TimespanLike, as_msticpy, parse_timespan
from flowtriage.msticnb import as_theirs
from flowtriage.notebooklet.docstring import parse
from flowtriage.notebooklet.metadata import Metadata, metadata_of
from flowtriage.notebooklet.values import Rebuild, is_plot, picklable, same
from flowtriage.notebooklet.view_events import view_events
from flowtriage.quality import TITLE, notices
from flowtriage.quality.report import ReadReport
from flowtriage.render.notebook import show
from flowtriage.render.notice import Notice
from flowtriage.render.section import Section
from flowtriage.render.text_tables import text_table

if TYPE_CHECKING:
    import pandas as pd
    from msticpy.common.timespan import TimeSpan
    from msticpy.nbwidgets import SelectItem


@dataclass(frozen=True)
class Lazy:
    """A value that a `LazyAttribute` makes when it is first read.

    A result can be pickled if `make` is a function of a module, a method of an Arrow table, or a
    `functools.partial` of one of these; not a lambda.
    """

    make: Callable[[], Any]


class LazyAttribute:
    """An attribute that may be set to a `Lazy`, and then holds its value.

    Examples
    --------
    >>> class Result:
    ...     table = LazyAttribute()
    >>> result = Result()
    >>> result.table = Lazy(lambda: ["made"])
    >>> result.table is result.table
    True
    """

    def __set_name__(self, owner: type, name: str) -> None:
        """Store the attribute's name."""
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        """Return the value; make it at the first access."""
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
        """Set the value, or the `Lazy` that makes it."""
        vars(instance)[self._name] = value


class NotebookletLike(Protocol):
    """The notebooklet of a result."""

    silent: bool

    @property
    def data_providers(self) -> Any:
        """The providers of data."""

    @property
    def metadata(self) -> Metadata:
        """Titles and texts of the sections."""


_OWN = ("description", "notebooklet", "report", "sections", "credits")
"""Attributes of every result, which are not its data."""
_MAX_LENGTH = 3000
"""Characters shown of a value other than a table, plot or map."""
_ROWS, _TABLE_HEIGHT = 100, "20rem"
"""Size of a table in the summary of a result."""


class NotebookletResult:
    """The result of one run of a notebooklet.

    Results can be copied, pickled and compared. A pickled result has no notebooklet. Results are
    equal if their data are; they are not hashable, because their attributes can change. Methods
    and attributes of the notebooklet can be reached through its result.

    Parameters
    ----------
    description
        Name of the notebooklet's task and the value it ran on; None takes the name of the class.
    timespan
        A timespan in any form that `run` takes. An open one, or any without msticpy, stays a
        `Timespan`, which has the same attributes.
    notebooklet
        The notebooklet that made it.
    report
        Report on the flows that were read.

    Attributes
    ----------
    description : str
        Name of the notebooklet's task and the value it ran on.
    timespan : msticpy.common.timespan.TimeSpan or None
        The span of time that the result covers, in UTC.
    notebooklet : Notebooklet or None
        The notebooklet that made it; None after unpickling.
    report : ReadReport
        Report on the flows that were read.
    sections : list of Section
        The displayed sections, in order.
    credits : dict
        Attributions, with links, that a publication of the result has to give.
    """

    def __init__(
        self,
        description: str | None = None,
        timespan: TimespanLike | None = None,
        notebooklet: NotebookletLike | None = None,
        *,
        report: ReadReport | None = None,
    ) -> None:
        self.description = description or type(self).__name__
        self.timespan = timespan
        self.notebooklet = notebooklet
        self.report = report or ReadReport()
        self.sections: list[Section] = []
        self.credits: dict[str, str] = {}

    @property
    def timespan(self) -> TimeSpan | Timespan | None:
        """The span of time that the result covers, in UTC."""
        return as_msticpy(self._span)

    @timespan.setter
    def timespan(self, timespan: TimespanLike | None) -> None:
        self._span = parse_timespan(timespan)

    def attributes(self) -> dict[str, Any]:
        """Return the result's data by name: all public attributes that are not None."""
        return {name: getattr(self, name) for name in self.properties}

    @property
    def properties(self) -> list[str]:
        """Names of the data attributes that are not None."""
        return [
            name
            for name, value in vars(self).items()
            if not name.startswith("_") and name not in _OWN and value is not None
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
        ('str', "Name of the notebooklet's task and the value it ran on.")
        """
        return self._descriptions()[name]

    def data_properties(self, empty: bool = False) -> list[str]:
        """Return the names of the attributes that are tables.

        Parameters
        ----------
        empty
            Whether to include tables without rows.
        """
        tables = {name: v for name, v in self.attributes().items() if hasattr(v, "iloc")}
        return [name for name, table in tables.items() if empty or len(table)]

    def vis_properties(self) -> list[str]:
        """Return the names of the attributes that are plots."""
        return [name for name, value in self.attributes().items() if is_plot(value)]

    def notice(self) -> list[Notice]:
        """Return what limits the flows that were read, with the report: one notice, or none.

        It belongs under the heading of the result.
        """
        facts = notices(self.report)
        if not facts:
            return []
        bad = [str(row) for row in self.report.bad_rows]
        details = self.report.facts()
        return [Notice(TITLE, facts, "The whole report (result.report)", details, bad)]

    def present(self, section: Section, *, silent: bool = False) -> None:
        """Add a section, and display it unless silent.

        Parameters
        ----------
        section
            The section.
        silent
            Whether to display nothing.
        """
        self.sections.append(section)
        if not silent:
            show(section)

    def _section(self, name: str, *contents: object) -> Section:
        """Return a section of the notebooklet's metadata with these contents."""
        kind: type = type(self)
        metadata = self.notebooklet.metadata if self.notebooklet else metadata_of(kind)
        return metadata.sections[name].with_contents(*contents)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the notebooklet, such as `result.run`."""
        notebooklet = vars(self).get("notebooklet")
        if not name.startswith("_") and hasattr(notebooklet, name):
            return getattr(notebooklet, name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def view_events(
        self,
        summary_cols: Sequence[str] | str | None = None,
        attrib: str | None = None,
        data: pd.DataFrame | None = None,
        **kwargs: Any,
    ) -> SelectItem:
        """Return a list of the rows of a table, which shows the one that is selected.

        Parameters
        ----------
        summary_cols
            Columns in the list; None takes the first three.
        attrib
            Name of an attribute of the result with a table.
        data
            The table, if it is not an attribute.
        **kwargs
            Further parameters of msticpy's `SelectItem`.

        Raises
        ------
        MsticnbMissingParameterError
            If neither `attrib` nor `data` is given.
        ArgumentError
            If there is no such table or column, or the table has no rows.
        """
        if data is None and attrib is None:
            raise as_theirs(
                MsticnbMissingParameterError("attrib and data are missing; give one of them")
            )
        if attrib is not None:
            data = self.attributes().get(attrib)
        return view_events(data, summary_cols, **kwargs)

    def facts(self) -> dict[str, str]:
        """Return the main facts of the result as labels and texts."""
        return self.report.facts()

    def write_html(self, path: str | os.PathLike[str]) -> Path:
        """Write the result as one self-contained HTML page.

        Parameters
        ----------
        path
            The file; an existing one is replaced atomically.

        Returns
        -------
        pathlib.Path
            The file.
        """
        from flowtriage.render import write_page

        return write_page(
            self.sections, path, title=self.description, summary=self.facts(), credits=self.credits
        )

    @classmethod
    @cache
    def _descriptions(cls) -> dict[str, tuple[str, str]]:
        """Return the types and descriptions in the docstrings of the class and its bases."""
        found: dict[str, tuple[str, str]] = {}
        for kind in reversed(cls.__mro__):
            for term, text in parse(kind).sections.get("Attributes", []):
                name, _, of_type = term.partition(" : ")
                found[name] = (of_type, text)
        return found

    def __eq__(self, other: object) -> bool:
        """Compare description, timespan, report and data; values that cannot be compared differ."""
        if type(other) is not type(self):
            return NotImplemented
        try:
            return same(self._compared(), other._compared())
        except Exception:
            return False

    def _compared(self) -> dict[str, Any]:
        own = {"description": self.description, "timespan": self._span, "report": self.report}
        return own | self.attributes()

    def __copy__(self) -> Self:
        """Return a result with the same values, and a list of sections of its own."""
        made = object.__new__(type(self))
        vars(made).update(vars(self), sections=list(self.sections), credits=dict(self.credits))
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a result with copies of all values, of the same notebooklet."""
        made = memo[id(self)] = copy(self)
        vars(made).update(deepcopy(self.__getstate__(), memo), notebooklet=self.notebooklet)
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for pickling, without the notebooklet."""
        plots: dict[int, Rebuild] = {}
        state = {name: picklable(value, plots) for name, value in vars(self).items()}
        return state | {"notebooklet": None}

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
            if text := self._descriptions().get(name, ("", ""))[1]:
                parts.append(f"<p>{html.escape(text)}</p>")
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


def _sketch(value: Any) -> str:
    if hasattr(value, "iloc"):
        return f"{counted(len(value), 'row')}\n{text_table(value, 5)}"
    name = type(value).__name__
    text = str(value).split("\n", 1)[0]
    return text if len(text) <= 100 else name
