"""The report in Markdown."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from benchmarks.job import FLOWTRIAGE, Job
from benchmarks.jobs import JOBS
from benchmarks.measure import ENOUGH_SECONDS, REPETITIONS, WARM_UP_ROWS, Case, Measurement
from benchmarks.results import Results
from benchmarks.shapes import ADDRESSES, SHAPES
from benchmarks.targets import TARGETS

_INTRODUCTION = f"""\
# Benchmarks

Written by `make bench` as a whole; nothing here is typed in. Ratios are times of a peer divided by
flowtriage's time on the same input in the same run: above 1, flowtriage is faster.

Every peer does every job in a fresh process, one process at a time, the peers of one case one after
the other, each with as many threads as it takes by itself (all cores). It reads the input, an Arrow
table made from a fixed seed, into memory, does the job once on the first {WARM_UP_ROWS:,} rows, and
then up to {REPETITIONS} times on all (fewer once these take more than {ENOUGH_SECONDS:.0f} s);
times are medians. What is prepared beforehand and not timed is told with each job. Results are
reduced to hashes of their rows, and the run stops if those of any two peers differ. Memory is the
peak of physical memory in the first of these repetitions beyond what the process held before it,
the input included.
"""


def render(results: Results) -> str:
    """Render all that was measured."""
    jobs = [(name, job) for name, job in JOBS.items() if results.cases(name)]
    parts = [_INTRODUCTION, _machine(results), _targets(results)]
    parts += [_job(name, job, results) for name, job in jobs]
    return "\n".join(parts)


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Render a table; columns after the first are aligned right."""
    names = list(header)
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *map(list, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def seconds(value: float) -> str:
    """Write a time with three digits."""
    return f"{value * 1e3:.3g} ms" if value < 0.9995 else f"{value:.3g} s"


def megabytes(count: int | None) -> str:
    """Write a size."""
    return "–" if count is None else f"{count / 1e6:,.1f} MB"


def times(value: float | None) -> str:
    """Write a ratio."""
    return "–" if value is None else f"{value:.1f} ×" if value < 99.5 else f"{value:.0f} ×"


def _machine(results: Results) -> str:
    return table(("Where and what", ""), results.machine.items())


def targets(rows: Iterable[tuple[str, str, str, str]]) -> str:
    """Tabulate rows of targets."""
    return table(("Work", "Wanted", "Measured", ""), rows)


def _targets(results: Results) -> str:
    rows = (target.row(measure(results)) for target, measure in TARGETS)
    return f"## Targets\n\n{targets(rows)}"


def _job(name: str, job: Job, results: Results) -> str:
    cases = results.cases(name)
    parts = [f"## {job.title}\n\n{job.note}\n", _times(job, cases, results)]
    parts.append(f"Memory beyond the input, and its size:\n\n{_memory(job, cases, results)}")
    if growth := _growth(job, cases, results):
        parts.append(f"Times of the larger input divided by those of the smaller:\n\n{growth}")
    if figures := _figures(job, cases, results):
        parts.append(figures)
    return "\n".join(parts)


def _measured_peers(job: Job, cases: list[Case], results: Results) -> list[str]:
    there = {m.peer for case in cases for m in results.of(case)}
    return [peer.name for peer in job.peers if peer.name in there]


def _times(job: Job, cases: list[Case], results: Results) -> str:
    """Tabulate medians; behind the peers of each form, the ratio to the fastest of them."""
    there = _measured_peers(job, cases, results)
    header, cells = ["Input", "Result"], [[_input(case), _result(case, results)] for case in cases]
    for form in dict.fromkeys(peer.form for peer in job.peers):
        members = [peer for peer in job.peers if peer.form == form and peer.name in there]
        for peer in members:
            header.append(peer.name)
            for case, row in zip(cases, cells, strict=True):
                row.append(_cell(results.find(case, peer.name)))
        rivals = [peer.name for peer in members if peer.package != FLOWTRIAGE]
        if rivals:
            header.append("ratio")
            for case, row in zip(cases, cells, strict=True):
                row.append(f"**{times(results.ratio(case, rivals))}**")
    return table(header, cells)


def _cell(measured: Measurement | None) -> str:
    return "–" if measured is None else seconds(measured.median)


def _input(case: Case) -> str:
    title = "addresses" if case.input == ADDRESSES else SHAPES[case.input].title
    return f"{title}, {case.rows:,}"


def _result(case: Case, results: Results) -> str:
    return f"{results.of(case)[0].result_rows:,} rows"


def _memory(job: Job, cases: list[Case], results: Results) -> str:
    there = _measured_peers(job, cases, results)
    largest = max(case.rows for case in cases)
    rows = []
    for case in cases:
        if case.rows == largest:
            found = [results.find(case, peer) for peer in there]
            peaks = [megabytes(m.peak_bytes) if m else "–" for m in found]
            size = megabytes(results.of(case)[0].input_bytes)
            rows.append((_input(case), size, *peaks))
    return table(("Input", "Size", *there), rows)


def _growth(job: Job, cases: list[Case], results: Results) -> str:
    there = _measured_peers(job, cases, results)
    rows = []
    for small, large in itertools.pairwise(cases):
        if small.input == large.input and small.rows < large.rows:
            pairs = [(results.find(small, peer), results.find(large, peer)) for peer in there]
            ratios = [times(b.median / a.median) if a and b else "–" for a, b in pairs]
            rows.append((f"{_input(small)} → {large.rows:,}", *ratios))
    return table(("Input", *there), rows) if rows else ""


def _figures(job: Job, cases: list[Case], results: Results) -> str:
    there = _measured_peers(job, cases, results)
    names = list(dict.fromkeys(n for case in cases for m in results.of(case) for n in m.figures))
    rows = []
    for name in names:
        for case in cases:
            found = [results.find(case, peer) for peer in there]
            values = [f"{m.figures[name]:,}" if m else "–" for m in found]
            rows.append((f"{name}: {_input(case)}", *values))
    return table(("Figure", *there), rows) if rows else ""
