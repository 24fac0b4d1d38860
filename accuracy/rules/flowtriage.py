"""All detectors of flowtriage, with their defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pyarrow as pa

import flowtriage as ft
from accuracy import alarms
from accuracy.kinds import BEACON, KINDS
from accuracy.rules.rule import Rule
from flowtriage.detect import Beacons, Retries

_COLUMNS = ["detector", "severity", "score", "source", "dest", "dst_port", "protocol", "as_name"]


def _run(flows: pa.Table, internal: Sequence[str] | None) -> pl.DataFrame:
    return _alarms(ft.hunt(flows, internal=list(internal) if internal else None))


def _run_all(flows: pa.Table, internal: Sequence[str] | None) -> pl.DataFrame:
    return _run(flows, internal).with_columns(severity=pl.lit("warning"))


def _run_inbound(flows: pa.Table, internal: Sequence[str] | None) -> pl.DataFrame:
    chosen = [Beacons(inbound=True), Retries(inbound=True)]
    networks = list(internal) if internal else None
    return _alarms(ft.hunt(flows, internal=networks, detectors=chosen))


def _alarms(findings: pa.Table) -> pl.DataFrame:
    explanation = [_explain(row) for row in findings.select(["evidence", "context"]).to_pylist()]
    table = pl.DataFrame(findings.select(_COLUMNS))
    return alarms.frame(table.with_columns(pl.Series("explanation", explanation, pl.String)))


def _explain(row: Mapping[str, Any]) -> str:
    """Return evidence and context of a finding as one text."""
    evidence = "; ".join(_part(part) for part in row["evidence"] or ())
    context = ", ".join(map(str, row["context"] or ()))
    return alarms.without_addresses(f"{evidence} · context: {context or 'none'}")


def _part(part: Mapping[str, Any]) -> str:
    value, threshold = _number(part["value"]), _number(part.get("threshold"))
    return f"{part['name']} {value}" + (f" (threshold {threshold})" if threshold else "")


def _number(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.4g}" if isinstance(value, int | float) else str(value)


FLOWTRIAGE = Rule(
    "flowtriage", None, "`ft.hunt` with its defaults; severity warning or higher.", _run
)
INFORMATION = Rule(
    "flowtriage, information included",
    KINDS,
    "The same findings of every severity, so without the effect of context.",
    _run_all,
)
INBOUND = Rule(
    "flowtriage, inbound=True",
    (BEACON,),
    "`beacons` and `retries` with the option for calls from outside.",
    _run_inbound,
)
