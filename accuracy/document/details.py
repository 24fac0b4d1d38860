"""False alarms and misses, one by one, without addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from accuracy.alarms import SEVERITIES, Alarm, without_addresses
from accuracy.captures import Scored, as_name, is_reported
from accuracy.document.markdown import cell, left_table
from accuracy.matching import FALSE, alarming, found
from accuracy.truth import HARD, SURE, Capture

_EXPLAINED = 400
"""Longest explanation in a cell, in characters."""


def false_alarms(ours: Sequence[Scored]) -> str:
    """Render every false alarm, those on benign captures first."""
    parts = [
        "## False alarms\n\nEvery false alarm of severity warning or higher, with its evidence "
        "(of the first, where several alarms differ in their addresses only)."
    ]
    for benign, title in ((True, "Benign captures"), (False, "Other captures")):
        rows = [row for each in ours if each.capture.benign == benign for row in _false_rows(each)]
        parts.append(f"### {title}\n\n{_listed(rows)}")
    return "\n\n".join(parts)


def misses(ours: Sequence[Scored]) -> str:
    """Render the truth that was not found."""
    rows = [(f"`{each.capture.file}`", *row) for each in ours for row in _missed_rows(each)]
    header = ("Capture", "Kind", "Strength", "Port", "What the truth says", "Reported as")
    return "## Misses\n\n" + (left_table(header, rows) if rows else "None.\n")


def _listed(rows: Sequence[tuple[str, ...]]) -> str:
    """Render false alarms; those that differ in the addresses only are one row."""
    header = ("Capture", "Detector", "Severity", "Port", "From", "To", "Alarms", "Evidence")
    folded: dict[tuple[str, ...], list[str]] = {}
    for *key, evidence in rows:
        folded.setdefault(tuple(key), []).append(evidence)
    lines = [(*key, str(len(found_by)), found_by[0]) for key, found_by in folded.items()]
    return left_table(header, lines) if lines else "None.\n"


def _false_rows(scored: Scored) -> Iterator[tuple[str, ...]]:
    for each in alarming(scored.judged):
        if each.outcome == FALSE:
            alarm = each.alarm
            yield (
                f"`{scored.capture.file}`",
                cell(alarm.detector),
                SEVERITIES[alarm.severity],
                port(alarm.port, alarm.protocol),
                side(scored.capture, alarm.source, None),
                side(scored.capture, alarm.dest, alarm.as_name),
                _labelled(scored.capture, alarm) + _explanation(alarm),
            )


def _missed_rows(scored: Scored) -> Iterator[tuple[str, ...]]:
    for position, label in enumerate(scored.capture.truth):
        severity = found(scored.judged, position)
        wanted = label.strength in (SURE, HARD) and is_reported(scored.capture, label)
        if wanted and (severity is None or severity == 0):
            yield (
                cell(str(label.kind) + (f", {label.shape}" if label.shape else "")),
                cell(label.strength),
                port(label.port, label.protocol),
                cell(without_addresses(label.why)),
                "nothing" if severity is None else "information",
            )


def port(number: int | None, protocol: str | None) -> str:
    """Return a port and its protocol, as `443/tcp`."""
    return "/".join(str(part) for part in (number, protocol) if part is not None) or "–"


def side(capture: Capture, address: str | None, network: str | None) -> str:
    """Return what is known of an address, without it."""
    if address is None:
        return cell(network) if network else "many"
    if capture.is_internal(address):
        return "internal host"
    name = network or as_name(address)
    return cell(name) if name else "external host"


def _labelled(capture: Capture, alarm: Alarm) -> str:
    """Return a note if the truth names the same endpoints for something else."""
    others = {
        f"{label.kind} {port(label.port, label.protocol)}".replace(" –", "")
        for label in capture.truth
        if alarm.source == label.source and alarm.dest in (None, label.dest)
    }
    return f"(the truth names these endpoints for: {', '.join(sorted(others))}) " if others else ""


def _explanation(alarm: Alarm) -> str:
    text = alarm.explanation
    return cell(text if len(text) <= _EXPLAINED else f"{text[: _EXPLAINED - 1]}…")
