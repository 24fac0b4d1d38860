"""The ledger of a look-up: the outcome of each query, and their counts by provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.enrich.reputation.querying import Answers
from flowtriage.enrich.reputation.results import FOUND
from flowtriage.enrich.reputation.severity import Severity

LEDGER = pa.schema(
    [
        ("address", pa.string()),
        ("provider", pa.string()),
        ("status", pa.string()),
        ("attempts", pa.int64()),
        ("reason", pa.string()),
    ]
)
RESULT, UNSUPPORTED, FAILED, NOT_QUERIED = "result", "unsupported", "failed", "not queried"
_COUNTS = ("queried", "with_result", "hits", "unsupported", "failed")
COVERAGE = pa.schema(
    [
        ("provider", pa.string()),
        *((name, pa.int64()) for name in _COUNTS),
        ("reason", pa.string()),
    ]
)


def ledger_of(answers: Sequence[Answers]) -> pa.Table:
    """Return a row for each provider and address: `status`, number of `attempts` and `reason`."""
    rows = [row for one in answers for row in _rows(one)]
    return pa.Table.from_pylist(rows, LEDGER)


def coverage_of(answers: Sequence[Answers]) -> pa.Table:
    """Count the outcomes of each provider; `reason` is that of its first failure."""
    return pa.Table.from_pylist([_counts(one) for one in answers], COVERAGE)


def is_hit(found: pa.Table) -> pa.ChunkedArray:
    """Check which results are of severity warning or high."""
    severe = pc.greater_equal(found["severity"], int(Severity.WARNING))
    return pc.and_(severe, found["answered"])


def count_addresses(found: pa.Table) -> int:
    """Count distinct addresses."""
    return int(pc.count_distinct(found["address"]).as_py())


def found_by(answers: Answers) -> pa.Table:
    """Return the results of a provider as `results.FOUND`."""
    return pa.concat_tables([FOUND.empty_table(), *(found for _, found in answers.tables)])


def _rows(answers: Answers) -> Iterator[dict[str, str | int | None]]:
    found = found_by(answers)
    with_result = set(found.filter(found["answered"])["address"].to_pylist())
    failures = found.filter(pc.invert(found["answered"])).select(["address", "reason"]).to_pylist()
    reasons = {row["address"]: row["reason"] for row in reversed(failures)} | answers.reasons
    for address, kind in answers.kinds.items():
        attempts = answers.attempts.get(address, 0)
        status, reason = FAILED, reasons.get(address)
        if address in with_result:
            status, reason = RESULT, None
        elif attempts == 0:
            status, reason = NOT_QUERIED, reason or answers.stopped
        elif reason is None and answers.supported and kind not in answers.supported:
            status = UNSUPPORTED
        else:
            reason = reason or answers.stopped or "no result"
        yield {
            "address": address,
            "provider": answers.provider,
            "status": status,
            "attempts": attempts,
            "reason": reason,
        }


def _counts(answers: Answers) -> dict[str, str | int | None]:
    found, rows = found_by(answers), list(_rows(answers))
    failures = [row["reason"] for row in rows if row["status"] in (FAILED, NOT_QUERIED)]
    return {
        "provider": answers.provider,
        "queried": len(rows),
        "with_result": sum(row["status"] == RESULT for row in rows),
        "hits": count_addresses(found.filter(is_hit(found))),
        "unsupported": sum(row["status"] == UNSUPPORTED for row in rows),
        "failed": len(failures),
        "reason": failures[0] if failures else None,
    }
