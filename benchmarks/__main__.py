"""Run all or part of the benchmarks: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from benchmarks import document, machine, report, shapes
from benchmarks.job import FLOWTRIAGE
from benchmarks.jobs import JOBS
from benchmarks.measure import REPETITIONS, Case, MeasurementError, measure_apart
from benchmarks.results import Results

RESULTS = Path(__file__).parent / "results" / "bench.json"
_QUICK_ROWS = 100_000


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure, and write the report."""
    options = _parser().parse_args(arguments)
    if options.render:
        document.write_main(report.render(Results.read(RESULTS)))
        return
    results = Results(machine.describe())
    try:
        _measure_all(results, options)
    except MeasurementError as error:
        sys.exit(str(error))
    text = report.render(results)
    if options.report:
        document.write_main(text, options.report)
    elif _is_whole(options):
        results.write(RESULTS)
        document.write_main(text)
    else:
        print(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    packages = sorted({peer.package for job in JOBS.values() for peer in job.peers})
    inputs = [*shapes.SHAPES, shapes.ADDRESSES]
    parser.add_argument("--jobs", nargs="+", choices=list(JOBS), default=list(JOBS))
    parser.add_argument("--shapes", nargs="+", choices=inputs, default=inputs)
    parser.add_argument("--sizes", nargs="+", type=int, help="numbers of rows")
    parser.add_argument("--peers", nargs="+", choices=packages, default=packages)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument(
        "--quick", action="store_true", help=f"{_QUICK_ROWS:,} rows, one repetition"
    )
    parser.add_argument(
        "--report",
        type=Path,
        help="output file; default: docs/benchmarks.md for a full run, else stdout",
    )
    parser.add_argument(
        "--render", action="store_true", help="do not measure; render the last full run again"
    )
    return parser


def _is_whole(options: argparse.Namespace) -> bool:
    names = ("jobs", "shapes", "sizes", "peers", "repetitions", "quick")
    whole = _parser().parse_args([])
    return all(getattr(options, name) == getattr(whole, name) for name in names)


def _measure_all(results: Results, options: argparse.Namespace) -> None:
    cases = list(_cases(options))
    repetitions = 1 if options.quick else options.repetitions
    with tempfile.TemporaryDirectory(prefix="flowtriage-bench-") as folder:
        flows = Path(folder) / "input.arrow"
        written = None
        for number, case in enumerate(cases, 1):
            _log(f"[{number}/{len(cases)}] {case.job}: {case.input}, {case.rows:,} rows")
            if written != (case.input, case.rows):
                _write(case, flows)
                written = case.input, case.rows
            for peer in _peers(case, options.peers):
                measured = measure_apart(case, peer, flows, repetitions)
                results.add(measured)
                _log(f"    {peer:<24} {report.seconds(measured.median):>9}")


def _cases(options: argparse.Namespace) -> Iterator[Case]:
    for name in options.jobs:
        job = JOBS[name]
        sizes = [_QUICK_ROWS] if options.quick else options.sizes or job.sizes
        for shape in job.inputs:
            if shape in options.shapes:
                yield from (Case(name, shape, rows) for rows in sizes)


def _peers(case: Case, packages: Iterable[str]) -> Iterator[str]:
    wanted = {FLOWTRIAGE, *packages}
    for peer in JOBS[case.job].peers:
        if peer.max_rows is not None and case.rows > peer.max_rows:
            continue
        if peer.package in wanted and peer.installed():
            yield peer.name
        elif peer.package in wanted:
            _log(f"    {peer.name}: not installed")


def _write(case: Case, path: Path) -> None:
    table = shapes.make(case.input, case.rows)
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
