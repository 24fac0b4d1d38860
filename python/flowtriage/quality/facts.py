"""The facts of a read report, as label and text."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from flowtriage.quality.bad_rows import OtherHost, Total
from flowtriage.quality.count_facts import COUNTER_SEMANTICS, count_facts, repeated_text
from flowtriage.quality.far_days import far_text
from flowtriage.quality.numbers import by_value, few
from flowtriage.quality.rows import INTERNAL, Quality


class Stated(Protocol):
    """What a `ReadReport` states; see there."""

    sources: list[str]
    rows_read: int
    rows_bad: int
    records: int
    skipped: dict[str, int]
    incomplete: list[str]
    unknown_actions: dict[str, int]
    other_hosts: list[OtherHost]
    rows_repeated: int
    repeated_flows: float
    repeated_bytes: float
    reversed: dict[str, int]
    date_orders: list[tuple[str, str]]
    far_days: dict[date, int]
    totals: list[Total]
    counters: dict[str, str | None]
    internal: list[str] | None
    limits: list[str]
    skipped_files: dict[str, str]

    @property
    def format(self) -> str:
        """Names of the formats."""

    @property
    def counted_flows(self) -> str:
        """Numbers of flows, as text."""

    @property
    def span(self) -> str:
        """First and last time, as text."""

    @property
    def quality(self) -> Quality | None:
        """Quality of the flows."""


def facts_of(report: Stated, *, rows: bool) -> dict[str, str]:
    """Return label and text of each fact that is not empty; `rows` includes those of the rows."""
    facts = {
        "Source": few(report.sources),
        "Format": report.format,
        "Rows read": f"{report.rows_read:,}",
        "Bad rows": f"{report.rows_bad:,}",
        "Records": f"{report.records:,}",
        "Flows": report.counted_flows,
        "Time span": report.span or "no times",
    }
    if report.skipped:
        facts["Non-flow records"] = by_value(report.skipped)
    if report.incomplete:
        facts["Incomplete answers"] = few(report.incomplete)
    if report.unknown_actions:
        facts["Unknown actions"] = f"{by_value(report.unknown_actions)}; counted as allowed"
    if report.other_hosts:
        facts["Records of other hosts"] = few([str(host) for host in report.other_hosts])
    if report.rows_repeated:
        facts["Totals may be inflated"] = repeated_text(
            report.rows_repeated, round(report.repeated_flows), round(report.repeated_bytes)
        )
    if report.reversed:
        facts["Endpoints exchanged"] = (
            f"{by_value(report.reversed)}; the second endpoint initiated the flow"
        )
    if len({order for _, order in report.date_orders}) > 1:
        facts["Order of dates"] = few([f"{name}: {order}" for name, order in report.date_orders])
    if report.far_days:
        facts["Time outliers by day"] = far_text(report.far_days)
    facts |= count_facts(vars(report))
    for total in report.totals:
        facts[f"Trailer total: {total.name}"] = str(total)
    if report.counters:
        semantics = (f"{name}: {COUNTER_SEMANTICS[of]}" for name, of in report.counters.items())
        facts["Counters"] = "; ".join(semantics)
    internal = INTERNAL if report.internal is None else few(report.internal)
    facts[f"Internal networks{' (default)' if report.internal is None else ''}"] = internal
    if rows and report.quality:
        facts |= report.quality.facts(internal)
    if report.limits:
        facts["Format limitations"] = "; ".join(report.limits)
    if report.skipped_files:
        facts["Skipped files"] = few(list(report.skipped_files))
    return facts
