"""Each detector as a function of its own."""

from __future__ import annotations

import pyarrow as pa

from flowtriage.detect.hunt import hunt
from flowtriage.detect.thresholds import Beacons, HostSweeps, PortScans, Retries
from flowtriage.inputs.arrow import FlowSource
from flowtriage.inputs.networks import NetworksLike


def beacons(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    thresholds: Beacons | None = None,
) -> pa.Table:
    """Find calls in a regular rhythm; see `hunt` for the parameters and the result.

    Examples
    --------
    >>> from flowtriage import sample
    >>> sample.BEACON.peer in beacons(sample.office_day())["dest"].to_pylist()
    True
    """
    return hunt(flows, internal=internal, detectors=thresholds or Beacons())


def retries(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    thresholds: Retries | None = None,
) -> pa.Table:
    """Find calls that go on without an answer; see `hunt` for the parameters and the result.

    Examples
    --------
    >>> from flowtriage import sample
    >>> retries(sample.office_day()).num_rows
    0
    """
    return hunt(flows, internal=internal, detectors=thresholds or Retries())


def port_scans(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    thresholds: PortScans | None = None,
) -> pa.Table:
    """Find scans of many ports of one host; see `hunt` for the parameters and the result.

    Examples
    --------
    >>> from flowtriage import sample
    >>> port_scans(sample.office_day())["source"].to_pylist() == [sample.SCAN.peer]
    True
    """
    return hunt(flows, internal=internal, detectors=thresholds or PortScans())


def host_sweeps(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    thresholds: HostSweeps | None = None,
) -> pa.Table:
    """Find scans of one port of many hosts; see `hunt` for the parameters and the result.

    Examples
    --------
    >>> from flowtriage import sample
    >>> host_sweeps(sample.office_day()).num_rows
    0
    """
    return hunt(flows, internal=internal, detectors=thresholds or HostSweeps())
