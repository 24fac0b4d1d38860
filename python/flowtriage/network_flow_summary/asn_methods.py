"""What can be done with the ASNs of a summary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flowtriage.network_flow_summary.asn_work import AsnWork, shown
from flowtriage.network_flow_summary.result import NetworkFlowResult
from flowtriage.notebooklet import Notebooklet
from flowtriage.notebooklet.display import Section, show

if TYPE_CHECKING:
    from msticpy.vis.foliummap import FoliumMap


class AsnMethods(Notebooklet):
    """The methods that look more closely at some ASNs of the latest summary."""

    _asn_work: AsnWork | None

    @property
    def asn_selector(self) -> Any:
        """The msticpy `SelectSubset` of `select_asns`, or None before."""
        return self._asn_work.selector if self._asn_work else None

    def select_asns(self, asns: Iterable[str] | None = None) -> None:
        """Show a widget to choose the ASNs that the next steps work on.

        Selected to begin with are the ASNs with as few flows as the least used quarter has,
        without those of the host itself. The choice can be read, at any time, from
        `asn_selector.selected_items`.

        Parameters
        ----------
        asns
            Select these to begin with, for front ends without widgets.
        """
        if self._asn_work is None:
            print("Use run() with the option flow_summary before select_asns().")
            return
        show(self.section("select_asns", *self._asn_work.select(asns)))

    def lookup_ti_for_asn_ips(self) -> None:
        """Look up threat intelligence for the addresses of the selected ASNs.

        The providers `tilookup` (msticpy's `TILookup`) and `blocklists` (local block lists) are
        asked, as far as they are loaded, about public addresses only. `ti_results` of the result
        has the answers and `ti_coverage` who was asked about how many, and who answered.
        """
        work = self._asn_work
        if work is None or work.selector is None:
            print("Use run() with the option flow_summary, then select_asns(), and then this.")
            return
        contents = work.look_up(self._providers, progress=not self.silent)
        self._renew(work.result, self.section("ti_results", *contents))

    def show_selected_asn_map(self) -> FoliumMap | None:
        """Show the addresses of the selected ASNs on a map, threats in red.

        Threats are the addresses that `lookup_ti_for_asn_ips` found; without it, the map tells of
        none.

        Returns
        -------
        msticpy.vis.foliummap.FoliumMap or None
            The map, which is `geo_map_selected` of the result as well; None where nothing is
            selected yet.
        """
        work = self._asn_work
        if work is None or work.selector is None:
            print(
                "Use run() with the option flow_summary, then select_asns(), then "
                "lookup_ti_for_asn_ips() if wanted, and then this."
            )
            return None
        drawing = work.draw(self._providers)
        self._renew(work.result, self.section("geo_map_selected", drawing))
        return drawing if self.silent else shown(drawing)

    @property
    def _providers(self) -> dict[str, Any]:
        return dict(getattr(self.data_providers, "providers", {}))

    def _renew(self, result: NetworkFlowResult, section: Section) -> None:
        """Present a section in the place of an earlier one with its title."""
        result.sections[:] = [one for one in result.sections if one.title != section.title]
        self._present(result, section, silent=self.silent)
