"""Feedback: how risky analysts found flows that were ranked, for the next run to learn from.

Tables of feedback have the columns of `FEEDBACK`: what makes the words of a flow, and its score.
Everything here takes tables and returns tables; where they are kept is the store's matter.
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
"""Flows and their scores: 1 high, 2 medium, 3 low risk. `day` is that of the ranking."""
_FLOW = ["day", "tstart", "srcip", "dstip", "sport", "dport"]
_NO_PORT = -1


def collect(investigation: pa.Table, scores: pa.Table) -> pa.Table:
    """Return the scored flows of days as feedback.

    Parameters
    ----------
    investigation
        The table `flow_threat_investigation`, in the order in which analysts scored: of several
        scores of one flow, the last counts.
    scores
        The table `flow_scores` of the same days, which knows protocol, packets and bytes.

    Returns
    -------
    pyarrow.Table
        `FEEDBACK`, in order of day, time and addresses. A score of a flow that is not in
        `scores` cannot be learnt from, and is left out.
    """
    return _ordered(_with_facts(investigation, scores, "inner"))


def listed(investigation: pa.Table, scores: pa.Table) -> pa.Table:
    """Return the scored flows of days, also those that cannot be learnt from.

    Parameters
    ----------
    investigation, scores
        As for `collect`.

    Returns
    -------
    pyarrow.Table
        Columns of `FEEDBACK`; `scored`, when an analyst did; and `learnt`, whether later runs
        learn from it: not from medium risk, nor from a flow that is not in `scores`.
    """
    import pyarrow.compute as pc

    table = _with_facts(investigation, scores, "left outer")
    told = pc.not_equal(table["score"], MEDIUM)
    learnt = pc.and_(pc.fill_null(table["known"], False), told)
    columns = table.select([*FEEDBACK.names, "scored"]).append_column("learnt", learnt)
    return columns.sort_by([(name, "ascending") for name in ("day", "scored", *_FLOW[1:])])


def add(known: pa.Table, new: pa.Table) -> pa.Table:
    """Return feedback with more of it; of several scores of one flow, that of `new` counts."""
    both = pa.concat_tables([table.select(FEEDBACK.names).cast(FEEDBACK) for table in (known, new)])
    return _ordered(_latest(both))


def before(feedback: pa.Table, day: dt.date) -> pa.Table:
    """Return the feedback of earlier days, which a run of `day` learns from."""
    import pyarrow.compute as pc

    return feedback.filter(pc.less(feedback["day"], pa.scalar(day, pa.date32())))


def withdraw(
    feedback: pa.Table,
    *,
    day: dt.date | None = None,
    ip: str | None = None,
    score: int | None = None,
) -> pa.Table:
    """Return feedback without that of a day, an address at either end, and a score.

    Parameters that are given all have to be met; without any, all feedback is withdrawn.
    """
    import pyarrow.compute as pc

    met = pa.chunked_array([pa.repeat(True, feedback.num_rows)])
    if day is not None:
        met = pc.and_(met, pc.equal(feedback["day"], pa.scalar(day, pa.date32())))
    if ip is not None:
        ends = pc.or_(pc.equal(feedback["srcip"], ip), pc.equal(feedback["dstip"], ip))
        met = pc.and_(met, ends)
    if score is not None:
        met = pc.and_(met, pc.equal(feedback["score"], score))
    return feedback.filter(pc.invert(met))


def compare(earlier: pa.Table, later: pa.Table, feedback: pa.Table | None = None) -> pa.Table:
    """Return how ranks changed from one run to another.

    Parameters
    ----------
    earlier, later
        `Ranked.results` of the two runs.
    feedback
        Where given, only flows between two addresses that it names are told of.

    Returns
    -------
    pyarrow.Table
        `treceived sip dip sport dport proto`, `rank_before`, `rank_after`, `score_before`,
        `score_after`: one row for each such flow in either run; null where it did not make the
        list. In order of the earlier rank, then of the later one. Where flows agree in all six,
        the best rank counts.
    """
    import pyarrow.compute as pc

    flow = ["treceived", "sip", "dip", "sport", "dport", "proto"]

    def best(results: pa.Table, when: str) -> pa.Table:
        least = results.group_by(flow).aggregate([("rank", "min"), ("score", "min")])
        names = {"rank_min": f"rank_{when}", "score_min": f"score_{when}"}
        named = least.rename_columns([names.get(name, name) for name in least.column_names])
        return _keyed(named)

    joined = best(earlier, "before").join(best(later, "after"), keys=flow, join_type="full outer")
    if feedback is not None:
        pairs = pc.binary_join_element_wise(feedback["srcip"], feedback["dstip"], " ")
        here = pc.binary_join_element_wise(joined["sip"], joined["dip"], " ")
        joined = joined.filter(pc.is_in(here, value_set=pairs.combine_chunks()))
    keys = ["rank_before", "rank_after"]
    told = _unkeyed(joined).sort_by([(key, "ascending") for key in keys])
    return told.select([*flow, *keys, "score_before", "score_after"])


def as_flows(feedback: pa.Table | None) -> pa.Table:
    """Return feedback as flows in the canonical schema, with the column `risk`.

    Raises
    ------
    InputError
        If a score is none of 1, 2 and 3, or a time is not like `2013-09-15 23:44:10`.
    """
    import pyarrow.compute as pc

    table = FEEDBACK.empty_table() if feedback is None else feedback
    known = pc.is_in(table["score"], value_set=pa.array([HIGH, MEDIUM, LOW], table["score"].type))
    if not pc.all(known, min_count=0).as_py():
        wrong = table["score"].filter(pc.invert(known))[0].as_py()
        raise InputError(f"feedback has the score {wrong!r}; 1 is high risk, 2 medium, 3 low")
    try:
        seconds = pc.utf8_slice_codeunits(table["tstart"], 0, 19)
        start = pc.strptime(seconds, format="%Y-%m-%d %H:%M:%S", unit="us")
    except pa.ArrowInvalid as error:
        raise InputError(f"feedback: tstart is not a time ({error})") from None
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


def _with_facts(investigation: pa.Table, scores: pa.Table, join: str) -> pa.Table:
    """Join the last score of each flow with what `flow_scores` knows of the flow."""
    names = {"srcport": "sport", "dstport": "dport"}
    scored = investigation.rename_columns([names.get(n, n) for n in investigation.column_names])
    latest = _keyed(_latest(scored))
    facts = scores.select([*_FLOW, "proto", "ipkt", "ibyt"])
    once = facts.group_by(_FLOW).aggregate([(n, "max") for n in ("proto", "ipkt", "ibyt")])
    once = _keyed(once.rename_columns([n.removesuffix("_max") for n in once.column_names]))
    known = once.append_column("known", pa.repeat(True, once.num_rows))
    return _unkeyed(latest.join(known, keys=_FLOW, join_type=join))


def _latest(scored: pa.Table) -> pa.Table:
    """Return for each flow its last row."""
    numbered = scored.append_column("row", pa.array(range(scored.num_rows), pa.int64()))
    last = numbered.group_by(_FLOW).aggregate([("row", "max")])["row_max"]
    return scored.take(last.combine_chunks().sort())


def _keyed(table: pa.Table) -> pa.Table:
    """Give missing ports a number, since joins do not match nulls."""
    import pyarrow.compute as pc

    for name in ("sport", "dport"):
        at = table.column_names.index(name)
        ports = pc.fill_null(table[name].cast(pa.int32()), _NO_PORT)
        table = table.set_column(at, name, ports)
    return table


def _unkeyed(table: pa.Table) -> pa.Table:
    import pyarrow.compute as pc

    for name in ("sport", "dport"):
        at = table.column_names.index(name)
        none = pc.equal(table[name], _NO_PORT)
        table = table.set_column(at, name, pc.if_else(none, None, table[name]))
    return table


def _ordered(feedback: pa.Table) -> pa.Table:
    table = feedback.select(FEEDBACK.names).cast(FEEDBACK)
    return table.sort_by([(name, "ascending") for name in _FLOW])
