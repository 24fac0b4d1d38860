"""Runs of Flow OA on a file system of their own, which is full, or read-only.

As a program, it does so in a folder that is such a file system, and prints what became of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

MEGABYTES = 64
_MOUNT = f'mount -t tmpfs -o size={MEGABYTES}m tmpfs "$1" && shift && exec "$@"'
_ROOM = 1 << 16
PROGRAM = [sys.executable, "-m", "flowtriage.cli"]


def _apart(*command: str) -> list[str]:
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", *command]


def possible() -> bool:
    """Whether this machine lets us mount anything."""
    try:
        done = subprocess.run(_apart("mount -t tmpfs tmpfs /tmp"), check=False, capture_output=True)
    except FileNotFoundError:
        return False
    return done.returncode == 0


def run(folder: Path, what: str) -> list[dict[str, Any]]:
    """Return what each attempt of a run ended with, and what was stored after it."""
    command = [sys.executable, __file__, str(folder), what]
    done = subprocess.run(
        _apart(_MOUNT, "sh", str(folder), *command),
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def _flowtriage(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, "oa", *arguments], check=False, capture_output=True, text=True, timeout=120
    )


def _attempt(left: int | None, *logs: str) -> dict[str, Any]:
    """Run the day with so many bytes left on the disk; None is with all of it."""
    if left is not None:
        _fill(left)
    done = _flowtriage("run", str(sample_day()[0]), "--limit", "30", *logs)
    if left is not None:
        Path("ballast").unlink()
    return {"left": left, "status": done.returncode, "error": done.stderr, **_state()}


def _state() -> dict[str, Any]:
    day, _ = sample_day()
    rows = snapshot(ft.FlowStore())
    return {
        "stored": {name: len(table) for name, table in rows.items()},
        "digest": str(rows),
        "flows": RawFlows("flows").read(day).num_rows,
        "waiting": sum(1 for _ in Path("data").rglob(".run-*")),
    }


def _fill(left: int) -> None:
    with Path("ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(_ROOM))
        except OSError:
            size = file.tell()
        file.truncate(max(size - left, 0))


def _main(folder: str, what: str) -> None:
    os.chdir(folder)
    _, flows = sample_day()
    half = flows.num_rows // 2
    ft.write_flows(flows.slice(0, half), "one.log", format="zeek")
    ft.write_flows(flows.slice(half), "other.log", format="zeek")
    Path("flowtriage.toml").write_text("[ranking]\niterations = 2\ntopics = 3\n")
    told = [_attempt(None, "one.log")]
    if what == "full":
        told.append(_attempt(0, "other.log"))
        _flowtriage("ingest", "other.log").check_returncode()
        told += [_attempt(left) for left in (0, 1 << 16, 1 << 18)]
        told.append(_attempt(None))
    else:
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        told.append(_attempt(None, "other.log"))
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        told.append(_attempt(None, "other.log"))
    print(json.dumps(told))


if __name__ == "__main__":
    import flowtriage as ft
    from flowtriage.oa import RawFlows
    from oa_work import sample_day, snapshot

    _main(*sys.argv[1:])
