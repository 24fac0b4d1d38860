"""Flow OA for a day of a million flows: `python -m benchmarks.oa` (make bench-oa)."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks import document, logs, machine, memory, shapes
from benchmarks.report import megabytes, seconds, table, targets
from benchmarks.targets import Target

PATH = document.PATH.with_name("benchmarks-oa.md")
ROWS = 1_000_000
_DAY = "2026-03-02"
_CONTEXT = ("ipranges.csv", "networkcontext_1.csv", "iploc.csv")
_ENRICHED = "network"
"""Shape of the enriched flows."""
_TIME = Target("a day of 1,000,000 flows, {}: all steps", 180, "{:.3g} s", minimum=False)
_MEMORY = Target("a day of 1,000,000 flows, {}: peak memory", 2_000, "{:,.0f} MB", minimum=False)
_ENRICH = Target("enrichment of 1,000,000 rows, {}", 2, "{:.2f} s", minimum=False)


@dataclass(frozen=True)
class StepMeasurement:
    """Measurement of one step, or of the whole run.

    Attributes
    ----------
    title
        Name of the step.
    seconds
        Wall time.
    processor
        CPU time of the process during the step, in seconds.
    resident_bytes
        Peak physical memory of the process during the step, None if unknown.
    count
        Rows of the result.
    note
        Remark in the report.
    """

    title: str
    seconds: float
    processor: float
    resident_bytes: int | None
    count: int
    note: str = ""


def office(rows: int) -> pa.Table:
    """Repeat the sample day for as many workstations as give that many flows."""
    from flowtriage import sample

    days: list[pa.Table] = []
    while sum(day.num_rows for day in days) < rows:
        day = sample.office_day(seed=len(days) + 7)
        near = f"{len(days) >> 6 | 64}.{len(days) & 63 | 64}"
        for end in ("src_ip", "dst_ip"):
            named = pc.replace_substring(day[end], sample.HOST_IP, f"10.20.{near}")
            named = pc.replace_substring(named, sample.HOST_IPV6, f"fd4c:7a1e:93b2::{len(days):x}")
            day = day.set_column(day.column_names.index(end), end, named)
        days.append(day)
    return pa.concat_tables(days).slice(0, rows)


def _write_office(folder: Path) -> Path:
    import flowtriage as ft

    path = folder / "conn.log"
    ft.write_flows(office(ROWS), path, format="zeek")
    return path


def _write_network(folder: Path) -> Path:
    written = logs.zeek(shapes.make("zeek", ROWS))
    return written.path.replace(folder / "conn.log")


DAYS: dict[str, Callable[[Path], Path]] = {
    "an office": _write_office,
    "at random": _write_network,
}


def write_context(folder: Path) -> None:
    """Write Spot's three files: one range, 8,192 networks, 1,000,000 ranges with locations."""
    internal = "start_ip,end_ip,name\n10.0.0.0,10.255.255.255,own\n"
    (folder / _CONTEXT[0]).write_text(internal, encoding="utf-8")
    names = [f"10.{i}.{j}.0/24,net {i} {j}" for i in range(256) for j in range(0, 256, 8)]
    context = "\n".join(["ip,name", *names]) + "\n"
    (folder / _CONTEXT[1]).write_text(context, encoding="utf-8")
    random = np.random.default_rng(shapes.SEED)
    first = np.arange(ROWS, dtype=np.int64) * ((1 << 32) // ROWS)

    def numbered(name: str, most: int) -> pa.Array:
        numbers = pa.array(random.integers(0, most, ROWS)).cast(pa.string())
        return pc.binary_join_element_wise(name, numbers, " ")

    fields = [
        *(pa.array(end).cast(pa.string()) for end in (first, first + (1 << 32) // ROWS - 1)),
        *(pa.repeat(text, ROWS) for text in ("US", "United States")),
        *(numbered("State", 60), numbered("City", 40_000)),
        *(pa.array(random.random(ROWS) * 90).cast(pa.string()) for _ in range(2)),
        *(numbered("Owner Limited", 70_000), numbered("owner.example", 70_000)),
    ]
    lines = pc.binary_join_element_wise(*fields, '","')
    text = pc.binary_join(pa.ListArray.from_arrays([0, ROWS], lines), '"\n"')[0].as_py()
    (folder / _CONTEXT[2]).write_text(f'"{text}"\n', encoding="utf-8")


class _Steps(logging.Handler):
    """Records CPU time and peak memory at the end of each logged step."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[tuple[float, int | None]] = []
        self._since = time.process_time()
        memory.reset_peak()

    def emit(self, record: logging.LogRecord) -> None:
        """Record the usage since the previous step."""
        now = time.process_time()
        self.notes.append((now - self._since, memory.peak()))
        self._since = now
        memory.reset_peak()


def run(log: Path) -> list[StepMeasurement]:
    """Run the day of a log in this process, which must be fresh."""
    import flowtriage as ft
    from flowtriage.configuration import (
        ContextSettings,
        FolderSettings,
        RankingSettings,
        Settings,
        StoreSettings,
    )

    with tempfile.TemporaryDirectory(dir=log.parent) as name:
        root = Path(name)
        internal, names, locations = (log.with_name(file) for file in _CONTEXT)
        settings = Settings(
            StoreSettings(f"duckdb:///{root}/flows.duckdb"),
            FolderSettings(root / "data", root / "ipynb", root / "flows"),
            RankingSettings(),
            ContextSettings(internal, names, locations),
        )
        used = _Steps()
        logger = logging.getLogger("flowtriage.oa")
        logger.setLevel(logging.INFO)
        logger.addHandler(used)
        start = time.perf_counter()
        done = ft.FlowOA(_DAY, log, settings=settings).run()
        taken = time.perf_counter() - start
        logger.removeHandler(used)
        steps = [
            StepMeasurement(
                step.title, step.seconds, *noted, step.count, step.note.replace(name, "")
            )
            for step, noted in zip(done.steps, used.notes, strict=True)
        ]
    most = max((peak for _, peak in used.notes if peak is not None), default=None)
    processor = sum(processor for processor, _ in used.notes)
    scored = next(step.count for step in done.steps if step.name == "results")
    return [
        *steps,
        StepMeasurement("total, including time between steps", taken, processor, most, scored),
    ]


def enrich(folder: Path) -> list[StepMeasurement]:
    """Enrich a million rows in this process, from Spot's files and from bundled databases."""
    from flowtriage.oa.enrichment import Sources
    from flowtriage.oa.enrichment import enrich as add

    flows = shapes.make(_ENRICHED, ROWS)
    flows = pa.table({"sip": flows["source"], "dip": flows["dest"]})
    internal, names, locations = (folder / file for file in _CONTEXT)
    files = Sources(internal, names, locations)
    add(flows.slice(0, 1000), Sources())
    readings = []
    for title, sources in (
        ("Spot's three files, including reading", files),
        ("bundled databases", Sources()),
    ):
        memory.reset_peak()
        start, used = time.perf_counter(), time.process_time()
        enriched = add(flows, sources)
        taken, used = time.perf_counter() - start, time.process_time() - used
        if enriched["dst_geoloc"].null_count == ROWS:
            sys.exit("no address was located")
        readings.append(StepMeasurement(title, taken, used, memory.peak(), enriched.num_rows))
    return readings


def _apart(*arguments: str) -> list[StepMeasurement]:
    """Measure in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.oa", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [StepMeasurement(**fields) for fields in json.loads(done.stdout)]


def render(
    days: dict[str, list[StepMeasurement]], enriched: list[StepMeasurement], load: float
) -> str:
    """Render the report.

    Parameters
    ----------
    days
        Steps of each day, the total last.
    enriched
        Measurements of the enrichment.
    load
        System load before the benchmark, mean of one minute.
    """
    outcomes = []
    for name, steps in days.items():
        total = steps[-1]
        resident = total.resident_bytes
        named = [Target(t.work.format(name), t.bound, t.unit, t.minimum) for t in (_TIME, _MEMORY)]
        outcomes.append(named[0].row(total.seconds))
        outcomes.append(named[1].row(None if resident is None else resident / 1e6))
    for one in enriched:
        target = Target(
            _ENRICH.work.format(one.title), _ENRICH.bound, _ENRICH.unit, _ENRICH.minimum
        )
        outcomes.append(target.row(one.seconds))
    where = machine.describe() | {"System load before": f"{load:.1f}"}
    parts = [
        "# Benchmarks of Flow OA\n",
        "Generated by `make bench-oa`. Each day is a Zeek log of 1,000,000 flows, run once in "
        "a fresh process from the log to the tables of a new DuckDB file, with the default "
        "configuration and Spot's three context files, of which `iploc.csv` has 1,000,000 "
        "lines. Memory is the peak of the whole process during the step, including Python and "
        "libraries; the log may be in the system's cache. Other load on the machine increases "
        "wall times; CPU times show the work itself.\n",
        table(("Environment", ""), where.items()),
        "## Targets\n",
        targets(outcomes),
    ]
    about = {
        "an office": "The day of `flowtriage.sample`, repeated for as many workstations as needed.",
        "at random": "2,000 hosts, 20,000 peers; ports, hours and sizes are independent, so that "
        "almost every flow has two new pairs of address and word: the worst case for ranking.",
    }
    header = ("Step", "Time", "CPU", "Memory", "Rows", "")
    for name, steps in days.items():
        rows = [(*_cells(step), step.note) for step in steps]
        parts += [f"## A day of 1,000,000 flows: {name}\n", f"{about[name]}\n", table(header, rows)]
    return "\n".join(
        (
            *parts,
            "## Enrichment of 1,000,000 rows\n",
            "Both ends of 1,000,000 rows with 120,000 distinct addresses: internal or external, "
            "network context, geolocation, domain; once, in a separate process.\n",
            table(("Source", *header[1:5]), map(_cells, enriched)),
        )
    )


def _cells(reading: StepMeasurement) -> tuple[str, str, str, str, str]:
    times = seconds(reading.seconds), seconds(reading.processor)
    return reading.title, *times, megabytes(reading.resident_bytes), f"{reading.count:,}"


def main() -> None:
    """Write the inputs, measure, and write the report."""
    load = os.getloadavg()[0]
    days = {}
    with tempfile.TemporaryDirectory(prefix="flowtriage-bench-") as name:
        folder = Path(name)
        write_context(folder)
        for day, write in DAYS.items():
            _log(f"{day} …")
            log = write(folder)
            days[day] = _apart("run", str(log))
            log.unlink()
            _log(f"    {seconds(days[day][-1].seconds)}")
        enriched = _apart("enrich", str(folder))
    PATH.write_text(render(days, enriched, load), encoding="utf-8")


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    work = {"run": run, "enrich": enrich}
    if sys.argv[1:]:
        print(json.dumps([asdict(reading) for reading in work[sys.argv[1]](Path(sys.argv[2]))]))
    else:
        main()
