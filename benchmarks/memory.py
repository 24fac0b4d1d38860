"""Memory of this process on Linux; unknown elsewhere."""

from __future__ import annotations

from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def resident() -> int | None:
    """Return the current bytes of physical memory."""
    return _read("VmRSS")


def peak() -> int | None:
    """Return the peak bytes of physical memory since `reset_peak`."""
    return _read("VmHWM")


def reset_peak() -> None:
    """Reset the peak."""
    if _CLEAR.exists():
        _CLEAR.write_text("5", encoding="ascii")


def _read(name: str) -> int | None:
    if not _STATUS.exists():
        return None
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        field, _, value = line.partition(":")
        if field == name:
            return int(value.split()[0]) * 1024
    return None
