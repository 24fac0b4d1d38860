"""The part of the scorecard that comes from labelled captures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from accuracy.captures import Scored, is_inbound, is_reported, total
from accuracy.document.markdown import days, ratio, table
from accuracy.document.text import CAPTURES, WORTH
from accuracy.figures import benign_total
from accuracy.kinds import BEACON, KINDS, SCAN, TITLES
from accuracy.matching import alarming, found
from accuracy.rules import FLOWTRIAGE, INBOUND, PEERS
from accuracy.tally import Tally
from accuracy.truth import HARD, SURE

_BESIDE_PEERS = (BEACON, SCAN)


def section(scored: Sequence[Scored]) -> str:
    """Render precision and recall by kind, beside the peers."""
    parts = ["## Labelled captures\n"]
    for kind in KINDS:
        rules = [FLOWTRIAGE, *(peer for peer in PEERS if kind in (peer.kinds or ()))]
        rows = [_row(rule.name, kind, _of(scored, rule.name)) for rule in rules]
        header = ("Rule", "recall, sure", "recall, sure and hard", "precision", "false alarms",
                  "false per host-day, benign")  # fmt: skip
        parts.append(f"### {TITLES[kind].capitalize()}\n\n{table(header, rows)}")
        if kind == BEACON:
            parts.append(_inbound(_of(scored, INBOUND.name)))
    return "\n".join(parts)


def captures(scored: Sequence[Scored]) -> str:
    """Render what each rule found in each capture."""
    parts = [CAPTURES]
    header = ("Capture", "hosts", "host-days", *(TITLES[kind] for kind in KINDS), "all false",
              "information")  # fmt: skip
    ours = _of(scored, FLOWTRIAGE.name)
    rows = [
        (
            f"`{each.capture.file}`",
            f"{each.hosts:,}",
            days(each.host_days),
            *(_cell(each, kind) for kind in KINDS),
            f"{each.tally().false:,}",
            f"{len(each.judged) - len(alarming(each.judged)):,}",
        )
        for each in ours
    ]
    parts.append(table(header, rows))
    for kind in _BESIDE_PEERS:
        rules = [FLOWTRIAGE, *(peer for peer in PEERS if kind in (peer.kinds or ()))]
        by_rule = [_of(scored, rule.name) for rule in rules]
        beside = [
            (f"`{line[0].capture.file}`", *(_cell(each, kind) for each in line))
            for line in zip(*by_rule, strict=True)
        ]
        title = f"{TITLES[kind].capitalize()}, beside the peers:"
        parts.append(f"{title}\n\n{table(('Capture', *(rule.name for rule in rules)), beside)}")
    return "\n".join(parts)


def worth(ours: Sequence[Scored]) -> str:
    """Render how sure the truth is, and the recall for each degree."""
    counted: Counter[tuple[str, str, str]] = Counter()
    reported: Counter[tuple[str, str, str]] = Counter()
    for each in ours:
        alarms_of = alarming(each.judged)
        for position, label in enumerate(each.capture.truth):
            degree = label.strength if is_reported(each.capture, label) else _apart(label.kind)
            key = (str(label.kind), label.basis, degree)
            counted[key] += 1
            reported[key] += found(alarms_of, position) is not None
    rows = [
        (*key, f"{count:,}", f"{reported[key]:,}", ratio(reported[key] / count))
        for key, count in sorted(counted.items())
    ]
    header = ("Kind", "basis", "strength", "lines", "found", "recall")
    return WORTH + table(header, rows)


def _apart(kind: str | None) -> str:
    return "inbound" if kind in KINDS else "no detector"


def _inbound(scored: Sequence[Scored]) -> str:
    """Render what the option for calls from outside finds where the truth has such lines."""
    if not scored:
        return ""
    lines = [
        found(alarming(each.judged), position) is not None
        for each in scored
        for position, label in enumerate(each.capture.truth)
        if is_inbound(each.capture, label)
    ]
    false = total(scored, BEACON).false
    return (
        f"Inbound lines are not reported by default. With `inbound=True`, {sum(lines)} of "
        f"{len(lines)} are found in the captures that have them; false alarms there: {false:,}.\n"
    )


def _of(scored: Iterable[Scored], rule: str) -> list[Scored]:
    return [each for each in scored if each.rule == rule]


def _row(name: str, kind: str, scored: Sequence[Scored]) -> tuple[str, ...]:
    sure, both = total(scored, kind), total(scored, kind, hard=True)
    rate = benign_total(scored, kind).false_per_host_day
    return (
        name, _share(sure), _share(both), ratio(sure.precision), f"{sure.false:,}", ratio(rate)
    )  # fmt: skip


def _share(tally: Tally) -> str:
    return f"{ratio(tally.recall)} ({tally.found} of {tally.wanted})" if tally.wanted else "–"


def _cell(scored: Scored, kind: str) -> str:
    tally = scored.tally(kind, (SURE, HARD))
    if not tally.wanted:
        return f"{tally.false:,} false" if tally.false else "·"
    return f"{tally.found}/{tally.wanted}" + (f", {tally.false:,} false" if tally.false else "")
