"""Queries to providers, side by side: chunks, one repetition, a time limit and Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.enrich.reputation.results import (
    MAX_REASON,
    answer_rows,
    read_results,
    temporary_failures,
)
from flowtriage.enrich.reputation.threat_intelligence import Provider, Query, types_of
from flowtriage.errors import ServiceError
from flowtriage.humanize import sanitize
from flowtriage.progress import report_progress

if TYPE_CHECKING:
    import pandas as pd

TIME_LIMIT, INTERRUPTED = "time limit", "interrupted"
"""Why queries were stopped."""
_BACK_OFF = 1.0
_MAX_RAISED = 5
_POLL = 0.2


@dataclass
class Answers:
    """What one provider answered, or why it did not.

    Attributes
    ----------
    provider
        Its name.
    kinds
        The addresses that it was to be queried about, with msticpy's types.
    supported
        The address types that it supports, or None if it does not say.
    tables
        Results in msticpy's columns, and the same as `results.FOUND`.
    reasons
        Reasons of failed queries by address.
    attempts
        Numbers of queries by address.
    stopped
        Why queries were stopped, if they were.
    """

    provider: str
    kinds: Mapping[str, str]
    supported: frozenset[str] | None = None
    tables: list[tuple[pa.Table | pd.DataFrame, pa.Table]] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    stopped: str | None = None


@dataclass(frozen=True)
class _Report:
    """The outcome of one query: `again` if it repeated an earlier one."""

    addresses: tuple[str, ...]
    rows: pd.DataFrame | None
    found: pa.Table | None
    reason: str | None
    again: bool


class _Worker:
    """Queries one provider in a thread of its own, which does not keep the interpreter alive."""

    def __init__(
        self, provider: Provider, kinds: Mapping[str, str], stop: Event, ready: Semaphore
    ) -> None:
        self.provider, self.kinds = provider, kinds
        self.attempts = dict.fromkeys(kinds, 0)
        self.reports: list[_Report] = []
        self.finished = 0
        """Number of addresses whose first query ended, or that are not queried."""
        self.is_done = False
        self._stop, self._ready = stop, ready
        self._failed: list[str] = []
        self._reached = False

    def start(self) -> None:
        name = f"flowtriage-{self.provider.name}"
        Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        try:
            waiting = _chunks(self.kinds, self.provider.chunk)
            repeated = False
            for chunk in waiting:
                if self._stop.is_set():
                    return
                self._query(chunk, self.provider.query)
                if self._reached or len(self._failed) < (1 if repeated else _MAX_RAISED):
                    continue
                if repeated:
                    self._give_up(tuple(address for rest in waiting for address in rest))
                    return
                self._repeat_failed()
                repeated = True
            self._repeat_failed()
        finally:
            self.is_done = True
            self._ready.release()

    def _query(self, chunk: tuple[str, ...], query: Query, *, again: bool = False) -> None:
        for address in chunk:
            self.attempts[address] += 1
        failed = set(chunk)
        try:
            answer = query({address: self.kinds[address] for address in chunk})
        except BaseException as error:  # also of a provider that exits: its thread must report
            report = _Report(chunk, None, None, _reason(error), again)
        else:
            self._reached = True
            report = self._read(answer, chunk, again)
            if report.rows is not None and report.found is not None:
                failed = set(_failures(report.found)) & temporary_failures(report.rows)
        if not again:
            self._failed += [address for address in chunk if address in failed]
        self._report(report)

    def _read(self, answer: Any, chunk: tuple[str, ...], again: bool) -> _Report:
        try:
            rows = answer_rows(answer, chunk, self.provider.name)
            return _Report(chunk, rows, read_results(rows), None, again)
        except ServiceError as error:
            return _Report(chunk, None, None, str(error), again)
        except Exception as error:
            return _Report(chunk, None, None, f"unreadable results: {_reason(error)}", again)

    def _repeat_failed(self) -> None:
        """Query failed addresses once more, each alone, after a pause."""
        failed, self._failed = self._failed, []
        if not failed or self._stop.wait(_BACK_OFF):
            return
        for done, address in enumerate(failed):
            if self._stop.is_set() or (done >= _MAX_RAISED and not self._reached):
                return
            self._query((address,), self.provider.query_again, again=True)

    def _give_up(self, rest: tuple[str, ...]) -> None:
        if not rest:
            return
        failures = sum(attempts > 0 for attempts in self.attempts.values())
        reason = f"not queried after {failures} failures: {self.reports[-1].reason}"
        self._report(_Report(rest, None, None, reason, again=False))

    def _report(self, report: _Report) -> None:
        self.reports.append(report)
        if not report.again:
            self.finished += len(report.addresses)
        self._ready.release()

    def answers(self, stopped: str | None) -> Answers:
        """Return what was reported up to now."""
        reports, attempts = list(self.reports), dict(self.attempts)
        answers = Answers(self.provider.name, self.kinds, self.provider.supported)
        answers.attempts, answers.stopped = attempts, stopped
        repeated = {
            address
            for report in reports
            if report.again and report.rows is not None and len(report.rows)
            for address in report.addresses
        }
        for report in reports:
            if report.reason is not None:
                answers.reasons |= dict.fromkeys(report.addresses, report.reason)
            elif report.rows is not None and report.found is not None and len(report.rows):
                keep = [report.again or ioc not in repeated for ioc in report.rows["Ioc"]]
                answers.tables.append((report.rows[keep], report.found.filter(pa.array(keep))))
        return answers


def query_services(
    providers: Sequence[tuple[Provider, Mapping[str, str]]],
    time_limit: float | None,
    meanwhile: Callable[[], None],
) -> tuple[list[Answers], str | None]:
    """Query providers side by side, each about its addresses; return also why it was stopped.

    `meanwhile` is called in this thread. After the time limit or Ctrl-C no further query starts;
    the answers until then are returned.
    """
    deadline = None if time_limit is None else time.monotonic() + time_limit
    stop, ready = Event(), Semaphore(0)
    workers = [_Worker(provider, kinds, stop, ready) for provider, kinds in providers]
    stopped = None
    try:
        for worker in workers:
            worker.start()
        meanwhile()
        if not _wait(workers, ready, deadline):
            stopped = TIME_LIMIT
    except KeyboardInterrupt:
        stopped = INTERRUPTED
    finally:
        stop.set()
    return [worker.answers(None if worker.is_done else stopped) for worker in workers], stopped


def query_tables(source: Any, addresses: pa.Array) -> list[Answers]:
    """Query a source that returns Arrow tables, such as `BlockLists`, about all addresses."""
    kinds = types_of(addresses)
    attempts = dict.fromkeys(kinds, 1)
    try:
        table: pa.Table = source.query(addresses)
    except Exception as error:
        reasons = dict.fromkeys(kinds, _reason(error))
        return [
            Answers(name, kinds, reasons=dict(reasons), attempts=attempts)
            for name in source.providers
        ]
    parts = {name: table.filter(pc.equal(table["Provider"], name)) for name in source.providers}
    return [
        Answers(name, kinds, tables=[(part, read_results(part))], attempts=attempts)
        for name, part in parts.items()
    ]


def _wait(workers: Sequence[_Worker], ready: Semaphore, deadline: float | None) -> bool:
    """Report progress until all are done; return False after the deadline."""
    total = sum(len(worker.kinds) for worker in workers)
    while True:
        done = all(worker.is_done for worker in workers)
        if total:
            report_progress("threat intelligence", sum(w.finished for w in workers), total)
        if done:
            return True
        left = _POLL if deadline is None else min(deadline - time.monotonic(), _POLL)
        if left <= 0:
            return False
        ready.acquire(timeout=left)


def _chunks(addresses: Iterable[str], size: int) -> Iterable[tuple[str, ...]]:
    waiting = iter(addresses)
    while chunk := tuple(islice(waiting, size)):
        yield chunk


def _failures(found: pa.Table) -> list[str]:
    rows = found.select(["address", "answered"]).to_pylist()
    answered = {row["address"] for row in rows if row["answered"]}
    return [row["address"] for row in rows if row["address"] not in answered]


def _reason(error: BaseException) -> str:
    text = str(error.args[0]) if error.args else ""
    name = type(error).__name__
    first = text.strip().partition("\n")[0]
    if "passed were None" in first:  # pandas, joining what the provider returned
        return "returned None"
    return sanitize(f"{name}: {first}" if first else name, MAX_REASON)
