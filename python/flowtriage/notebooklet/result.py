"""What a run of a notebooklet returns."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import Any

from flowtriage.formats.report import Report
from flowtriage.notebooklet.display import Section, text_table
from flowtriage.timespan import Span


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
        timespan: Span | None = None,
        notebooklet: Any = None,
        report: Report | None = None,
    ) -> None:
        self.description = description
        self.timespan = timespan
        self.notebooklet = notebooklet
        self.report = report or Report()
        self.sections: list[Section] = []
        self.credits: dict[str, str] = {}

    def attributes(self) -> dict[str, Any]:
        """Return the result's data by name: all public attributes that hold something."""
        own = {"description", "timespan", "notebooklet", "report", "sections", "credits"}
        return {
            name: value
            for name, value in vars(self).items()
            if not name.startswith("_") and name not in own and value is not None
        }

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
        from flowtriage.report import write_report

        return write_report(
            self.sections,
            path,
            title=self.description,
            summary=self.facts(),
            credits=self.credits,
        )

    def __repr__(self) -> str:
        """Show the result as text."""
        lines = [self.description, "", *(f"{k}: {v}" for k, v in self.facts().items()), ""]
        lines += [f"{name}: {_sketch(value)}" for name, value in self.attributes().items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from flowtriage.report import html_table

        parts = [f"<h3>{html.escape(self.description)}</h3>", self.report._repr_html_()]
        for name, value in self.attributes().items():
            parts.append(f"<h4>{html.escape(name)}</h4>")
            if hasattr(value, "iloc"):
                parts.append(f"<p>{len(value):,} rows</p>{html_table(value, max_rows=10)}")
            else:
                parts.append(f"<p>{html.escape(_sketch(value))}</p>")
        return "".join(parts)


def _sketch(value: Any) -> str:
    if hasattr(value, "iloc"):
        return f"{len(value):,} rows\n{text_table(value, 5)}"
    name = type(value).__name__
    text = str(value).split("\n", 1)[0]
    return text if len(text) <= 100 else name
