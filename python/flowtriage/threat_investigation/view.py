"""What an analyst sees of an investigation, apart from the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from flowtriage.errors import ArgumentError
from flowtriage.notebooklet.display import Section, show

if TYPE_CHECKING:
    from flowtriage.threat_investigation.notebooklet import FlowThreatInvestigation


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
        name = "threats" if "as_source" in threats.column_names else "talkers"
        self._add("controls", self.investigation.section(name, threats))

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
        if (
            isinstance(index, bool)
            or not isinstance(index, int)
            or not 0 <= index < len(self.parts)
        ):
            raise ArgumentError(
                f"there is no part {index!r}; there are {len(self.parts)}, counted from 0"
            )
        del self.parts[index]

    def _add(self, part: str, section: Section) -> None:
        self.parts.append(part)
        if not self.investigation.silent:
            show(section)
