"""Kinds of behaviour that truth files name, and the detectors that report them."""

from __future__ import annotations

BEACON, SCAN, FLOOD, UPLOAD, LONG = "beacon", "scan", "flood", "upload", "long"
KINDS = (BEACON, SCAN, FLOOD, UPLOAD, LONG)
"""Kinds of a truth file that have a detector, in the order of the document."""

VERTICAL, HORIZONTAL = "vertical", "horizontal"

_DETECTORS: dict[str, tuple[str, str | None]] = {
    "beacons": (BEACON, None),
    "retries": (BEACON, None),
    "port_scans": (SCAN, VERTICAL),
    "host_sweeps": (SCAN, HORIZONTAL),
    "lateral_fan_out": (SCAN, HORIZONTAL),
    "scans": (SCAN, None),
    "floods": (FLOOD, None),
    "uploads": (UPLOAD, None),
    "long_connections": (LONG, None),
}

TITLES = {
    BEACON: "beacons and retries",
    SCAN: "port scans and host sweeps",
    FLOOD: "floods",
    UPLOAD: "uploads",
    LONG: "long connections",
}


def kind_of(detector: str) -> tuple[str, str | None]:
    """Return the kind and shape that a detector reports.

    A detector whose behaviour no truth file names is a kind of its own.
    """
    return _DETECTORS.get(detector, (detector, None))
