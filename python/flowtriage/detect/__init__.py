"""Detectors, and the table of their findings."""

from flowtriage.detect.allow_entry import AllowEntry
from flowtriage.detect.allow_list import AllowList, Applied
from flowtriage.detect.allowed import allowed
from flowtriage.detect.detectors import (
    beacons,
    floods,
    host_sweeps,
    lateral_fan_out,
    long_connections,
    port_mismatches,
    port_scans,
    rare_networks,
    retries,
    uploads,
)
from flowtriage.detect.filter import flows_of
from flowtriage.detect.findings import FINDINGS, detector_status
from flowtriage.detect.hunt import hosts, hunt, survey
from flowtriage.detect.known_networks import known_networks
from flowtriage.detect.select import SEVERITIES, about, at_least
from flowtriage.detect.thresholds import (
    Beacons,
    Context,
    Floods,
    HostSweeps,
    LateralFanOut,
    LongConnections,
    PortMismatches,
    PortScans,
    RareNetworks,
    Retries,
    Thresholds,
    Uploads,
)

__all__ = [
    "FINDINGS",
    "SEVERITIES",
    "AllowEntry",
    "AllowList",
    "Applied",
    "Beacons",
    "Context",
    "Floods",
    "HostSweeps",
    "LateralFanOut",
    "LongConnections",
    "PortMismatches",
    "PortScans",
    "RareNetworks",
    "Retries",
    "Thresholds",
    "Uploads",
    "about",
    "allowed",
    "at_least",
    "beacons",
    "detector_status",
    "floods",
    "flows_of",
    "host_sweeps",
    "hosts",
    "hunt",
    "known_networks",
    "lateral_fan_out",
    "long_connections",
    "port_mismatches",
    "port_scans",
    "rare_networks",
    "retries",
    "survey",
    "uploads",
]
