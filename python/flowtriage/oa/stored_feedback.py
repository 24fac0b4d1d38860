"""What analysts scored, as the next run learns from it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date as Date
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.configuration import RankingSettings
from flowtriage.inputs.timespan import parse_day
from flowtriage.oa import feedback as fb
from flowtriage.oa.model import ModelSettings
from flowtriage.store import TABLES, FlowStore

_SCORED = "flow_threat_investigation"


def feedback_before(store: FlowStore, day: Date, days: int) -> pa.Table:
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
        return fb.FEEDBACK.empty_table()
    first, last = day - timedelta(days=days), day - timedelta(days=1)
    scored = store.read(_SCORED, start=first, end=last, order=["scored"])
    if not scored.num_rows:
        return fb.FEEDBACK.empty_table()
    return fb.collect(scored, store.read("flow_scores", start=first, end=last))


def list_feedback(
    store: FlowStore, date: Any = None, *, ip: str | None = None, score: int | None = None
) -> pa.Table:
    """Return what analysts scored, of all days or one.

    Parameters
    ----------
    store
        Where it is.
    date
        Only of this day.
    ip
        Only with this address at either end.
    score
        Only of this risk: 1 high, 2 medium, 3 low.

    Returns
    -------
    pyarrow.Table
        As `flowtriage.oa.feedback.listed` tells, in the order of days and of scoring.
    """
    day = None if date is None else parse_day(date)
    where = {} if score is None else {"score": score}
    rows = store.read(_SCORED, day=day, where=where, order=["scored"])
    if ip is not None:
        rows = rows.filter(pc.or_(pc.equal(rows["srcip"], ip), pc.equal(rows["dstip"], ip)))
    if not rows.num_rows:
        return fb.listed(rows, TABLES["flow_scores"].empty_table())
    days = pc.min_max(rows["day"])
    scores = store.read("flow_scores", start=days["min"].as_py(), end=days["max"].as_py())
    return fb.listed(rows, scores)


def withdraw_feedback(
    store: FlowStore, date: Any = None, *, ip: str | None = None, score: int | None = None
) -> int:
    """Forget what analysts scored; connections can be scored again.

    Parameters
    ----------
    store
        Where it is.
    date, ip, score
        As for `list_feedback`. All that are given have to be met; without any, all is forgotten.

    Returns
    -------
    int
        Number of connections whose score was forgotten.
    """
    given = {
        "day = ${0}": None if date is None else parse_day(date),
        "(srcip = ${0} OR dstip = ${0})": ip,
        "score = ${0}": score,
    }
    met = {part: value for part, value in given.items() if value is not None}
    where = " AND ".join(part.format(number) for number, part in enumerate(met, 1)) or "TRUE"
    values = list(met.values())
    with store.transaction() as change:
        counted = change.query(
            f"SELECT CAST(count(*) AS BIGINT) AS n FROM {_SCORED} WHERE {where}",  # noqa: S608
            values,
        )
        change.execute(f"DELETE FROM {_SCORED} WHERE {where}", values)  # noqa: S608
    return int(counted["n"][0].as_py())


def compare_ranks(
    store: FlowStore, flows: pa.Table, date: Any, ranking: RankingSettings | None = None
) -> pa.Table:
    """Rank the flows of a day without and with what analysts scored before it.

    This trains two models, and takes twice as long as the ranking of a run. Nothing is stored.

    Parameters
    ----------
    store
        Where the scores are.
    flows
        The day, in the canonical schema.
    date
        The day.
    ranking
        How flows are ranked; None is as without a configuration. The limit does not count.

    Returns
    -------
    pyarrow.Table
        As `flowtriage.oa.feedback.compare` tells, of the flows between two addresses of which
        one was scored; empty where nothing was. Ranks are among all flows of the day.
    """
    from flowtriage.oa.ranking import rank

    chosen = ranking or RankingSettings()
    feedback = feedback_before(store, parse_day(date), chosen.feedback_days)
    settings = replace(settings_of(chosen), limit=max(flows.num_rows, 1))
    today = flows if feedback.num_rows else flows.slice(0, 0)
    before = rank(today, settings, None, chosen.seed).results
    after = rank(today, settings, feedback, chosen.seed).results
    return fb.compare(before, after, feedback)


def settings_of(ranking: RankingSettings) -> ModelSettings:
    """Return how flows are ranked, as the model takes it."""
    return ModelSettings(
        **{each.name: getattr(ranking, each.name) for each in fields(ModelSettings)}
    )
