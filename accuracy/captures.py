"""Run rules over labelled captures, and count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

import flowtriage as ft
from accuracy import alarms
from accuracy.kinds import BEACON, KINDS
from accuracy.matching import FALSE, TRUE, Judged, alarming, found, judge
from accuracy.rules import Rule
from accuracy.tally import Tally
from accuracy.truth import HARD, SURE, Capture, Label, TruthError

_DAY = 86_400
_NO_CLIENTS = pa.array(["0.0.0.0", "::"])


@dataclass(frozen=True)
class Scored:
    """The alarms of one rule in one capture, compared with its truth."""

    capture: Capture
    rule: str
    hosts: int
    host_days: float
    judged: list[Judged]

    def tally(self, kind: str | None = None, strengths: Iterable[str] = (SURE,)) -> Tally:
        """Count the alarms of warning or higher of a kind, and the outbound truth they cover."""
        alarms_of = [each for each in alarming(self.judged) if kind in (None, each.alarm.kind)]
        wanted = [
            position
            for position, label in enumerate(self.capture.truth)
            if kind in (None, label.kind)
            and label.strength in strengths
            and is_reported(self.capture, label)
        ]
        return Tally(
            sum(found(alarms_of, position) is not None for position in wanted),
            len(wanted),
            sum(each.outcome == TRUE for each in alarms_of),
            sum(each.outcome == FALSE for each in alarms_of),
            self.host_days,
        )


def is_reported(capture: Capture, label: Label) -> bool:
    """Return whether a line of the truth is one that detectors report by default.

    Calls from outside to a host of the capture are not: beacons report them on request only.
    """
    return label.kind in KINDS and not is_inbound(capture, label)


def is_inbound(capture: Capture, label: Label) -> bool:
    """Return whether a line of the truth is a beacon from outside to a host of the capture."""
    outside = label.source is not None and not capture.is_internal(label.source)
    return label.kind == BEACON and outside and capture.is_internal(label.dest)


def score(captures: Sequence[Capture], rules: Sequence[Rule]) -> Iterator[Scored]:
    """Yield the scored alarms of every rule in every capture."""
    for capture in captures:
        flows = _read(capture)
        hosts, days = _extent(capture, flows)
        for rule in rules:
            found_by = rule.run(flows, capture.internal or None)
            judged = judge(capture, alarms.rows(found_by), as_name)
            yield Scored(capture, rule.name, hosts, hosts * days, judged)


def total(scored: Iterable[Scored], kind: str | None = None, *, hard: bool = False) -> Tally:
    """Sum the counts of scored captures."""
    strengths = (SURE, HARD) if hard else (SURE,)
    return sum((each.tally(kind, strengths) for each in scored), Tally())


@cache
def as_name(address: str) -> str | None:
    """Return the AS name of an address, from the bundled database."""
    name: str | None = _database().lookup([address])["as_name"][0].as_py()
    return name


@cache
def _database() -> ft.AsnDatabase:
    return ft.AsnDatabase()


def _read(capture: Capture) -> pa.Table:
    try:
        return pa.table(ft.read_flows(capture.path))
    except ft.FlowtriageError as error:
        raise TruthError(f"{capture.path}: {error}") from error


def _extent(capture: Capture, flows: pa.Table) -> tuple[int, float]:
    """Return the number of internal hosts that started a flow, and the days of the capture."""
    clients = pc.unique(flows["src_ip"]).drop_null()
    clients = clients.filter(pc.invert(pc.is_in(clients, value_set=_NO_CLIENTS)))
    if capture.networks:
        hosts = sum(map(capture.is_internal, clients.to_pylist()))
    else:
        directions = ft.classify_direction(flows)
        inside = pc.is_in(directions["direction"], pa.array(["outbound", "internal"]))
        hosts = len(pc.unique(directions.filter(inside)["src_ip"]).drop_null())
    seconds = pc.min_max(pc.cast(flows["start_time"], pa.int64())).as_py()
    if seconds["min"] is None:
        raise TruthError(f"{capture.path}: no flow has a time")
    return max(hosts, 1), max((seconds["max"] - seconds["min"]) / 1e6, 1.0) / _DAY
