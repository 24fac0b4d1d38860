"""Detectors, and the table of their findings."""

from flowtriage.detect.detectors import beacons, host_sweeps, port_scans, retries
from flowtriage.detect.hunt import detector_status, hunt
from flowtriage.detect.known_networks import known_networks
from flowtriage.detect.thresholds import (
    Beacons,
    Context,
    HostSweeps,
    PortScans,
    Retries,
    Thresholds,
)

__all__ = [
    "Beacons",
    "Context",
    "HostSweeps",
    "PortScans",
    "Retries",
    "Thresholds",
    "beacons",
    "detector_status",
    "host_sweeps",
    "hunt",
    "known_networks",
    "port_scans",
    "retries",
]
