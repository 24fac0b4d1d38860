"""Feedback: analyst scores of ranked flows, as training input of later runs.

Feedback tables have the columns of `FEEDBACK`: the fields of the flow words, and the score. The
functions take and return tables; `flowtriage.oa.stored_feedback` reads them from the store.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa

from flowtriage.errors import InputError

HIGH, MEDIUM, LOW = 1, 2, 3
FEEDBACK = pa.schema(
    [
        ("tstart", pa.string()),
        ("srcip", pa.string()),
        ("dstip", pa.string()),
        ("sport", pa.int32()),
        ("dport", pa.int32()),
        ("proto", pa.string()),
        ("ipkt", pa.int64()),
        ("ibyt", pa.int64()),
        ("score", pa.int32()),
        ("day", pa.date32()),
    ]
)
"""Flows and their scores: 1 high, 2 medium, 3 low risk. `day` is the day of the ranking."""
_FLOW = ["day", "tstart", "srcip", "dstip", "sport", "dport"]
_NO_PORT = -1


def collect(investigation: pa.Table, scores: pa.Table) -> pa.Table:
    """Join scored flows with their ranked flows as feedback.

    Parameters
    ----------
    investigation
        Table `flow_threat_investigation`, ordered by time of scoring; the last score of a flow
        counts.
    scores
        Table `flow_scores` of the same days, with protocol, packets and bytes.

    Returns
    -------
    pyarrow.Table
        Columns of `FEEDBACK`, ordered by day, time and addresses. Flows missing from `scores` are
        dropped.
    """
    return _ordered(_with_measures(investigation, scores, "inner"))


def listed(investigation: pa.Table, scores: pa.Table) -> pa.Table:
    """List scored flows, including those that training cannot use.

    Parameters
    ----------
    investigation, scores
        As for `collect`.

    Returns
    -------
    pyarrow.Table
        Columns of `FEEDBACK`; `scored`, the time of scoring; and `learnt`, whether training uses
        the score: false for medium risk and for flows missing from `scores`.
    """
    import pyarrow.compute as pc

    table = _with_measures(investigation, scores, "left outer")
    decisive = pc.not_equal(table["score"], MEDIUM)
    learnt = pc.and_(pc.fill_null(table["known"], False), decisive)
    columns = table.select([*FEEDBACK.names, "scored"]).append_column("learnt", learnt)
    return columns.sort_by([(name, "ascending") for name in ("day", "scored", *_FLOW[1:])])


def add(known: pa.Table, new: pa.Table) -> pa.Table:
    """Merge feedback; for a flow in both tables, the score of `new` counts."""
    both = pa.concat_tables([table.select(FEEDBACK.names).cast(FEEDBACK) for table in (known, new)])
    return _ordered(_latest(both))


def before(feedback: pa.Table, day: dt.date) -> pa.Table:
    """Select the feedback of the days before `day`."""
    import pyarrow.compute as pc

    return feedback.filter(pc.less(feedback["day"], pa.scalar(day, pa.date32())))


def withdraw(
    feedback: pa.Table,
    *,
    day: dt.date | None = None,
    ip: str | None = None,
    score: int | None = None,
) -> pa.Table:
    """Drop feedback that matches the day, the endpoint and the score, combined with AND.

    Without conditions, all feedback is dropped.
    """
    import pyarrow.compute as pc

    matches = pa.chunked_array([pa.repeat(True, feedback.num_rows)])
    if day is not None:
        matches = pc.and_(matches, pc.equal(feedback["day"], pa.scalar(day, pa.date32())))
    if ip is not None:
        endpoints = pc.or_(pc.equal(feedback["srcip"], ip), pc.equal(feedback["dstip"], ip))
        matches = pc.and_(matches, endpoints)
    if score is not None:
        matches = pc.and_(matches, pc.equal(feedback["score"], score))
    return feedback.filter(pc.invert(matches))


def compare(earlier: pa.Table, later: pa.Table, feedback: pa.Table | None = None) -> pa.Table:
    """Compare the ranks of two runs.

    Parameters
    ----------
    earlier, later
        `Ranked.results` of the two runs.
    feedback
        Select flows between the endpoints of scored flows; None selects all flows.

    Returns
    -------
    pyarrow.Table
        `treceived sip dip sport dport proto`, `rank_before`, `rank_after`, `score_before`,
        `score_after`: one row for each flow in either run, with nulls if a run lacks it; ordered
        by earlier rank, then later rank. Flows that agree in the first six columns are merged,
        with their best rank.
    """
    import pyarrow.compute as pc

    flow = ["treceived", "sip", "dip", "sport", "dport", "proto"]

    def best(results: pa.Table, when: str) -> pa.Table:
        minima = results.group_by(flow).aggregate([("rank", "min"), ("score", "min")])
        names = {"rank_min": f"rank_{when}", "score_min": f"score_{when}"}
        return _keyed(minima.rename_columns([names.get(n, n) for n in minima.column_names]))

    joined = best(earlier, "before").join(best(later, "after"), keys=flow, join_type="full outer")
    if feedback is not None:
        pairs = pc.binary_join_element_wise(feedback["srcip"], feedback["dstip"], " ")
        joined_pairs = pc.binary_join_element_wise(joined["sip"], joined["dip"], " ")
        joined = joined.filter(pc.is_in(joined_pairs, value_set=pairs.combine_chunks()))
    keys = ["rank_before", "rank_after"]
    ordered = _unkeyed(joined).sort_by([(key, "ascending") for key in keys])
    return ordered.select([*flow, *keys, "score_before", "score_after"])


def as_flows(feedback: pa.Table | None) -> pa.Table:
    """Convert feedback to canonical flows with the column `risk`.

    Raises
    ------
    InputError
        If a score is not 1, 2 or 3, or a time not in the format `2013-09-15 23:44:10`.
    """
    import pyarrow.compute as pc

    table = FEEDBACK.empty_table() if feedback is None else feedback
    known = pc.is_in(table["score"], value_set=pa.array([HIGH, MEDIUM, LOW], table["score"].type))
    if not pc.all(known, min_count=0).as_py():
        wrong = table["score"].filter(pc.invert(known))[0].as_py()
        raise InputError(
            f"invalid score {wrong!r} in feedback; give 1 (high risk), 2 (medium) or 3 (low)"
        )
    try:
        seconds = pc.utf8_slice_codeunits(table["tstart"], 0, 19)
        start = pc.strptime(seconds, format="%Y-%m-%d %H:%M:%S", unit="us")
    except pa.ArrowInvalid as error:
        raise InputError(f"invalid tstart in feedback ({error})") from None
    columns: dict[str, Any] = {
        "start_time": pc.assume_timezone(start, "UTC"),
        "src_ip": table["srcip"],
        "dst_ip": table["dstip"],
        "src_port": table["sport"].cast(pa.uint16()),
        "dst_port": table["dport"].cast(pa.uint16()),
        "protocol": pc.utf8_lower(table["proto"]),
        "src_bytes": table["ibyt"].cast(pa.int64()),
        "src_packets": table["ipkt"].cast(pa.int64()),
        "flows": pa.repeat(pa.scalar(1, pa.int64()), table.num_rows),
        "risk": table["score"],
    }
    return pa.table(columns)


def _with_measures(investigation: pa.Table, scores: pa.Table, join: str) -> pa.Table:
    """Join the last score of each flow with protocol, packets and bytes from `flow_scores`."""
    names = {"srcport": "sport", "dstport": "dport"}
    scored = investigation.rename_columns([names.get(n, n) for n in investigation.column_names])
    latest = _keyed(_latest(scored))
    measures = scores.select([*_FLOW, "proto", "ipkt", "ibyt"])
    once = measures.group_by(_FLOW).aggregate([(n, "max") for n in ("proto", "ipkt", "ibyt")])
    once = _keyed(once.rename_columns([n.removesuffix("_max") for n in once.column_names]))
    known = once.append_column("known", pa.repeat(True, once.num_rows))
    return _unkeyed(latest.join(known, keys=_FLOW, join_type=join))


def _latest(scored: pa.Table) -> pa.Table:
    """Select the last row of each flow."""
    numbered = scored.append_column("row", pa.array(range(scored.num_rows), pa.int64()))
    last = numbered.group_by(_FLOW).aggregate([("row", "max")])["row_max"]
    return scored.take(last.combine_chunks().sort())


def _keyed(table: pa.Table) -> pa.Table:
    """Replace null ports by a number, as joins do not match nulls."""
    import pyarrow.compute as pc

    for name in ("sport", "dport"):
        index = table.column_names.index(name)
        ports = pc.fill_null(table[name].cast(pa.int32()), _NO_PORT)
        table = table.set_column(index, name, ports)
    return table


def _unkeyed(table: pa.Table) -> pa.Table:
    import pyarrow.compute as pc

    for name in ("sport", "dport"):
        index = table.column_names.index(name)
        missing = pc.equal(table[name], _NO_PORT)
        table = table.set_column(index, name, pc.if_else(missing, None, table[name]))
    return table


def _ordered(feedback: pa.Table) -> pa.Table:
    table = feedback.select(FEEDBACK.names).cast(FEEDBACK)
    return table.sort_by([(name, "ascending") for name in _FLOW])
