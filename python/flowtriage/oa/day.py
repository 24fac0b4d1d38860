"""State that the steps of a run share, and the staged files of a day.

Files of a run are staged in a hidden folder named after the run and published after the run commits
to the store. If the process dies in between, the next run publishes or deletes them.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from flowtriage.atomic import move_files
from flowtriage.configuration import Settings
from flowtriage.errors import InputError, StoreError
from flowtriage.oa.findings import find
from flowtriage.oa.results import DEFAULT, ColumnMapping, load_mapping
from flowtriage.quality.report import ReadReport
from flowtriage.read.flows import Flows
from flowtriage.store import FlowStore, Transaction
from flowtriage.store.raw_flows import RawFlows

_STAGING = ".run-"
_MAX_LISTED = 5


@contextmanager
def day_locked(folder: Path) -> Iterator[None]:
    """Lock the files of a day for one run."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"another run of this day is active in {folder}; wait until it ends, or stop it"
            ) from None
        yield


def publish(folder: Path, committed: str | None) -> None:
    """Publish the staged files of the committed run; delete those of all other runs."""
    for staging in folder.glob(f"{_STAGING}*"):
        if staging.name == f"{_STAGING}{committed}":
            move_files(staging, folder)
        shutil.rmtree(staging)


@dataclass
class Day:
    """State of the run of one day.

    Attributes
    ----------
    date
        The day, in UTC.
    run
        ID of the run.
    settings
        The configuration.
    store
        Store of the results.
    logs
        Log files to ingest first.
    read_options
        `format`, `tz`, `date_order` and `columns` for `read_flows`.
    in_memory
        Flows in memory to use instead of ingested flows.
    results
        Path of Spot's `flow_results.csv` to read instead of ranking flows.
    transaction
        The open transaction, if any.
    """

    date: dt.date
    run: str
    settings: Settings
    store: FlowStore
    logs: Sequence[Any] = ()
    read_options: Mapping[str, Any] = field(default_factory=dict)
    in_memory: Flows | None = None
    results: Path | None = None
    transaction: Transaction | None = None
    _scores: pa.Table | None = field(default=None, repr=False)

    @property
    def data(self) -> Path:
        """Folder of the day's files."""
        return self.settings.folders.data / "flow" / self.date.isoformat()

    @property
    def ipynb(self) -> Path:
        """Folder of the day's notebooks."""
        return self.settings.folders.ipynb / "flow" / self.date.isoformat()

    @property
    def raw(self) -> RawFlows:
        """Ingested raw flows of all days."""
        return RawFlows(self.settings.folders.flows)

    @cached_property
    def mapping(self) -> ColumnMapping:
        """Mapping of result columns to columns of `flow_scores`."""
        path = self.settings.ranking.flow_conf
        return load_mapping(path) if path else DEFAULT

    @cached_property
    def flows(self) -> pa.Table:
        """Raw flows of the day."""
        in_memory = self.in_memory
        return self.raw.read(self.date) if in_memory is None else in_memory.to_arrow()

    @cached_property
    def report(self) -> ReadReport:
        """Report of the raw flows of the day, with what was counted when they were read."""
        if self.in_memory is not None:
            return self.in_memory.report
        report = self.raw.report(self.date)
        report.describe(self.flows)
        return report

    @cached_property
    def found(self) -> pa.Table:
        """Findings in the raw flows of the day."""
        return find(self.flows, self.settings.context.ipranges)

    @property
    def scores(self) -> pa.Table:
        """Suspicious connections of this run, or the stored ones if this run has none."""
        if self._scores is None:
            stored = self.store.read("flow_scores", day=self.date, order=["rank"])
            self._scores = stored.drop_columns(["day"])
        return self._scores

    @scores.setter
    def scores(self, scores: pa.Table) -> None:
        self._scores = scores

    def load(self, *, findings: bool) -> None:
        """Load what a transaction stores, since it blocks other reads of the store."""
        _ = self.scores
        if findings:
            _ = self.found

    def create_staging(self) -> Path:
        """Create and return the folder of files to publish when the run commits."""
        staging = self.data / f"{_STAGING}{self.run}"
        staging.mkdir()
        return staging

    def require_flows(self) -> pa.Table:
        """Return the raw flows of the day, one or more."""
        if not self.flows.num_rows:
            raise no_flows(self.raw, self.date)
        return self.flows


def no_flows(raw: RawFlows, date: dt.date) -> InputError:
    """Return the error for a day without raw flows, with the available days."""
    days = raw.days()
    listed = ", ".join(map(str, days[:_MAX_LISTED])) + (", …" if len(days) > _MAX_LISTED else "")
    return InputError(
        f"no flows of {date} (UTC) in {raw.folder}; "
        + (f"available days: {listed}" if days else "give logs to ingest with --flows")
    )
