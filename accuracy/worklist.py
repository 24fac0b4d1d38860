"""Misses and false alarms with their addresses, for the author of the detectors."""

from __future__ import annotations

from collections.abc import Iterator

from accuracy.alarms import SEVERITIES
from accuracy.captures import is_reported
from accuracy.document import Results
from accuracy.matching import FALSE, found
from accuracy.synthetic.scores import GridScore, accepted


def render(results: Results) -> str:
    """Render the list; it names addresses, so it is not for publication."""
    lines = ["# Misses\n", *_misses(results), "\n# False alarms\n", *_false(results)]
    for title, grids in (("grid", results.grid), ("hard paths", results.hard)):
        if grids:
            lines += [f"\n# Synthetic, {title}\n", *_grid(grids[0])]
    return "\n".join(lines) + "\n"


def _misses(results: Results) -> Iterator[str]:
    for each in results.ours:
        for position, label in enumerate(each.capture.truth):
            severity = found(each.judged, position)
            if is_reported(each.capture, label) and not severity:
                state = "nothing" if severity is None else SEVERITIES[severity]
                yield (
                    f"- {each.capture.file}: {label.kind} {label.shape or ''} [{label.strength}, "
                    f"{label.basis}] {label.source} → {label.dest} {label.port}/{label.protocol}: "
                    f"{label.why} — reported: {state}"
                )


def _false(results: Results) -> Iterator[str]:
    for each in results.ours:
        for judged in each.judged:
            alarm = judged.alarm
            if judged.outcome == FALSE and alarm.severity:
                yield (
                    f"- {each.capture.file}: {alarm.detector} {SEVERITIES[alarm.severity]} "
                    f"{alarm.source} → {alarm.dest} {alarm.port}/{alarm.protocol} "
                    f"[{alarm.as_name}] score {alarm.score}: {alarm.explanation}"
                )


def _grid(score: GridScore) -> Iterator[str]:
    missed = score.planted.filter(~score.planted["found"])
    inside = missed.filter(accepted()).sort("period", "jitter", "loss", "path")
    yield f"{missed.height} of {score.planted.height} missed; {inside.height} in target cells:"
    for row in inside.head(60).iter_rows(named=True):
        yield (
            f"- {row['period']} s, jitter {row['jitter']}, loss {row['loss']}, sleeps "
            f"{row['sleeps']}, varied {row['varied']}, {row['path']}: {row['calls']} calls"
        )
    yield f"\n{score.false.height} false alarms in {score.host_days} host-days:"
    keys = ["detector", "severity", "dst_port", "protocol", "as_name"]
    counted = score.false.group_by(keys).len("count").sort("count", descending=True).head(40)
    yield from (f"- {row}" for row in counted.iter_rows())
    for row in score.false.unique("detector").head(10).iter_rows(named=True):
        yield f"- such as {row}"
