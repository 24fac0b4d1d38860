"""What an analyst sees of an investigation, apart from the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from flowtriage.errors import ArgumentError
from flowtriage.notebooklet.display import Section, show

if TYPE_CHECKING:
    from flowtriage.threat_investigation.notebooklet import FlowThreatInvestigation
    from flowtriage.threat_investigation.result import FlowThreatResult


class View:
    """Tables and text, for front ends without widgets.

    Parameters
    ----------
    investigation
        The notebooklet; its methods are what there is to call.

    Attributes
    ----------
    parts : list of str
        Names of the parts that are shown, in order.
    """

    def __init__(self, investigation: FlowThreatInvestigation) -> None:
        self.investigation = investigation
        self.parts: list[str] = []

    def clear(self) -> None:
        """Remove everything."""
        self.parts.clear()

    def controls(self, threats: pa.Table) -> None:
        """Show the addresses to choose from, and how to search."""
        self._add("controls", self._listing(threats))

    def results(self, result: FlowThreatResult) -> None:
        """Show what a search found."""
        for section in result.sections:
            self._show(section)

    def renew(self, result: FlowThreatResult) -> None:
        """Show what changed in the store; text that was shown stays as it is."""

    def threat_box(self, ip: str) -> None:
        """Show where to write down a story."""
        told = self.investigation.section("threat_box", f"The address is {ip}.")
        self._add("threat_box", told)

    def say(self, text: str) -> None:
        """Say what was done."""
        self._add("said", self.investigation.section("said", text))

    def remove(self, index: int) -> None:
        """Remove a part, counted from 0.

        Raises
        ------
        ArgumentError
            If there is no such part.
        """
        known = range(len(self.parts))
        if isinstance(index, bool) or not isinstance(index, int) or index not in known:
            raise ArgumentError(
                f"there is no part {index!r}; there are {len(known)}, counted from 0"
            )
        del self.parts[index]

    def _listing(self, threats: pa.Table) -> Section:
        name = "threats" if "as_source" in threats.column_names else "talkers"
        return self.investigation.section(name, threats)

    def _add(self, part: str, section: Section) -> None:
        self.parts.append(part)
        self._show(section)

    def _show(self, section: Section) -> None:
        if not self.investigation.silent:
            show(section)
