"""Findings about one host among all flows that were read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.hosts import HostFlows
from flowtriage.detect.findings import STATUS, detector_status, with_status
from flowtriage.detect.hunt import hunt
from flowtriage.detect.matching import MatchingFlows
from flowtriage.detect.thresholds import DETECTORS
from flowtriage.detect.words import kinds
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.humanize import sanitize
from flowtriage.inputs.networks import NetworksLike

_COMPARING = ("rare_networks",)
"""Detectors that compare the host with others."""
_NO_OTHERS = "only the flows of this host were read"
_NO_FLOWS = "the host has no flows"


@dataclass(frozen=True)
class HostFindings:
    """Findings about a host.

    Attributes
    ----------
    table : pyarrow.Table
        The findings, as of `hunt`.
    matching : MatchingFlows
        The flows of the host.
    searched : int
        Number of records that the detectors looked at.
    whole : bool
        Whether those of other hosts were among them, if the source has any.
    """

    table: pa.Table
    matching: MatchingFlows
    searched: int
    whole: bool

    @property
    def context(self) -> str:
        """What the findings were compared with."""
        records = f"{self.searched:,} {'record' if self.searched == 1 else 'records'}"
        if self.whole:
            return f"Searched: all {records} read; what other hosts do in them counts as context."
        return (
            f"Searched: the {records} of this host only. What other hosts do is unknown, such as "
            "how many of them use a network; flowtriage.hunt searches a whole log."
        )

    @property
    def not_run(self) -> str:
        """Which detectors could not run, and why; empty if all could."""
        rows = [row for row in detector_status(self.table).to_pylist() if not row["ran"]]
        by_reason: dict[str, list[str]] = {}
        for row in rows:
            by_reason.setdefault(row["reason"] or "unknown reason", []).append(row["detector"])
        parts = [
            f"{', '.join(map(kinds, names))} ({sanitize(reason)})"
            for reason, names in by_reason.items()
        ]
        return f"Could not be looked for: {'; '.join(parts)}." if parts else ""

    @property
    def none(self) -> str:
        """What was looked for, in one line, where nothing was found."""
        if not self.matching.flows.num_rows:
            return f"No findings: {_NO_FLOWS}."
        status = detector_status(self.table).to_pylist()
        names = [kinds(row["detector"]) for row in status if row["ran"]]
        if not names:
            return f"No findings: nothing could be looked for. {self.not_run}"
        return f"No findings. Looked for: {', '.join(names)}. {self.not_run}".rstrip()


def findings_of_host(
    flows: pa.Table,
    host: HostFlows,
    *,
    whole: bool,
    internal: NetworksLike | None = None,
    asn: AsnDatabase | None = None,
) -> HostFindings:
    """Run the detectors, and select the findings about a host.

    Parameters
    ----------
    flows
        All flows that were read.
    host
        Those of the host.
    whole
        Whether `flows` has those of other hosts.
    internal, asn
        As for `hunt`.

    Returns
    -------
    HostFindings
        Findings whose source or destination is an address of the host, and those about several
        addresses with flows of the host among theirs.
    """
    searched = flows if whole and host.addresses and host.flows.num_rows else host.flows
    found = hunt(searched, internal=internal, asn=asn)
    if not host.flows.num_rows:
        found = _without(found, DETECTORS, _NO_FLOWS)
    elif not whole:
        found = _without(found, _COMPARING, _NO_OTHERS)
    matching = MatchingFlows(host.flows)
    if searched is flows:
        found = found.filter(concerning(found, host.addresses, matching))
    return HostFindings(found, matching, searched.num_rows, whole)


def concerning(found: pa.Table, addresses: Sequence[str], matching: MatchingFlows) -> pa.Array:
    """Return which findings are about a host."""
    own = pa.array(addresses, pa.string())
    source, dest = found["source"], found["dest"]
    named = pc.or_(pc.is_in(source, value_set=own), pc.is_in(dest, value_set=own))
    flows = matching.flows
    ends = [*flows["src_ip"].chunks, *flows["dst_ip"].chunks]
    peers = pc.unique(pa.chunked_array(ends, pa.string())).drop_null()
    several = pc.or_(pc.is_null(source), pc.is_null(dest))
    known = pc.or_(*(pc.is_in(end, value_set=peers) for end in (source, dest)))
    possible = pc.and_(pc.and_not(several, named), known)
    conditions = zip(possible.to_pylist(), found["flows_filter"].to_pylist(), strict=True)
    touched = [may and len(matching.rows(condition)) > 0 for may, condition in conditions]
    return pc.or_(named, pa.chunked_array([pa.array(touched, pa.bool_())]))


def _without(found: pa.Table, detectors: Collection[str], reason: str) -> pa.Table:
    """Drop the findings of detectors, and state that they did not run."""
    status = detector_status(found).to_pylist()
    for row in status:
        if row["ran"] and row["detector"] in detectors:
            row.update(ran=False, reason=reason)
    kept = pc.invert(pc.is_in(found["detector"], value_set=pa.array([*detectors], pa.string())))
    return with_status(found.filter(kept), pa.Table.from_pylist(status, schema=STATUS))


def peers_of(found: pa.Table, addresses: Sequence[str]) -> pa.Array:
    """Return the addresses that findings name, the most severe first, without a host's own."""
    ends = zip(found["source"].to_pylist(), found["dest"].to_pylist(), strict=True)
    own = {None, *addresses}
    named = dict.fromkeys(end for pair in ends for end in pair if end not in own)
    return pa.array(named, pa.string())
