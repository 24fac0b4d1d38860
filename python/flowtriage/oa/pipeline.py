"""`FlowOA`: run the steps of a day."""

from __future__ import annotations

import html
import logging
import os
import secrets
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from flowtriage.configuration import Settings, load_settings
from flowtriage.detect.allow_list import AllowLike
from flowtriage.errors import ArgumentError
from flowtriage.humanize import did_you_mean, quoted, sanitize
from flowtriage.inputs.arrow import FlowSource, is_dataframe, is_stream
from flowtriage.inputs.timespan import DayLike, day_span, parse_day
from flowtriage.oa import queries
from flowtriage.oa import steps as do
from flowtriage.oa.check import require
from flowtriage.oa.day import Day, day_locked, publish
from flowtriage.oa.steps import Step
from flowtriage.progress import report_progress
from flowtriage.quality import ReadReport, warn_notices
from flowtriage.read.custom import Columns
from flowtriage.read.flows import Flows
from flowtriage.read.read_flows import read_flows
from flowtriage.store import FlowStore

STEPS = (
    Step("ingest", "Ingest logs", do.ingest),
    Step("folders", "Create the folders", do.folders),
    Step("notebooks", "Copy the notebooks", do.notebooks),
    Step("results", "Rank flows or read results", do.results, changes=True),
    Step("context", "Add network context", do.context, changes=True),
    Step("geolocation", "Add geolocation", do.geolocation, changes=True),
    Step("reputation", "Add reputation", do.reputation, changes=True),
    Step("hunt", "Run the detectors", do.hunt),
    Step("findings", "Store the findings", do.findings, stores=True),
    Step("store", "Store the suspicious connections", do.store, stores=True),
    Step("details", "Store details and chords", do.details, stores=True),
    Step("summary", "Store the ingest summary", do.ingest_summary, stores=True),
)
"""The steps of a run, in order."""
_STORE = "store"
_FINDINGS = "findings"
_READING = ("ingest", "results", "hunt", _FINDINGS)
"""Steps that read flows."""
_LOG = logging.getLogger("flowtriage.oa")
_LOG.addHandler(logging.NullHandler())
_RECORD_RUN = (
    "INSERT INTO flow_run (day, run, finished) VALUES ($1, $2, $3) "
    "ON CONFLICT (day) DO UPDATE SET run = excluded.run, finished = excluded.finished"
)


@dataclass(frozen=True)
class StepReport:
    """Report of a completed step.

    Attributes
    ----------
    name, title
        Name and description of the step.
    seconds
        Duration in seconds.
    count
        Number of rows or files written.
    note
        Details for people.
    """

    name: str
    title: str
    seconds: float
    count: int
    note: str

    def __str__(self) -> str:
        """Format the report as one line."""
        return f"{self.title:<34} {self.seconds:8.2f} s {self.count:>10,}  {sanitize(self.note)}"


@dataclass
class Run:
    """Report of the run of a day.

    Attributes
    ----------
    day
        The day.
    run
        ID of the run.
    store
        URL of the store, without a password.
    steps
        Completed steps, in order.
    report
        Read report of the flows of the day; None if no step read them.
    """

    day: date
    run: str
    store: str
    steps: list[StepReport] = field(default_factory=list)
    report: ReadReport | None = field(default=None, repr=False, compare=False)

    @property
    def seconds(self) -> float:
        """Duration of all steps in seconds."""
        return sum(step.seconds for step in self.steps)

    def to_arrow(self) -> pa.Table:
        """Return the steps as a table."""
        return pa.Table.from_pylist([vars(step) for step in self.steps])

    def to_dict(self) -> dict[str, Any]:
        """Return the run as a dictionary of plain values."""
        return {
            "day": self.day,
            "run": self.run,
            "store": self.store,
            "steps": [asdict(step) for step in self.steps],
            "report": self.report.to_dict() if self.report else None,
        }

    def __str__(self) -> str:
        """Format the report, one line per step."""
        lines = [f"Flow OA of {self.day}, stored in {self.store}", *map(str, self.steps)]
        return "\n".join([*lines, f"{'total':<34} {self.seconds:8.2f} s"])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


