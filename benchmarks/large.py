"""100 million flows from Parquet on disk: `python -m benchmarks.large` (make bench-large)."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from benchmarks import document, machine, memory, shapes
from benchmarks.jobs.columns import KEYS, duckdb_measures, grouped_facts
from benchmarks.report import megabytes, seconds, table, targets
from benchmarks.targets import Target

FOLDER_VARIABLE = "FLOWTRIAGE_BENCH_DATA"
SHAPE = "million"
SMALL, LARGE = 10_000_000, 100_000_000
_PART_ROWS = 5_000_000
_READ_AHEAD = {"batch_readahead": 4, "fragment_readahead": 1}
"""By default pyarrow reads so far ahead that its own memory is more than the target."""
_MEMORY = Target("100,000,000 rows: peak resident memory", 1_500, "{:,.0f} MB", least=False)
_TIME = Target("time of 100,000,000 rows against 10,000,000", 12, "{:.1f} ×", least=False)


@dataclass(frozen=True)
class ReadRequest:
    """What one process measured on one data set.

    Attributes
    ----------
    seconds
        Wall time from the files to the index.
    resident_bytes
        Peak of physical memory of the whole process, None where the system does not tell.
    groups
        Rows of the index.
    digests
        What has to be equal in the results of all programs.
    """

    seconds: float
    resident_bytes: int | None
    groups: int
    digests: dict[str, str]


def _flowtriage(folder: Path) -> pa.Table:
    import flowtriage as ft

    scanner = ds.dataset(folder).scanner(**_READ_AHEAD)
    return ft.flow_index(scanner.to_reader())


def _duckdb(folder: Path) -> pa.Table:
    import duckdb

    names = ds.dataset(folder).schema.names
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    flows = connection.read_parquet(f"{folder}/*.parquet")
    return flows.aggregate(f"{', '.join(KEYS)}, {duckdb_measures(names)}").to_arrow_table()


_PROGRAMS: dict[str, Callable[[Path], pa.Table]] = {"flowtriage": _flowtriage, "duckdb": _duckdb}


def write(folder: Path, rows: int) -> None:
    """Write a data set in parts, each only once."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in range(rows // _PART_ROWS):
        path = folder / f"part-{part:03}.parquet"
        if not path.exists():
            waiting = path.with_suffix(".new")
            pq.write_table(shapes.make(SHAPE, _PART_ROWS, part), waiting)
            waiting.replace(path)


def read(program: str, folder: Path) -> ReadRequest:
    """Index a data set in this process, which must have done nothing before."""
    importlib.import_module(program)
    start = time.perf_counter()
    result = _PROGRAMS[program](folder)
    taken = time.perf_counter() - start
    peak = memory.peak()

    from benchmarks.digest import digest

    return ReadRequest(taken, peak, result.num_rows, digest(grouped_facts(result)))


def read_apart(program: str, folder: Path) -> ReadRequest:
    """Index a data set in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.large", program, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return ReadRequest(**json.loads(done.stdout))


def render(readings: dict[tuple[str, int], ReadRequest], sizes: dict[int, int]) -> str:
    """Render the section of the report.

    Parameters
    ----------
    readings
        What was measured, by program and number of rows.
    sizes
        Bytes on disk, by number of rows.
    """
    rows = [
        (
            f"{program}, {count:,} rows",
            megabytes(sizes[count]),
            f"{reading.groups:,}",
            seconds(reading.seconds),
            megabytes(reading.resident_bytes),
        )
        for (program, count), reading in readings.items()
    ]
    small, large = (readings["flowtriage", count] for count in (SMALL, LARGE))
    resident = None if large.resident_bytes is None else large.resident_bytes / 1e6
    verdicts = [_MEMORY.row(resident), _TIME.row(large.seconds / small.seconds)]
    where = {k: v for k, v in machine.describe().items() if not k.startswith("`")}
    return "\n".join(
        (
            f"{document.LARGE}\n",
            "Written by `make bench-large`. The flow index of a `pyarrow.dataset` of Parquet "
            "files, read as a stream in a fresh process, once, with the scanner's read-ahead at 4 "
            "batches and 1 file; files that were just written may "
            "be in the system's cache. Memory is the peak of the whole process, with Python and "
            "its libraries. DuckDB reads the same files, and its result is equal but for order.\n",
            table(("Where", ""), where.items()),
            targets(verdicts),
            table(("Program", "On disk", "Groups", "Time", "Resident"), rows),
        )
    )


def main() -> None:
    """Write the data sets where they are missing, index them, and write the report."""
    given = os.environ.get(FOLDER_VARIABLE)
    place: AbstractContextManager[str] = (
        nullcontext(given) if given else tempfile.TemporaryDirectory(prefix="flowtriage-bench-")
    )
    with place as name:
        kept = "kept" if given else f"removed afterwards; set {FOLDER_VARIABLE} to keep them"
        _say(f"Data sets of about 3 GB go to {name} ({kept}).")
        readings, sizes = {}, {}
        for count in (SMALL, LARGE):
            folder = Path(name) / f"{count}-rows"
            _say(f"{count:,} rows …")
            write(folder, count)
            sizes[count] = sum(path.stat().st_size for path in folder.glob("*.parquet"))
            for program in _PROGRAMS:
                readings[program, count] = read_apart(program, folder)
                _say(f"    {program}: {seconds(readings[program, count].seconds)}")
            if len({json.dumps(readings[p, count].digests) for p in _PROGRAMS}) > 1:
                sys.exit(f"the indices of {' and '.join(_PROGRAMS)} differ at {count:,} rows")
    document.write_large(render(readings, sizes))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(asdict(read(sys.argv[1], Path(sys.argv[2])))))
    else:
        main()
