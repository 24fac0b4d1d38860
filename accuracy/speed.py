"""Time and memory of `hunt` beside `flow_index`: `python -m accuracy.speed`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

import flowtriage as ft
from accuracy import figures
from accuracy.synthetic.site import INTERNAL, sites
from benchmarks import memory

PATH = Path(__file__).parent / "results" / "speed.json"
ROWS = 10_000_000
_REPETITIONS = 3

_JOBS: dict[str, Callable[[pa.Table], pa.Table]] = {
    "flow_index": ft.flow_index,
    "hunt": lambda flows: ft.hunt(flows, internal=list(INTERNAL)),
}


@dataclass(frozen=True)
class Speed:
    """What was measured on one input; sizes are bytes."""

    rows: int
    input_bytes: int
    index_seconds: float
    hunt_seconds: float
    hunt_peak: int | None

    @property
    def ratio(self) -> float:
        """Time of `hunt` divided by that of `flow_index`."""
        return self.hunt_seconds / self.index_seconds

    @property
    def memory(self) -> float | None:
        """Peak memory of `hunt` beyond the input, as a share of it."""
        return None if self.hunt_peak is None else self.hunt_peak / self.input_bytes


def read(path: Path = PATH) -> Speed | None:
    """Return the last measurement, if there is one."""
    return Speed(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def main(arguments: list[str] | None = None) -> None:
    """Measure both functions, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m accuracy.speed", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--output", type=Path, default=PATH)
    parser.add_argument("--job", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.job:
        print(json.dumps(_measure(*options.job)))
        return
    with tempfile.TemporaryDirectory(prefix="flowtriage-speed-") as folder:
        path = Path(folder) / "flows.arrow"
        size = _write(path, options.rows)
        index, hunt = (_apart(name, path) for name in _JOBS)
    measured = Speed(options.rows, size, index["seconds"], hunt["seconds"], hunt["peak"])
    options.output.write_text(json.dumps(asdict(measured), indent=1) + "\n", encoding="utf-8")
    print(
        f"hunt: {measured.ratio:.1f} × flow_index; memory: {measured.memory or 0:.2f} × the input"
    )


def _write(path: Path, rows: int) -> int:
    """Write days of synthetic sites, and return their size."""
    cells = figures.cells()
    written = size = seed = 0
    with pa.OSFile(str(path), "wb") as file:
        writer = None
        while written < rows:
            seed += 1
            for site in sites(cells, seed):
                flows = site.flows.slice(0, rows - written)
                writer = writer or pa.ipc.new_file(file, flows.schema)
                writer.write_table(flows)
                written += flows.num_rows
                size += flows.nbytes
                if written == rows:
                    break
        if writer:
            writer.close()
    return size


def _apart(name: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "accuracy.speed", "--job", name, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name} failed: {done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _measure(name: str, path: str) -> dict[str, float | None]:
    """Return the median time, and the peak memory of the first run beyond the input."""
    with pa.OSFile(path, "rb") as file:
        flows = pa.ipc.open_file(file).read_all()
    job = _JOBS[name]
    job(flows.slice(0, 10_000))
    before = memory.resident()
    memory.reset_peak()
    times = [_seconds(job, flows)]
    peak = memory.peak()
    times += [_seconds(job, flows) for _ in range(_REPETITIONS - 1)]
    beyond = None if before is None or peak is None else max(peak - before, 0)
    return {"seconds": sorted(times)[len(times) // 2], "peak": beyond}


def _seconds(job: Callable[[pa.Table], pa.Table], flows: pa.Table) -> float:
    begin = time.perf_counter()
    job(flows)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
