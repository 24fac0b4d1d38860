"""Findings as a list to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.detect.matching import MatchingFlows
from flowtriage.detect.pictures import TimeAxis, picture
from flowtriage.detect.words import evidence_name, evidence_value, kind
from flowtriage.humanize import UNKNOWN, human_bytes
from flowtriage.render.findings import (
    FOLDED,
    IN_VIEW,
    OF_A_KIND,
    SEVERITIES,
    FindingCard,
    FindingList,
    TableLink,
)

MAX_PICTURES = 50
"""Findings with a picture, the most severe first."""


def finding_list(
    found: pa.Table,
    matching: MatchingFlows | None = None,
    *,
    links: Callable[[Mapping[str, Any]], Sequence[TableLink]] = lambda _: (),
    rest: str = "",
) -> FindingList:
    """Return findings as the content of a section.

    Parameters
    ----------
    found
        Findings, as of `hunt`.
    matching
        The flows behind them, for pictures.
    links
        Function that returns the links of a finding, given as a mapping.
    rest
        Where those that are not shown are.
    """
    pairs = found.group_by(["severity", "detector"]).aggregate([([], "count_all")]).to_pylist()
    counts = {(row["severity"], kind(row["detector"])): row["count_all"] for row in pairs}
    shown = found.take(_shown(found))
    axis = None if matching is None else TimeAxis.of(matching.flows)
    cards = [
        _card(row, matching if at < MAX_PICTURES else None, axis, links(row))
        for at, row in enumerate(shown.to_pylist())
    ]
    return FindingList(cards, counts, rest)


def _shown(found: pa.Table) -> pa.Array:
    """Return the positions of the findings that a list shows."""
    positions = []
    for severity in SEVERITIES:
        of_severity = pc.equal(found["severity"], severity)
        positions.append(pc.indices_nonzero(of_severity).slice(0, IN_VIEW + FOLDED))
        for detector in pc.unique(found["detector"].filter(of_severity)):
            both = pc.and_(of_severity, pc.equal(found["detector"], detector))
            positions.append(pc.indices_nonzero(both).slice(0, OF_A_KIND))
    every = pc.unique(pa.concat_arrays(positions))
    return every.take(pc.sort_indices(every))


def _card(
    row: Mapping[str, Any],
    matching: MatchingFlows | None,
    axis: TimeAxis | None,
    links: Sequence[TableLink],
) -> FindingCard:
    outside = [row["as_name"] or "", f"({row['country']})" if row["country"] else ""]
    return FindingCard(
        severity=row["severity"],
        detector=kind(row["detector"]),
        summary=row["summary"],
        remarks=[text for text in (" ".join(filter(None, outside)), *row["context"]) if text],
        technique=row["technique"],
        evidence=[
            (
                evidence_name(part["name"]),
                evidence_value(part["name"], part["value"]),
                evidence_value(part["name"], part["threshold"]),
            )
            for part in row["evidence"]
        ],
        facts=_facts(row),
        links=links,
        sparkline=None if matching is None or axis is None else picture(row, matching, axis),
    )


def _facts(row: Mapping[str, Any]) -> dict[str, str]:
    times = [
        f"{t:%Y-%m-%d %H:%M:%S}" if t else UNKNOWN for t in (row["first_seen"], row["last_seen"])
    ]
    sizes = human_bytes(pa.array([row["bytes_out"], row["bytes_in"]], pa.int64())).to_pylist()
    sent, received = (size or UNKNOWN for size in sizes)
    return {
        "Score": f"{row['score']:.2f}",
        "Seen (UTC)": f"{times[0]} to {times[1]}",
        "Flows": f"{row['flows']:,}",
        "Bytes": f"{sent} out, {received} in",
        "Flows as a table": f'result.flows_of("{row["finding"]}")',
        "Flows in SQL": row["flows_filter"],
    }
