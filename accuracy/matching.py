"""Compare alarms with the truth of a capture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from accuracy.alarms import WARNING, Alarm
from accuracy.kinds import KINDS
from accuracy.truth import Capture, Label

TRUE, FALSE, IGNORED, UNSCORED = "true", "false", "ignored", "unscored"

AsNames = Callable[[str], str | None]
"""Returns the AS name of an address."""


@dataclass(frozen=True)
class Judged:
    """An alarm, its outcome, and the positions of the truth that it covers."""

    alarm: Alarm
    outcome: str
    covers: tuple[int, ...] = ()


def judge(capture: Capture, alarms: Iterable[Alarm], as_name: AsNames) -> list[Judged]:
    """Return the outcome of every alarm."""
    return [_judge(capture, alarm, as_name) for alarm in alarms]


def found(judged: Sequence[Judged], position: int) -> int | None:
    """Return the highest severity of the alarms that cover a line of the truth."""
    severities = [each.alarm.severity for each in judged if position in each.covers]
    return max(severities, default=None)


def alarming(judged: Iterable[Judged]) -> list[Judged]:
    """Return the alarms of severity warning or higher."""
    return [each for each in judged if each.alarm.severity >= WARNING]


def _judge(capture: Capture, alarm: Alarm, as_name: AsNames) -> Judged:
    covers = tuple(
        position
        for position, label in enumerate(capture.truth)
        if _same_kind(alarm, label) and _concerns(alarm, label, as_name) and _anchored(alarm, label)
    )
    if covers:
        return Judged(alarm, TRUE, covers)
    if any(_same_kind(alarm, each) and _concerns(alarm, each, as_name) for each in capture.ignore):
        return Judged(alarm, IGNORED)
    return Judged(alarm, FALSE if _is_scored(capture, alarm, as_name) else UNSCORED)


def _is_scored(capture: Capture, alarm: Alarm, as_name: AsNames) -> bool:
    """Return whether an alarm that covers no label is a false one."""
    if alarm.kind in KINDS:
        stated = any(label.kind == alarm.kind for label in capture.truth)
        return not capture.benign or stated or alarm.kind in capture.negative_for
    labels = (*capture.truth, *capture.ignore)
    return capture.benign and not any(
        _anchored(alarm, label) and _concerns(alarm, label, as_name) for label in labels
    )


def _same_kind(alarm: Alarm, label: Label) -> bool:
    return (label.kind is None or label.kind == alarm.kind) and _agree(alarm.shape, label.shape)


def _concerns(alarm: Alarm, label: Label, as_name: AsNames) -> bool:
    """Return whether no field that both state differs."""
    if alarm.dest is None and alarm.as_name is not None and label.dest is not None:
        network = as_name(label.dest) == alarm.as_name
    else:
        network = True
    return (
        network
        and _agree(alarm.source, label.source)
        and _agree(alarm.dest, label.dest)
        and _agree(alarm.port, label.port)
        and _agree(alarm.protocol, label.protocol)
    )


def _anchored(alarm: Alarm, label: Label) -> bool:
    """Return whether both state the source, or both the destination."""
    source = alarm.source is not None and label.source is not None
    return source or (alarm.dest is not None and label.dest is not None)


def _agree(ours: object, theirs: object) -> bool:
    return ours is None or theirs is None or ours == theirs
