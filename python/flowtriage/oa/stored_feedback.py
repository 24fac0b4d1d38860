"""Feedback in the store: select, list and withdraw analyst scores, and compare their effect.

`flowtriage.oa.feedback` does the same on tables, without a store.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date as Date
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.configuration import RankingSettings
from flowtriage.inputs.addresses import AddressLike, stored_address
from flowtriage.inputs.timespan import DayLike, parse_day
from flowtriage.oa import feedback as fb
from flowtriage.oa.model import ModelSettings
from flowtriage.store import TABLES, FlowStore

_SCORED = "flow_threat_investigation"


def feedback_before(store: FlowStore, day: Date, days: int) -> pa.Table:
    """Return the analyst scores of the days before a run.

    Parameters
    ----------
    store
        Store of the scores.
    day
        Day of the run.
    days
        Number of days before `day` to include.

    Returns
    -------
    pyarrow.Table
        Columns of `flowtriage.oa.feedback.FEEDBACK`.
    """
    if not days:
        return fb.FEEDBACK.empty_table()
    first, last = day - timedelta(days=days), day - timedelta(days=1)
    scored = store.read(_SCORED, start=first, end=last, order=["scored"])
    if not scored.num_rows:
        return fb.FEEDBACK.empty_table()
    return fb.collect(scored, store.read("flow_scores", start=first, end=last))


def list_feedback(
    store: FlowStore,
    date: DayLike | None = None,
    *,
    ip: AddressLike | None = None,
    score: int | None = None,
) -> pa.Table:
    """Return analyst scores of all days or one.

    Parameters
    ----------
    store
        Store of the scores.
    date
        Select one day.
    ip
        Select connections with this endpoint, an address in any notation.
    score
        Select one risk: 1 high, 2 medium, 3 low.

    Returns
    -------
    pyarrow.Table
        Columns of `flowtriage.oa.feedback.listed`, ordered by day and time of scoring.
    """
    day = None if date is None else parse_day(date)
    where = {} if score is None else {"score": score}
    rows = store.read(_SCORED, day=day, where=where, order=["scored"])
    if ip is not None:
        ip = stored_address(ip)
        rows = rows.filter(pc.or_(pc.equal(rows["srcip"], ip), pc.equal(rows["dstip"], ip)))
    if not rows.num_rows:
        return fb.listed(rows, TABLES["flow_scores"].empty_table())
    days = pc.min_max(rows["day"])
    scores = store.read("flow_scores", start=days["min"].as_py(), end=days["max"].as_py())
    return fb.listed(rows, scores)


def withdraw_feedback(
    store: FlowStore,
    date: DayLike | None = None,
    *,
    ip: AddressLike | None = None,
    score: int | None = None,
) -> int:
    """Delete analyst scores; the connections can be scored again.

    Parameters
    ----------
    store
        Store of the scores.
    date, ip, score
        As for `list_feedback`, combined with AND. Without any, all scores are deleted.

    Returns
    -------
    int
        Number of connections whose score was deleted.
    """
    conditions = {
        "day = ${0}": None if date is None else parse_day(date),
        "(srcip = ${0} OR dstip = ${0})": None if ip is None else stored_address(ip),
        "score = ${0}": score,
    }
    given = {part: value for part, value in conditions.items() if value is not None}
    where = " AND ".join(part.format(number) for number, part in enumerate(given, 1)) or "TRUE"
    values = list(given.values())
    with store.transaction() as transaction:
        counted = transaction.query(
            f"SELECT CAST(count(*) AS BIGINT) AS n FROM {_SCORED} WHERE {where}",  # noqa: S608
            values,
        )
        transaction.execute(f"DELETE FROM {_SCORED} WHERE {where}", values)  # noqa: S608
    return int(counted["n"][0].as_py())


def compare_ranks(
    store: FlowStore, flows: pa.Table, date: DayLike, ranking: RankingSettings | None = None
) -> pa.Table:
    """Compare the ranks of a day's flows without and with earlier analyst scores.

    Two models are trained, which takes twice as long as the ranking of a run. Nothing is stored.

    Parameters
    ----------
    store
        Store of the scores.
    flows
        Flows of the day, in the canonical schema.
    date
        The day.
    ranking
        Ranking settings, except `limit`; None uses the defaults.

    Returns
    -------
    pyarrow.Table
        Columns of `flowtriage.oa.feedback.compare`, for flows between the endpoints of a scored
        connection; empty without scores. Ranks are among all flows of the day.
    """
    from flowtriage.oa.ranking import rank

    ranking = ranking or RankingSettings()
    feedback = feedback_before(store, parse_day(date), ranking.feedback_days)
    settings = replace(model_settings(ranking), limit=max(flows.num_rows, 1))
    today = flows if feedback.num_rows else flows.slice(0, 0)
    before = rank(today, settings, None, ranking.seed).results
    after = rank(today, settings, feedback, ranking.seed).results
    return fb.compare(before, after, feedback)


def model_settings(ranking: RankingSettings) -> ModelSettings:
    """Return the model settings of the ranking settings."""
    return ModelSettings(
        **{each.name: getattr(ranking, each.name) for each in fields(ModelSettings)}
    )
