"""What analysts scored, as the next run learns from it."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa

from flowtriage.oa.feedback import FEEDBACK, collect
from flowtriage.store import FlowStore


def feedback_before(store: FlowStore, day: date, days: int) -> pa.Table:
    """Return the scores that analysts gave on the days before a run.

    Parameters
    ----------
    store
        Where they are.
    day
        Day of the run.
    days
        Number of days before it that count.

    Returns
    -------
    pyarrow.Table
        Feedback as `flowtriage.oa.feedback` has it.
    """
    if not days:
        return FEEDBACK.empty_table()
    first, last = day - timedelta(days=days), day - timedelta(days=1)
    scored = store.read("flow_threat_investigation", start=first, end=last, order=["scored"])
    if not scored.num_rows:
        return FEEDBACK.empty_table()
    return collect(scored, store.read("flow_scores", start=first, end=last))
