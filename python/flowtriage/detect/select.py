"""Select findings by severity and host."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.addresses import within_networks
from flowtriage.errors import ArgumentError
from flowtriage.humanize import did_you_mean
from flowtriage.inputs.addresses import HostsLike, hosts_argument

SEVERITIES = ("high", "warning", "information")
"""Severities of findings, the highest first."""


def at_least(findings: pa.Table, severity: str) -> pa.Table:
    """Return the findings of a severity or a higher one.

    Raises
    ------
    ArgumentError
        If there is no such severity.

    Examples
    --------
    >>> from flowtriage import hunt, sample
    >>> at_least(hunt(sample.office_day()), "high")["severity"].unique().to_pylist()
    ['high']
    """
    chosen = severities_from(severity)
    return findings.filter(pc.is_in(findings["severity"], value_set=pa.array(chosen)))


def severities_from(severity: str) -> tuple[str, ...]:
    """Return a severity and the higher ones; `ArgumentError` if there is no such severity."""
    if severity not in SEVERITIES:
        near = did_you_mean(severity, SEVERITIES)
        raise ArgumentError(f"unknown severity {severity!r}{near}")
    return SEVERITIES[: SEVERITIES.index(severity) + 1]


def about(findings: pa.Table, hosts: HostsLike) -> pa.Table:
    """Return the findings whose source or destination is one of some addresses or networks.

    Raises
    ------
    ArgumentError
        If one is neither an address nor a network.

    Examples
    --------
    >>> from flowtriage import hunt, sample
    >>> about(hunt(sample.office_day()), sample.SCAN.peer)["detector"].to_pylist()
    ['port_scans']
    """
    networks = hosts_argument(hosts)
    source, dest = (
        within_networks(findings[end].combine_chunks(), networks) for end in ("source", "dest")
    )
    return findings.filter(pc.or_(source, dest))
