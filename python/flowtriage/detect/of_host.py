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
from flowtriage.humanize import joined, sanitize
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
    if searched is flows:
        found = found.filter(concerning(found, host.addresses, host.flows))
    return HostFindings(found, MatchingFlows(host.flows), searched.num_rows, whole)


def concerning(found: pa.Table, addresses: Sequence[str], flows: pa.Table) -> pa.ChunkedArray:
    """Return which findings are about a host.

    A finding about several sources or destinations is, if the host has flows with its other end,
    and its port.
    """
    own = pa.array(addresses, pa.string())
    source, dest, port = (found[name] for name in ("source", "dest", "dst_port"))
    named = pc.or_(pc.is_in(source, value_set=own), pc.is_in(dest, value_set=own))
    several = pc.and_not(pc.xor(pc.is_null(source), pc.is_null(dest)), named)
    if not pc.any(several).as_py():
        return named
    wanted = pc.unique(pc.coalesce(source, dest).filter(several))
    of_peers = (pc.is_in(flows[end], value_set=wanted) for end in ("src_ip", "dst_ip"))
    flows = flows.filter(pc.or_(*of_peers))
    ends, ports = (flows["src_ip"], flows["dst_ip"]), (flows["src_port"], flows["dst_port"])
    # Of a record of the responses alone, the port of the service is the source port.
    of_source, of_dest = (ports[1], ports[0]), (ports[0], ports[1])
    touched = pc.if_else(
        pc.is_valid(source),
        _meets(source, port, ends, of_source),
        _meets(dest, port, ends, of_dest),
    )
    return pc.or_(named, pc.and_(several, touched))


def _meets(
    address: pa.ChunkedArray,
    port: pa.ChunkedArray,
    ends: Sequence[pa.ChunkedArray],
    ports: Sequence[pa.ChunkedArray],
) -> pa.ChunkedArray:
    """Return which addresses occur in flows, with the port if there is one."""
    without = _distinct(ends)
    pairs = _distinct([_pair(*one) for one in zip(ends, ports, strict=True)])
    return pc.if_else(
        pc.is_null(port),
        pc.is_in(address, value_set=without),
        pc.is_in(_pair(address, port), value_set=pairs),
    )


def _pair(address: pa.ChunkedArray, port: pa.ChunkedArray) -> pa.ChunkedArray:
    return joined(address, "|", pc.cast(port, pa.string()))


def _distinct(columns: Sequence[pa.ChunkedArray]) -> pa.Array:
    distinct = [column.unique().drop_null() for column in columns]
    return pc.unique(pa.chunked_array(distinct, pa.string()))


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
