"""Names of the detectors and of their evidence, and values of evidence, as text for people."""

from __future__ import annotations

import pyarrow as pa

from flowtriage.humanize import UNKNOWN, human_bytes

_KINDS = {
    "beacons": ("Beacon", "beacons"),
    "retries": ("Retries", "persistent retries"),
    "port_scans": ("Port scan", "port scans"),
    "host_sweeps": ("Host sweep", "host sweeps"),
    "floods": ("Flood", "floods"),
    "uploads": ("Upload", "uploads"),
    "long_connections": ("Long connection", "long connections"),
    "port_mismatches": ("Port mismatch", "port mismatches"),
    "rare_networks": ("Rare network", "rare networks"),
    "lateral_fan_out": ("Lateral fan-out", "lateral fan-out"),
}
_SHARES = {"regular_gaps", "jitter", "constant_size"}
_UNITS = (("day", 172_800.0, 86_400.0), ("h", 7_200.0, 3_600.0), ("min", 120.0, 60.0))
_SECONDS = "_seconds"
_MAX_BYTES = (1 << 63) - 1


def kind(detector: str) -> str:
    """Return the name of what a detector finds.

    Examples
    --------
    >>> kind("port_scans")
    'Port scan'
    """
    return _KINDS.get(detector, (detector.replace("_", " ").capitalize(), ""))[0]


def kinds(detector: str) -> str:
    """Return the name of what a detector finds, in the plural and within a sentence."""
    return _KINDS.get(detector, ("", detector.replace("_", " ")))[1]


def evidence_name(name: str) -> str:
    """Return the label of a part of the evidence.

    Examples
    --------
    >>> evidence_name("period_seconds")
    'period'
    """
    return name.removesuffix(_SECONDS).replace("_", " ")


def evidence_value(name: str, value: float | None) -> str:
    """Format a value or threshold of a part of the evidence.

    Examples
    --------
    >>> evidence_value("period_seconds", 300.0), evidence_value("jitter", 0.015)
    ('5 min', '1.5 %')
    >>> evidence_value("bytes_out", 4534717757.0), evidence_value("calls", 1288.0)
    ('4.5 GB', '1,288')
    """
    if value is None:
        return UNKNOWN
    if name.endswith(_SECONDS):
        return duration(value)
    if "bytes" in name:
        return bytes_text(value)
    if name in _SHARES or name.endswith("_share"):
        return f"{100 * value:.3g} %"
    return f"{value:,.0f}" if value.is_integer() else f"{value:,.4g}"


def bytes_text(count: float) -> str:
    """Format a number of bytes.

    Examples
    --------
    >>> bytes_text(1e30)
    '9.2 EB'
    """
    exact = pa.array([min(round(count), _MAX_BYTES)], pa.int64())
    return str(human_bytes(exact)[0])


def duration(seconds: float) -> str:
    """Format a duration with three digits at most.

    Examples
    --------
    >>> duration(90), duration(1200), duration(86_040), duration(259_200)
    ('90 s', '20 min', '23.9 h', '3 days')
    """
    for unit, limit, size in _UNITS:
        if seconds >= limit:
            return f"{seconds / size:.3g} {unit}{'s' if unit == 'day' else ''}"
    return f"{seconds:.3g} s"
