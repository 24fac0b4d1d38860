"""Findings about the investigated address: why it is worth a look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.hosts import HostFlows
from flowtriage.detect.allow_list import AllowList
from flowtriage.detect.cards import finding_list
from flowtriage.detect.matching import MatchingFlows
from flowtriage.detect.of_host import HostFindings, concerning, findings_of_host
from flowtriage.detect.stored import as_findings
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.inputs.timespan import Timespan
from flowtriage.store import FlowStore
from flowtriage.threat_investigation.flow_source import RawDayFlows, SearchSource
from flowtriage.threat_investigation.search import SearchResult

_OF_RUN = (
    "Found by the run of Flow OA of this day among all of its flows. A later run replaces them."
)


@dataclass(frozen=True)
class AddressFindings:
    """Findings about an address.

    Attributes
    ----------
    found
        The findings to show.
    hidden : pyarrow.Table
        Those that the allow-list hides.
    searched
        Which flows they come from.
    """

    found: HostFindings
    hidden: pa.Table
    searched: str

    def contents(self) -> list[object]:
        """Return what the section of the findings contains."""
        table, matching = self.found.table, self.found.matching
        notes = [self.searched]
        if count := self.hidden.num_rows:
            noun = "finding is" if count == 1 else "findings are"
            notes.append(f"{count:,} {noun} allowed and hidden: result.allowed_findings.")
        if not table.num_rows:
            return [self.found.none, " ".join(notes)]
        shown = finding_list(table, matching, rest="result.findings has all of them.")
        not_run = [self.found.not_run] if self.found.not_run else []
        return [" ".join(notes), shown, *not_run]


def findings_about(
    search: SearchResult,
    source: SearchSource,
    span: Timespan | None,
    *,
    store: FlowStore | None,
    ipranges: Path | None,
    asn: AsnDatabase,
    allow: AllowList | None,
) -> AddressFindings:
    """Return the findings about a searched address.

    They are those of the run of the day if its whole raw flows are searched; otherwise the
    detectors run over the loaded flows, or over those of the address if only these were read.
    """
    flows = search.flows.to_arrow()
    matching = MatchingFlows(flows)
    internal = ipranges if ipranges is not None and ipranges.is_file() else None
    found, searched = None, _OF_RUN
    if store is not None and isinstance(source, RawDayFlows) and span is None:
        found = _of_run(store, source, search.ip, matching)
    if found is None:
        if hunted := source.hunted(span, internal, asn):
            about = _about(hunted.findings, search.ip, matching)
            found = HostFindings(about, matching, hunted.records, True)
        else:
            host = HostFlows(None, (search.ip,), flows)
            found = findings_of_host(flows, host, whole=False, internal=internal, asn=asn)
        searched = found.context
    shown, hidden = (allow or AllowList()).apply(found.table, asn=asn)
    kept = HostFindings(shown, found.matching, found.searched, found.whole)
    return AddressFindings(kept, hidden, searched)


def _of_run(
    store: FlowStore, source: RawDayFlows, ip: str, matching: MatchingFlows
) -> HostFindings | None:
    """Return the findings that the run of the day stored, or None if none was stored."""
    detectors = store.read("flow_detectors", day=source.day)
    if not detectors.num_rows:
        return None
    table = as_findings(store.read("flow_findings", day=source.day), detectors)
    return HostFindings(_about(table, ip, matching), matching, matching.flows.num_rows, True)


def _about(found: pa.Table, ip: str, matching: MatchingFlows) -> pa.Table:
    """Return the findings whose source or destination is an address, or that select its flows."""
    possible = found.filter(concerning(found, (ip,), matching.flows))
    ends = [pc.fill_null(pc.equal(possible[end], ip), False) for end in ("source", "dest")]
    pairs = zip(pc.or_(*ends).to_pylist(), possible["flows_filter"].to_pylist(), strict=True)
    about = [named or len(matching.rows(condition)) > 0 for named, condition in pairs]
    return possible.filter(pa.array(about, pa.bool_()))
