"""Environment and versions of a benchmark."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

_PACKAGES = (
    "flowtriage",
    "pyarrow",
    "pandas",
    "polars",
    "duckdb",
    "msticnb",
    "msticpy",
    "bokeh",
    "maxminddb",
    "maxminddb-rust",
    "numpy",
    "scikit-learn",
)


def describe() -> dict[str, str]:
    """Return the facts of the report by label."""
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Processor": f"{_processor()}, {os.cpu_count()} cores in use",
        "Memory": f"{_memory_gib():.1f} GiB",
        "System": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "Commit": _commit(),
        **{f"`{name}`": _version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"
