"""Each detector as a function of its own."""

from __future__ import annotations

import pyarrow as pa

from flowtriage.detect.hunt import hunt
from flowtriage.detect.thresholds import (
    Beacons,
    Floods,
    HostSweeps,
    LateralFanOut,
    LongConnections,
    PortMismatches,
    PortScans,
    RareNetworks,
    Retries,
    Uploads,
)
from flowtriage.inputs.arrow import FlowSource
from flowtriage.inputs.networks import NetworksLike


def beacons(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    thresholds: Beacons | None = None,
) -> pa.Table:
    """Find calls in a regular rhythm.

    Parameters and result are those of `hunt`.

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
    """Find calls that go on without an answer.

    Parameters and result are those of `hunt`.

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
    """Find scans of many ports of one host.

    Parameters and result are those of `hunt`.

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
    """Find scans of one port of many hosts.

    Parameters and result are those of `hunt`.

    Examples
    --------
    >>> from flowtriage import sample
    >>> host_sweeps(sample.office_day()).num_rows
    0
    """
    return hunt(flows, internal=internal, detectors=thresholds or HostSweeps())


def floods(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    thresholds: Floods | None = None,
) -> pa.Table:
    """Find floods of unanswered flows or bytes.

    Parameters and result are those of `hunt`.

    Examples
    --------
    >>> from flowtriage import sample
    >>> floods(sample.office_day()).num_rows
    0
    """
    return hunt(flows, internal=internal, detectors=thresholds or Floods())


def uploads(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    thresholds: Uploads | None = None,
) -> pa.Table:
    """Find hosts that send far more than they receive.

    Parameters and result are those of `hunt`.

    Examples
    --------
    >>> from flowtriage import sample
    >>> sample.UPLOAD.peer in uploads(sample.office_day())["dest"].to_pylist()
    True
    """
    return hunt(flows, internal=internal, detectors=thresholds or Uploads())


def long_connections(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    thresholds: LongConnections | None = None,
) -> pa.Table:
    """Find connections that stay open for hours.

    Parameters and result are those of `hunt`.

    Examples
    --------
    >>> from flowtriage import sample
    >>> long_connections(sample.office_day()).num_rows
    0
    """
    return hunt(flows, internal=internal, detectors=thresholds or LongConnections())


def port_mismatches(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    thresholds: PortMismatches | None = None,
) -> pa.Table:
    """Find protocols on ports of others.

    Parameters and result are those of `hunt`.

    Examples
    --------
    >>> from flowtriage import sample
    >>> port_mismatches(sample.office_day()).num_rows
    0
    """
    return hunt(flows, internal=internal, detectors=thresholds or PortMismatches())


def rare_networks(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    thresholds: RareNetworks | None = None,
) -> pa.Table:
    """Find outside networks that one host seldom calls.

    Parameters and result are those of `hunt`.

    Examples
    --------
    >>> from flowtriage import sample
    >>> sample.RARE.peer in rare_networks(sample.office_day())["dest"].to_pylist()
    True
    """
    return hunt(flows, internal=internal, detectors=thresholds or RareNetworks())


def lateral_fan_out(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    thresholds: LateralFanOut | None = None,
) -> pa.Table:
    """Find hosts that reach many others for administration.

    Parameters and result are those of `hunt`.

    Examples
    --------
    >>> from flowtriage import sample
    >>> lateral_fan_out(sample.office_day()).num_rows
    0
    """
    return hunt(flows, internal=internal, detectors=thresholds or LateralFanOut())
