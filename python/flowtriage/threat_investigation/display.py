"""Methods of the notebooklet that display, and their view as tables and text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

import pyarrow as pa

from flowtriage.errors import ArgumentError
from flowtriage.humanize import counted, did_you_mean
from flowtriage.inputs.hosts import parse_single_address
from flowtriage.quality import QualityWarning
from flowtriage.render.notebook import show
from flowtriage.render.section import Section
from flowtriage.threat_investigation.methods import DataMethods
from flowtriage.threat_investigation.result import DIRECTIONS, FlowThreatResult, top_tables
from flowtriage.threat_investigation.search import (
    Connections,
    as_connections,
    check_top,
    top_connections,
)

if TYPE_CHECKING:
    import pandas as pd


class View:
    """View as tables and text, for front ends without widgets.

    `parts` has the names of the displayed parts, in order.
    """

    def __init__(self, investigation: DisplayMethods) -> None:
        self.investigation = investigation
        self.parts: list[str] = []

    def clear(self) -> None:
        """Remove all parts."""
        self.parts.clear()

    def controls(self, threats: pa.Table) -> None:
        """Show a list of addresses."""
        self._add("controls", self._listing(threats))

    def results(self, result: FlowThreatResult) -> None:
        """Show the result of a search."""
        for section in result.sections:
            self._show(section)

    def refresh(self, result: FlowThreatResult) -> None:
        """Update displayed stories and scores; text cannot be updated."""

    def threat_box(self, ip: str) -> None:
        """Show how to save the story of an address."""
        self._add("threat_box", self.investigation.section("threat_box", f"Address: {ip}"))

    def message(self, text: str) -> None:
        """Show a message."""
        self._add("message", self.investigation.section("message", text))

    def remove(self, index: int) -> None:
        """Remove a part, counted from 0."""
        known = range(len(self.parts))
        if isinstance(index, bool) or not isinstance(index, int) or index not in known:
            raise ArgumentError(
                f"no part {index!r}; {counted(len(known), 'is displayed', 'are displayed')}, "
                "give an index from 0"
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
    """Methods that display an investigation; their names are those of Spot's notebook."""

    view: View
    selected: str | None
    title: str
    comments: str

    def start_investigation(self) -> None:
        """Reset the investigation and list the high-risk addresses."""
        self._result = None
        self.selected = None
        self.title = self.comments = ""
        self.view.clear()
        threats = self.threats()
        self.display_controls(threats if threats.num_rows or self.store else self.talkers())

    def display_controls(self, threat_list: pa.Table | Iterable[str]) -> None:
        """Show a list of addresses to search.

        Parameters
        ----------
        threat_list
            Result of `threats` or `talkers`, or an iterable of addresses.
        """
        if not isinstance(threat_list, pa.Table):
            addresses = pa.array([parse_single_address(ip) for ip in threat_list], pa.string())
            threat_list = pa.table({"ip": addresses})
        self.view.controls(threat_list)

    def search_ip(self, ip: str | None = None) -> None:
        """Search an address, and show its result and the threat box.

        Parameters
        ----------
        ip
            The address; None means `selected`.
        """
        with catch_warnings():
            if not self.silent:  # the view shows the notice
                simplefilter("ignore", QualityWarning)
            result = self.search(self.selected if ip is None else ip)
        self.view.results(result)
        self.display_threat_box(self._latest().ip)

    def get_in_out_and_twoway_conns(self) -> tuple[Connections, Connections, Connections]:
        """Show the four top tables of the latest search, and return its peers.

        Returns
        -------
        tuple of dict
            Inbound, outbound and two-way peers: facts by address.
        """
        result = self._latest()
        for section in top_tables(type(self), result):
            if not self.silent:
                show(section)
        inbound, outbound, two_way = (
            as_connections(result.search.direction(name)) for name in DIRECTIONS
        )
        return inbound, outbound, two_way

    def display_threat_box(self, ip: str) -> None:
        """Show fields for the story of an address, or how to save it.

        Parameters
        ----------
        ip
            The address.
        """
        self.view.threat_box(parse_single_address(ip))

    def save_threat_summary(self, title: str | None = None, text: str | None = None) -> None:
        """Save the story of the latest search, and start a new investigation.

        Parameters
        ----------
        title, text
            The story; None means the attributes `title` and `comments`.
        """
        saved = self.save(
            self.title if title is None else title, self.comments if text is None else text
        )
        self.start_investigation()
        self.view.message(str(saved))

    def display_results(
        self, cols: Sequence[str], dataframe: pd.DataFrame | pa.Table, top: int
    ) -> None:
        """Show the first rows of a table.

        Parameters
        ----------
        cols
            Columns to show.
        dataframe
            A `pandas.DataFrame` or a `pyarrow.Table`.
        top
            Maximum number of rows.

        Raises
        ------
        ArgumentError
            If a column is missing, or `top` is not positive.
        """
        check_top(top)
        known = list(getattr(dataframe, "column_names", dataframe.columns))
        if missing := [name for name in cols if name not in known]:
            near = did_you_mean(missing[0], map(str, known))
            raise ArgumentError(f"no column {missing[0]!r}{near}")
        rows: pd.DataFrame | pa.Table
        if isinstance(dataframe, pa.Table):
            rows = dataframe.select(list(cols)).slice(0, top)
        else:
            rows = dataframe[list(cols)].head(top)
        show(self.section("results", rows))

    def get_top_bytes(self, conns_dict: Connections, top: int) -> Connections:
        """Return the top peers of a dictionary by bytes.

        Parameters
        ----------
        conns_dict
            One result of `get_in_out_and_twoway_conns`.
        top
            Maximum number of peers.
        """
        return top_connections(conns_dict, "bytes", top)

    def get_top_conns(self, conns_dict: Connections, top: int) -> Connections:
        """Return the top peers of a dictionary by connections.

        Parameters
        ----------
        conns_dict
            One result of `get_in_out_and_twoway_conns`.
        top
            Maximum number of peers.
        """
        return top_connections(conns_dict, "connections", top)

    def removeWidget(self, index: int) -> None:
        """Remove a displayed part, such as the list of addresses or the threat box.

        Parameters
        ----------
        index
            Index of the part, from 0.
        """
        self.view.remove(index)

    def _refresh_scores(self) -> None:
        """Update the displayed scores, too."""
        super()._refresh_scores()
        if isinstance(self._result, FlowThreatResult):
            self.view.refresh(self._result)
