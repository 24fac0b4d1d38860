"""Reports of reading as plain values, stored with the flows that they describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flowtriage.quality.bad_rows import BadRow, Total
from flowtriage.quality.report import COUNTS, COUNTS_BY_VALUE, ReadReport


def reading_values(report: ReadReport) -> dict[str, Any]:
    """Return what reading counted, as plain values for `restored`."""
    by_value = {name: getattr(report, name) for name in COUNTS_BY_VALUE}
    return {
        "counts": {name: count for name in COUNTS if (count := getattr(report, name))},
        "by_value": {name: counts for name, counts in by_value.items() if counts},
        "bad_rows": [asdict(row) for row in report.bad_rows],
        "totals": [list(total) for total in report.totals],
        "limits": list(report.limits),
        "date_orders": list(map(list, report.date_orders)),
        "counters": dict(report.counters),
        "exporters": report.exporters,
    }


def restored(values: Mapping[str, Any]) -> ReadReport:
    """Return the report of these values, without sources and formats.

    Raises
    ------
    AttributeError, LookupError, TypeError, ValueError
        If the values are not those of `reading_values`.
    """
    report = ReadReport(
        bad_rows=[BadRow(**row) for row in values["bad_rows"]],
        totals=[Total(*total) for total in values["totals"]],
        limits=list(values["limits"]),
        counters=dict(values["counters"]),
        date_orders=[(name, order) for name, order in values.get("date_orders", [])],
        exporters=bool(values["exporters"]),
    )
    report.add(values["counts"], values["by_value"])
    return report