class FlowOA:
    """Rank, enrich and store the suspicious connections of a day.

    A run replaces the results of the previous run of the same day in one transaction. Analyst
    scores and stories are kept.

    Parameters
    ----------
    date
        The day, in UTC, such as `2013-09-15`.
    flows
        Paths of logs to ingest first, or flows in memory in any form that `read_flows` accepts.
        None uses the ingested raw flows.
    settings
        The configuration; None loads it with `flowtriage.oa.load_settings`.
    store
        A `FlowStore` or its URL; None uses `store.url` of the configuration.
    results
        Path of Spot's `flow_results.csv` to read instead of ranking flows.
    limit
        Maximum number of suspicious connections; None uses `ranking.limit`.
    format, tz, date_order, columns
        Options for reading the logs, as for `read_flows`.

    Raises
    ------
    ArgumentError
        If the date or the limit is invalid.
    ConfigurationError
        If the configuration is invalid or names missing files.
    StoreError
        If the store cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> from flowtriage import sample
    >>> from flowtriage.configuration import FolderSettings, Settings, StoreSettings
    >>> folder = tempfile.TemporaryDirectory()
    >>> root = Path(folder.name)
    >>> settings = Settings(
    ...     StoreSettings(url=f"duckdb:///{root}/flows.duckdb"),
    ...     FolderSettings(root / "data", root / "ipynb", root / "flows"),
    ... )
    >>> flows = sample.office_day()
    >>> date = flows["start_time"][0].as_py()
    >>> oa = FlowOA(date, flows, settings=settings, limit=10)
    >>> run = oa.run()
    >>> [step.name for step in run.steps][-3:]
    ['store', 'details', 'summary']
    >>> oa.store.days() == [oa.day]
    True
    >>> folder.cleanup()
    """

    def __init__(
        self,
        date: DayLike,
        flows: FlowSource | None = None,
        *,
        settings: Settings | None = None,
        store: FlowStore | str | None = None,
        results: str | os.PathLike[str] | None = None,
        limit: int | None = None,
        format: str | None = None,
        tz: str | None = None,
        date_order: str | None = None,
        columns: Columns | str | Sequence[str] | None = None,
    ) -> None:
        self.day = parse_day(date)
        self.settings = settings or load_settings()
        if limit is not None:
            if limit < 1:
                raise ArgumentError(f"limit must be 1 or more, got {limit}")
            ranking = replace(self.settings.ranking, limit=limit)
            self.settings = replace(self.settings, ranking=ranking)
        require(self.settings)
        configured = self.settings.store
        self.store = (
            store
            if isinstance(store, FlowStore)
            else FlowStore(store or configured.url, wait=configured.wait)
        )
        self._results = Path(results) if results is not None else None
        self._read_options: dict[str, Any] = {
            "format": format,
            "tz": tz,
            "date_order": date_order,
            "columns": columns,
        }
        in_memory = isinstance(flows, Flows) or is_dataframe(flows) or is_stream(flows)
        self._in_memory: Flows | None = None
        self._warns = not isinstance(flows, Flows)
        if in_memory:
            self._in_memory = read_flows(flows, timespan=day_span(self.day), **self._read_options)
        self._logs = () if in_memory or flows is None else _as_list(flows)

    def run(self, steps: Sequence[str] | None = None) -> Run:
        """Run the steps of the day.

        Parameters
        ----------
        steps
            Names of the steps to run (see `STEPS`); None runs all. Results of skipped steps are
            read from the store. Steps that change the suspicious connections need `store`.

        Returns
        -------
        Run
            Report of the completed steps.

        Raises
        ------
        ArgumentError
            If a step is unknown, or needs the step `store`.
        InputError
            If there are no flows of the day or an input file is invalid.
        StoreError
            If the store cannot be changed, or another run of the day is active.
        OSError
            If a file cannot be read or written.

        Warns
        -----
        QualityWarning
            If the flows of the day have limits, such as bad rows; `report` of the result states
            them. `Flows` in memory do not warn, because their report is at hand.
        """
        selected = _selected(steps)
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        day = Day(
            self.day,
            run_id,
            self.settings,
            self.store,
            self._logs,
            self._read_options,
            self._in_memory,
            self._results,
        )
        run = Run(self.day, run_id, self.store.url)
        with ExitStack() as stack:
            day.data.mkdir(parents=True, exist_ok=True)
            stack.enter_context(day_locked(day.data))
            log = stack.enter_context((day.data / "run.log").open("a", encoding="utf-8"))
            executor = _Executor(run, log)
            publish(day.data, self.store.run_of(self.day))
            for step in selected:
                if not step.stores:
                    executor.do(step, day)
            storing = [step for step in selected if step.stores]
            if storing:
                day.load(findings=any(step.name == _FINDINGS for step in storing))
                with self.store.transaction() as day.transaction:
                    now = datetime.now(UTC).isoformat(timespec="seconds")
                    # The lock on the row of the day serialises runs of the same day.
                    day.transaction.execute(_RECORD_RUN, (self.day, run_id, now))
                    for step in storing:
                        executor.do(step, day)
                publish(day.data, run_id)
            else:
                publish(day.data, None)
        if any(step.name in _READING for step in selected):
            run.report = day.report
            if self._warns:
                warn_notices(run.report)
        return run

    def findings(
        self, *, min_severity: str | None = None, allow: AllowLike | None = None
    ) -> pa.Table:
        """Return the stored findings of the day; see `flowtriage.oa.queries.findings`."""
        return queries.findings(self.store, self.day, min_severity=min_severity, allow=allow)


class _Executor:
    """Execute steps; log and report each one."""

    def __init__(self, run: Run, log: TextIO) -> None:
        self._run, self._log = run, log

    def do(self, step: Step, day: Day) -> None:
        report_progress(f"{day.date}: {step.title}", len(self._run.steps), len(STEPS))
        started = time.perf_counter()
        try:
            outcome = step.do(day)
        except BaseException as error:
            self._write(step, started, f"failed: {type(error).__name__}: {error}", logging.ERROR)
            raise
        seconds = time.perf_counter() - started
        report = StepReport(step.name, step.title, seconds, outcome.count, outcome.note)
        self._run.steps.append(report)
        self._write(step, started, f"{outcome.count} ({outcome.note})", logging.INFO)

    def _write(self, step: Step, started: float, outcome: str, level: int) -> None:
        seconds = time.perf_counter() - started
        text = f"{self._run.run} {step.name} {seconds:.3f} s: {sanitize(outcome)}"
        _LOG.log(level, "%s: %s", self._run.day, text)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._log.write(f"{now} {text}\n")
        self._log.flush()


def _selected(names: Sequence[str] | None) -> list[Step]:
    known = [step.name for step in STEPS]
    for name in names or ():
        if name not in known:
            raise ArgumentError(f"unknown step {quoted(name)}{did_you_mean(name, known)}")
    selected = [step for step in STEPS if names is None or step.name in names]
    changes = [step.name for step in selected if step.changes]
    if changes and _STORE not in (step.name for step in selected):
        raise ArgumentError(
            f"the results of {' and '.join(changes)} would be lost; add the step {_STORE}"
        )
    return selected


def _as_list(flows: Any) -> Sequence[Any]:
    return [flows] if isinstance(flows, (str, os.PathLike)) else list(flows)
