"""Measure one peer at one job in a separate process: `python -m benchmarks.measure`."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks import memory

WARM_UP_ROWS = 10_000
REPETITIONS = 3
ENOUGH_SECONDS = 5.0
"""Total time after which no further repetition starts."""


class MeasurementError(Exception):
    """A peer failed, or its result differs."""


@dataclass(frozen=True)
class Case:
    """One job on one input."""

    job: str
    input: str
    rows: int


@dataclass(frozen=True)
class Measurement:
    """Measurement of one peer in one case.

    Attributes
    ----------
    seconds
        Wall time of every repetition.
    input_bytes
        Size of the input in Arrow.
    peak_bytes
        Peak physical memory during the first repetition, minus that before it; None if unknown.
    result_rows
        Rows of the first compared table.
    figures
        Other numbers of the result.
    digests
        Digests that must be equal for all peers.
    """

    case: Case
    peer: str
    seconds: list[float]
    input_bytes: int
    peak_bytes: int | None
    result_rows: int
    figures: dict[str, int]
    digests: dict[str, str]

    @property
    def median(self) -> float:
        """Median of the repetitions, in seconds."""
        return statistics.median(self.seconds)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Measurement:
        """Convert the output of `dataclasses.asdict`."""
        return cls(**{**fields, "case": Case(**fields["case"])})


def measure_apart(case: Case, peer: str, flows: Path, repetitions: int) -> Measurement:
    """Measure in a fresh process; `flows` is the input as an Arrow file."""
    output = flows.with_name("measurement.json")
    command = [sys.executable, "-m", "benchmarks.measure"]
    command += [json.dumps(asdict(case)), peer, str(flows), str(output), str(repetitions)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasurementError(f"{peer} failed at {case}:\n{done.stderr}")
    return Measurement.from_json(json.loads(output.read_text(encoding="utf-8")))


def measure(case: Case, peer_name: str, flows: Path, repetitions: int) -> Measurement:
    """Measure in this process, which must be fresh."""
    from benchmarks.jobs import JOBS

    peer = JOBS[case.job].peer(peer_name)
    table = _read(flows)
    peer.work(peer.prepare(table.slice(0, WARM_UP_ROWS)))
    prepared = peer.prepare(table)
    pa.default_memory_pool().release_unused()
    before = memory.resident()
    memory.reset_peak()
    result, seconds = _timed(peer.work, prepared)
    peak = memory.peak()
    times = [seconds]
    while len(times) < repetitions and sum(times) < ENOUGH_SECONDS:
        del result
        result, seconds = _timed(peer.work, prepared)
        times.append(seconds)

    from benchmarks.digest import digest

    facts = peer.facts(result)
    return Measurement(
        case=case,
        peer=peer_name,
        seconds=times,
        input_bytes=table.nbytes,
        peak_bytes=None if peak is None or before is None else max(0, peak - before),
        result_rows=next(iter(facts.values())).num_rows,
        figures=peer.figures(result),
        digests=digest(facts),
    )


def _timed(work: Callable[[Any], Any], prepared: Any) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work(prepared)
    return result, time.perf_counter() - start


def _read(path: Path) -> pa.Table:
    """Read into memory; mapped pages would count as memory of the job."""
    with pa.OSFile(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def _main(case: str, peer: str, flows: str, output: str, repetitions: str) -> None:
    measured = measure(Case(**json.loads(case)), peer, Path(flows), int(repetitions))
    Path(output).write_text(json.dumps(asdict(measured)), encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
