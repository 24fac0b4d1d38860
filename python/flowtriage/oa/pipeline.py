"""`FlowOA`: the run of a day, step by step."""

from __future__ import annotations

import html
import logging
import os
import secrets
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from flowtriage.configuration import Settings, load_settings
from flowtriage.errors import ArgumentError
from flowtriage.humanize import sanitize
from flowtriage.inputs.arrow import is_dataframe, is_stream
from flowtriage.inputs.timespan import day_span, parse_day
from flowtriage.oa import steps as do
from flowtriage.oa.check import require
from flowtriage.oa.day import Day, day_locked, publish
from flowtriage.oa.steps import Step
from flowtriage.progress import report_progress
from flowtriage.quality import warn_bad_rows
from flowtriage.read.flows import Flows
from flowtriage.read.read_flows import read_flows
from flowtriage.store import FlowStore

STEPS = (
    Step("ingest", "Add logs to the raw flows", do.ingest),
    Step("folders", "Create the folders of the day", do.folders),
    Step("notebooks", "Copy the notebooks", do.notebooks),
    Step("results", "Read or make the ranked results", do.results),
    Step("context", "Add network context", do.context),
    Step("geolocation", "Add geolocation", do.geolocation),
    Step("reputation", "Add reputation", do.reputation),
    Step("store", "Store the suspicious connections", do.store, stores=True),
    Step("details", "Store details and chords", do.details, stores=True),
    Step("summary", "Store the ingest summary", do.ingest_summary, stores=True),
)
"""The steps of a run, in order."""
_LOG = logging.getLogger("flowtriage.oa")
_LOG.addHandler(logging.NullHandler())
_MARK = (
    "INSERT INTO flow_run (day, run, finished) VALUES ($1, $2, $3) "
    "ON CONFLICT (day) DO UPDATE SET run = excluded.run, finished = excluded.finished"
)


@dataclass(frozen=True)
class Done:
    """A step that was done.

    Attributes
    ----------
    name, title
        Which one.
    seconds
        How long it took.
    count
        Rows or files that it made.
    note
        What there is to say of it.
    """

    name: str
    title: str
    seconds: float
    count: int
    note: str

    def __str__(self) -> str:
        """Show the step in one line."""
        return f"{self.title:<34} {self.seconds:8.2f} s {self.count:>10,}  {sanitize(self.note)}"


