"""What an analyst sees of an investigation, apart from the results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from flowtriage.errors import ArgumentError
from flowtriage.inputs.hosts import parse_single_address
from flowtriage.render.notebook import show
from flowtriage.render.section import Section
from flowtriage.threat_investigation.methods import DataMethods
from flowtriage.threat_investigation.result import DIRECTIONS, FlowThreatResult, top_tables
from flowtriage.threat_investigation.search import Connections, as_connections, check_top, top_of


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

    def __init__(self, investigation: DisplayMethods) -> None:
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

    def refresh(self, result: FlowThreatResult) -> None:
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


class DisplayMethods(DataMethods):
    """The methods that show an investigation, and work on it where it is shown."""

    view: View
    selected: str | None
    title: str
    comments: str

    def start_investigation(self) -> None:
        """Begin anew: forget what was found, and list the addresses of high risk."""
        self._result = None
        self.selected = None
        self.title = self.comments = ""
        self.view.clear()
        threats = self.threats()
        self.display_controls(threats if threats.num_rows or self.store else self.talkers())

    def display_controls(self, threat_list: Any) -> None:
        """Show addresses to choose from.

        Parameters
        ----------
        threat_list
            Result of `threats` or `talkers`, or the addresses alone.
        """
        if not hasattr(threat_list, "column_names"):
            listed = pa.array([parse_single_address(ip) for ip in threat_list], pa.string())
            threat_list = pa.table({"ip": listed})
        self.view.controls(threat_list)

    def search_ip(self, ip: str | None = None) -> None:
        """Search an address, show its tables, and where to write down a story.

        Parameters
        ----------
        ip
            The address; None takes the one that is `selected`.
        """
        self.view.results(self.search(self.selected if ip is None else ip))
        self.display_threat_box(self._latest().ip)

    def get_in_out_and_twoway_conns(self) -> tuple[Connections, Connections, Connections]:
        """Show the four tables of the address, and return its peers.

        Returns
        -------
        tuple of dict
            Inbound, outbound and two-way peers: what is known of each, by its address.
        """
        result = self._latest()
        for section in top_tables(type(self), result):
            if not self.silent:
                show(section)
        inbound, outbound, two_way = (
            as_connections(result.found.direction(name)) for name in DIRECTIONS
        )
        return inbound, outbound, two_way

    def display_threat_box(self, ip: str) -> None:
        """Show where to write down the story of an address.

        Parameters
        ----------
        ip
            The address.
        """
        self.view.threat_box(parse_single_address(ip))

    def save_threat_summary(self, title: str | None = None, text: str | None = None) -> None:
        """Save the story of the address that was searched last, and begin anew.

        Parameters
        ----------
        title, text
            What was found; None takes `title` and `comments`.
        """
        saved = self.save(
            self.title if title is None else title, self.comments if text is None else text
        )
        self.start_investigation()
        self.view.say(str(saved))

    def display_results(self, cols: Sequence[str], dataframe: Any, top: int) -> None:
        """Show the first rows of a table.

        Parameters
        ----------
        cols
            Columns to show.
        dataframe
            A `pandas.DataFrame` or a `pyarrow.Table`.
        top
            Most rows.

        Raises
        ------
        ArgumentError
            If there is no such column, or `top` is not positive.
        """
        check_top(top)
        known = list(getattr(dataframe, "column_names", getattr(dataframe, "columns", [])))
        if missing := [name for name in cols if name not in known]:
            raise ArgumentError(f"there is no column {missing[0]!r}; there are {known}")
        rows = dataframe.slice(0, top) if hasattr(dataframe, "slice") else dataframe.head(top)
        rows = rows.select(list(cols)) if hasattr(rows, "select") else rows[list(cols)]
        show(self.section("results", rows))

    def get_top_bytes(self, conns_dict: Connections, top: int) -> Connections:
        """Return the peers of a dictionary with the most bytes, those first.

        Parameters
        ----------
        conns_dict
            One of what `get_in_out_and_twoway_conns` returns.
        top
            Most peers.
        """
        return top_of(conns_dict, "bytes", top)

    def get_top_conns(self, conns_dict: Connections, top: int) -> Connections:
        """Return the peers of a dictionary with the most connections, those first.

        Parameters
        ----------
        conns_dict
            One of what `get_in_out_and_twoway_conns` returns.
        top
            Most peers.
        """
        return top_of(conns_dict, "connections", top)

    def removeWidget(self, index: int) -> None:
        """Remove a part of what is shown: controls, threat box.

        Parameters
        ----------
        index
            Which part, counted from 0.
        """
        self.view.remove(index)

    def _renew_scores(self) -> None:
        """Show the scores as well, where they are shown."""
        super()._renew_scores()
        if isinstance(self._result, FlowThreatResult):
            self.view.refresh(self._result)
