"""Files of a day that come true together with what a run stores.

They wait in a hidden folder that bears the name of the run. Once the store has the run, they take
their places; if the run broke off in between, the next one finds which of the two it is.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from flowtriage.configuration import Settings
from flowtriage.errors import InputError, StoreError
from flowtriage.oa.results import DEFAULT, ColumnMapping, load_mapping
from flowtriage.store import FlowStore, Transaction
from flowtriage.store.raw_flows import RawFlows

_WAITING = ".run-"


@contextmanager
def day_locked(folder: Path) -> Iterator[None]:
    """Let one run at a time at the files of a day.

    Raises
    ------
    StoreError
        If another run has them.
    """
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"another run of this day is at work in {folder}; wait for it, or end it"
            ) from None
        yield


def waiting(folder: Path, run: str) -> Path:
    """Return the folder where the files of a run wait; it is created."""
    place = folder / f"{_WAITING}{run}"
    place.mkdir()
    return place


def publish(folder: Path, stored: str | None) -> None:
    """Bring files that wait to their places if their run is the one stored; remove all others."""
    for place in folder.glob(f"{_WAITING}*"):
        if place.name == f"{_WAITING}{stored}":
            for file in place.iterdir():
                os.replace(file, folder / file.name)  # noqa: PTH105
        shutil.rmtree(place)


_TOLD = 5


@dataclass
class Day:
    """A day's work.

    Attributes
    ----------
    day
        The day, in UTC.
    run
        Name of this run.
    settings
        The configuration.
    store
        Where results are kept.
    logs
        Log files to ingest first.
    reading
        How to read them: `format`, `tz` and `columns`, as for `read_flows`.
    given
        Flows that are in memory already, in place of those that were ingested.
    results
        Spot's `flow_results.csv` to read, in place of ranking the flows.
    change
        The transaction, while one is open.
    """

    day: date
    run: str
    settings: Settings
    store: FlowStore
    logs: Sequence[Any] = ()
    reading: Mapping[str, Any] = field(default_factory=dict)
    given: pa.Table | None = None
    results: Path | None = None
    change: Transaction | None = None
    _scores: pa.Table | None = field(default=None, repr=False)

    @property
    def data(self) -> Path:
        """Folder of the day's files."""
        return self.settings.folders.data / "flow" / self.day.isoformat()

    @property
    def ipynb(self) -> Path:
        """Folder of the day's notebooks."""
        return self.settings.folders.ipynb / "flow" / self.day.isoformat()

    @property
    def raw(self) -> RawFlows:
        """The raw flows that were ingested."""
        return RawFlows(self.settings.folders.flows)

    @cached_property
    def mapping(self) -> ColumnMapping:
        """What becomes of the columns of ranked results."""
        path = self.settings.ranking.flow_conf
        return load_mapping(path) if path else DEFAULT

    @cached_property
    def flows(self) -> pa.Table:
        """Raw flows of the day."""
        return self.raw.read(self.day) if self.given is None else self.given

    @property
    def scores(self) -> pa.Table:
        """The suspicious connections: of this run, or else those that are stored."""
        if self._scores is None:
            stored = self.store.read("flow_scores", day=self.day, order=["rank"])
            self._scores = stored.drop_columns(["day"])
        return self._scores

    @scores.setter
    def scores(self, scores: pa.Table) -> None:
        self._scores = scores

    def load_scores(self) -> None:
        """Read stored suspicious connections, unless this run has its own, while it is possible."""
        _ = self.scores

    def waiting(self) -> Path:
        """Return the folder where files wait for the store to have this run."""
        return waiting(self.data, self.run)

    def need_flows(self) -> pa.Table:
        """Return the raw flows of the day.

        Raises
        ------
        InputError
            If there is none; the message says which days there are.
        """
        if not self.flows.num_rows:
            raise no_flows(self.raw, self.day)
        return self.flows


def no_flows(raw: RawFlows, day: date) -> InputError:
    """Return the error that there is no flow of a day, which says which days there are."""
    days = raw.days()
    known = ", ".join(map(str, days[:_TOLD])) + (", …" if len(days) > _TOLD else "")
    return InputError(
        f"there is no flow of {day} (UTC) in {raw.folder}; "
        + (f"there are flows of {known}" if days else "give logs to read, with --flows")
    )