@dataclass
class Run:
    """A run of a day.

    Attributes
    ----------
    day
        The day.
    run
        Name of the run.
    store
        Where its results are.
    steps
        What was done.
    """

    day: date
    run: str
    store: str
    steps: list[Done] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long all steps took."""
        return sum(step.seconds for step in self.steps)

    def to_arrow(self) -> pa.Table:
        """Return the steps as a table."""
        return pa.Table.from_pylist([vars(step) for step in self.steps])

    def __str__(self) -> str:
        """Show the steps, one a line."""
        lines = [f"Flow OA of {self.day}, stored in {self.store}", *map(str, self.steps)]
        return "\n".join([*lines, f"{'all':<34} {self.seconds:8.2f} s"])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


class FlowOA:
    """Suspicious connections of a day: ranked, enriched, stored.

    A run of a day replaces what an earlier run of it stored, and nothing else, in one
    transaction: if it breaks off, the store is as it was. What analysts wrote stays.

    Parameters
    ----------
    date
        The day, in UTC, such as `2013-09-15`.
    flows
        Paths of logs to add to the raw flows first; or flows in memory, in any form that
        `read_flows` takes, in their place. None takes the raw flows that were ingested.
    settings
        The configuration; None reads it as `flowtriage.oa.load_settings` does.
    store
        A `FlowStore` or its URL, in place of the one configured.
    results
        Spot's `flow_results.csv` to read, in place of ranking the flows.
    limit
        Most suspicious connections, in place of the one configured.
    format, tz, columns
        How the logs are read, as for `read_flows`.

    Raises
    ------
    ArgumentError
        If the date is none.
    ConfigurationError
        If the configuration cannot be used.
    StoreError
        If the store cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> from flowtriage import sample
    >>> from flowtriage.configuration import FolderSettings, Settings, StoreSettings
    >>> folder = tempfile.TemporaryDirectory()
    >>> place = Path(folder.name)
    >>> settings = Settings(
    ...     StoreSettings(url=f"duckdb:///{place}/flows.duckdb"),
    ...     FolderSettings(place / "data", place / "ipynb", place / "flows"),
    ... )
    >>> flows = sample.office_day()
    >>> day = flows["start_time"][0].as_py()
    >>> oa = FlowOA(day, flows, settings=settings, limit=10)
    >>> run = oa.run()
    >>> [step.name for step in run.steps][-3:]
    ['store', 'details', 'summary']
    >>> oa.store.days() == [oa.day]
    True
    >>> folder.cleanup()
    """

    def __init__(
        self,
        date: Any,
        flows: Any = None,
        *,
        settings: Settings | None = None,
        store: FlowStore | str | None = None,
        results: str | os.PathLike[str] | None = None,
        limit: int | None = None,
        format: str | None = None,
        tz: str | None = None,
        columns: Any = None,
    ) -> None:
        self.day = parse_day(date)
        self.settings = settings or load_settings()
        if limit is not None:
            if limit < 1:
                raise ArgumentError(f"the limit is {limit}; 1 is the least")
            ranking = replace(self.settings.ranking, limit=limit)
            self.settings = replace(self.settings, ranking=ranking)
        require(self.settings)
        chosen = self.settings.store
        self.store = (
            store
            if isinstance(store, FlowStore)
            else FlowStore(store or chosen.url, wait=chosen.wait)
        )
        self._results = Path(results) if results is not None else None
        self._reading = {"format": format, "tz": tz, "columns": columns}
        in_memory = isinstance(flows, Flows) or is_dataframe(flows) or is_stream(flows)
        self._given: pa.Table | None = None
        if in_memory:
            read = read_flows(flows, timespan=day_span(self.day), **self._reading)
            if not isinstance(flows, Flows):
                warn_bad_rows(read.report, stacklevel=2)
            self._given = read.to_arrow()
        self._logs = () if in_memory or flows is None else _listed(flows)

    def run(self, steps: Sequence[str] | None = None) -> Run:
        """Run the steps.

        Parameters
        ----------
        steps
            Names of those to run (see `STEPS`); None runs all. Steps that are left out are taken
            from what is stored.

        Returns
        -------
        Run
            What was done.

        Raises
        ------
        ArgumentError
            If there is no such step.
        InputError
            If there is no flow of the day, or a file cannot be used.
        StoreError
            If the store refuses, or another run of the day is at work.
        OSError
            As the operating system says.
        """
        chosen = _chosen(steps)
        begun = datetime.now(UTC)
        name = f"{begun:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        work = Day(
            self.day,
            name,
            self.settings,
            self.store,
            self._logs,
            self._reading,
            self._given,
            self._results,
        )
        run = Run(self.day, name, self.store.url)
        with ExitStack() as stack:
            work.data.mkdir(parents=True, exist_ok=True)
            stack.enter_context(day_locked(work.data))
            log = stack.enter_context((work.data / "run.log").open("a", encoding="utf-8"))
            note = _Notes(run, log)
            publish(work.data, self.store.run_of(self.day))
            for step in chosen:
                if not step.stores:
                    note.do(step, work)
            storing = [step for step in chosen if step.stores]
            if storing:
                work.load_scores()
                with self.store.transaction() as work.change:
                    now = datetime.now(UTC).isoformat(timespec="seconds")
                    # The row of the day makes runs of one day wait for each other.
                    work.change.execute(_MARK, (self.day, name, now))
                    for step in storing:
                        note.do(step, work)
                publish(work.data, name)
            else:
                publish(work.data, None)
        return run


class _Notes:
    """Does steps, and notes them where a run can be followed."""

    def __init__(self, run: Run, log: TextIO) -> None:
        self._run, self._log = run, log

    def do(self, step: Step, work: Day) -> None:
        report_progress(f"{work.day}: {step.title}", len(self._run.steps), len(STEPS))
        begun = time.perf_counter()
        try:
            outcome = step.do(work)
        except BaseException as error:
            self._write(step, begun, f"failed: {type(error).__name__}: {error}", logging.ERROR)
            raise
        seconds = time.perf_counter() - begun
        done = Done(step.name, step.title, seconds, outcome.count, outcome.note)
        self._run.steps.append(done)
        self._write(step, begun, f"{outcome.count} ({outcome.note})", logging.INFO)

    def _write(self, step: Step, begun: float, what: str, level: int) -> None:
        seconds = time.perf_counter() - begun
        text = f"{self._run.run} {step.name} {seconds:.3f} s: {sanitize(what)}"
        _LOG.log(level, "%s: %s", self._run.day, text)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._log.write(f"{now} {text}\n")
        self._log.flush()


def _chosen(names: Sequence[str] | None) -> list[Step]:
    known = [step.name for step in STEPS]
    for name in names or ():
        if name not in known:
            raise ArgumentError(f"there is no step {name!r}; there are {', '.join(known)}")
    return [step for step in STEPS if names is None or step.name in names]


def _listed(flows: Any) -> Sequence[Any]:
    return [flows] if isinstance(flows, (str, os.PathLike)) else list(flows)
