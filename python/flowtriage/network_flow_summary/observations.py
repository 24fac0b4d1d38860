"""Flows that several machines observed."""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.schema import ENDPOINTS, FIVE_TUPLE

if TYPE_CHECKING:
    import pandas as pd

_SLACK = 60_000_000
_ENDS = {"outbound": "src_ip", "inbound": "dst_ip"}
_MAY_LACK = FIVE_TUPLE[len(ENDPOINTS) :]
_Mask = npt.NDArray[np.bool_]


def repeated_observations(flows: pa.Table, name: str | None, addresses: tuple[str, ...]) -> _Mask:
    """Return which records of a host's flows repeat those of another machine.

    Of the machines that logged a 5-tuple, the host itself is preferred, then the one with the
    most bytes, then the one with the most records, then the first. Records of the others repeat
    its records if their times overlap; a port or protocol that one of them lacks equals any of a
    record that nothing else repeats. If both ports are known, or if both records are shorter,
    clocks may differ by a minute. Refused flows repeat refused ones only, but what a peer allowed
    repeats what the host itself refused.
    """
    none = np.zeros(len(flows), dtype=bool)
    machines = pc.utf8_lower(flows["host"])
    pairs = flows.select(ENDPOINTS).append_column("machine", machines).group_by(list(ENDPOINTS))
    counted = pairs.aggregate([("machine", "count_distinct", pc.CountOptions("all"))])
    if (pc.max(counted["machine_count_distinct"]).as_py() or 0) < 2:
        return none
    records = flows.select([*FIVE_TUPLE, "start_time", "end_time"]).to_pandas()
    allowed, denied = (pc.fill_null(flows[name], 0) for name in ("flows", "denied_flows"))
    records["refused"] = pc.and_(pc.equal(allowed, 0), pc.greater(denied, 0)).to_numpy()
    # A machine of two tables may have the path of its resource group in one of them.
    records["machine"] = machines.to_pandas().fillna("").str.rpartition("/")[2].to_numpy()
    several = records.groupby(list(ENDPOINTS))["machine"].transform("nunique") > 1
    records = records[several & records["start_time"].notna()]
    if records.empty:
        return none
    rows = records.index.to_numpy()
    if name:
        records["own"] = records["machine"] == name.lower().rpartition("/")[2]
    else:
        records["own"] = _observed_at_end(flows.take(pa.array(rows)), addresses)
    sizes = (pc.fill_null(flows[c], 0).to_numpy()[rows] for c in ("src_bytes", "dst_bytes"))
    records["bytes"] = sum(sizes)
    # Numbers are grouped faster than strings; none of these columns has nulls.
    for column in (*ENDPOINTS, "machine"):
        records[column] = records[column].factorize()[0]
    unmatched = records
    for lacking in chain.from_iterable(combinations(_MAY_LACK, n) for n in range(4)):
        repeated, matched = _repeated(unmatched, lacking)
        none[unmatched.index[repeated]] = True
        unmatched = unmatched[~(repeated | matched)]
    left = records[~none[rows]]
    none[left.index[_allowed_elsewhere(left)]] = True
    return none


def _observed_at_end(flows: pa.Table, addresses: tuple[str, ...]) -> _Mask:
    """Return which flows the machine with one of these addresses logged, by their direction."""
    own = pa.array(addresses, pa.string())
    logged = (
        pc.and_(
            pc.fill_null(pc.equal(flows["reported_direction"], direction), fill_value=False),
            pc.is_in(flows[end], value_set=own),
        )
        for direction, end in _ENDS.items()
    )
    mask: _Mask = pc.or_(*logged).to_numpy()
    return mask


def _repeated(records: pd.DataFrame, lacking: tuple[str, ...]) -> tuple[_Mask, _Mask]:
    """Return which records repeat one of the preferred machine, and which of its records they do.

    One of the two lacks the columns `lacking`.
    """
    repeated, matched = np.zeros((2, len(records)), dtype=bool)
    lacks = records[list(lacking)].isna().to_numpy().all(axis=1)
    if lacking and (lacks.all() or not lacks.any()):
        return repeated, matched
    keys = [name for name in (*FIVE_TUPLE, "refused") if name not in lacking]
    records = records.assign(tuple=records.groupby(keys, dropna=False, sort=False).ngroup())
    machines = records.groupby("tuple")["machine"].transform("nunique")
    several: _Mask = np.asarray(machines.to_numpy() > 1, dtype=bool)
    if not several.any():
        return repeated, matched
    records = records[several]
    lacks = np.asarray(lacks)[several]
    best = _preferred(records)
    rows = np.flatnonzero(several)
    for kept, others in ((best, ~best & lacks), (best & lacks, ~best))[: 2 if lacking else 1]:
        found = _overlapping(records, kept, others)
        repeated[rows[found]] = True
        matched[rows[_overlapping(records, found, kept)]] = True
    return repeated, matched


def _allowed_elsewhere(records: pd.DataFrame) -> _Mask:
    """Return which records are of flows that others allowed and the host itself refused."""
    own, refused = (records[name].to_numpy() for name in ("own", "refused"))
    if not (own & refused).any():
        return np.zeros(len(records), dtype=bool)
    groups = records.groupby(list(FIVE_TUPLE), dropna=False, sort=False)
    return _overlapping(records.assign(tuple=groups.ngroup()), own & refused, ~own & ~refused)


def _preferred(records: pd.DataFrame) -> _Mask:
    """Return which records are of the preferred machine of their tuple."""
    machines = records.groupby(["tuple", "machine"], sort=False).agg(
        own=("own", "max"), bytes=("bytes", "sum"), count=("own", "size")
    )
    order = machines.sort_values(["own", "bytes", "count"], ascending=False, kind="stable")
    best = order.reset_index().drop_duplicates("tuple").set_index("tuple")["machine"]
    mask: _Mask = (records["machine"] == records["tuple"].map(best)).to_numpy()
    return mask


def _overlapping(records: pd.DataFrame, kept: _Mask, others: _Mask) -> _Mask:
    """Return which of the other records overlap a kept one of their tuple in time."""
    start = records["start_time"].to_numpy("datetime64[us]").astype(np.int64)
    end = records["end_time"].fillna(records["start_time"]).to_numpy("datetime64[us]")
    end = np.maximum(end.astype(np.int64), start + 1)
    ports = (records["src_port"].notna() & records["dst_port"].notna()).to_numpy()
    short = end - start < _SLACK
    tuples = records["tuple"].to_numpy()
    found = _meeting(tuples, start, end, kept, others, np.where(ports, _SLACK, 0))
    return found | _meeting(tuples, start, end, kept & short, others & short, _SLACK)


def _meeting(
    tuples: npt.NDArray[np.int64],
    start: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    kept: _Mask,
    others: _Mask,
    slack: npt.NDArray[np.int64] | int,
) -> _Mask:
    """Return which others, longer by the slack at both ends, overlap a kept record."""
    import pandas as pd

    found = np.zeros(len(tuples), dtype=bool)
    has_kept, has_others = np.zeros((2, tuples.max(initial=0) + 1), dtype=bool)
    has_kept[tuples[kept]] = has_others[tuples[others]] = True
    rows = np.flatnonzero((kept | others) & (has_kept & has_others)[tuples])
    # A record overlaps a kept one that starts before its end and ends after its start.
    times = np.where(kept, start, end + slack)[rows]
    rows = rows[np.lexsort((kept[rows], times, tuples[rows]))]
    ends = pd.Series(np.where(kept, end, np.iinfo(np.int64).min)[rows])
    latest = ends.groupby(tuples[rows]).cummax().to_numpy()
    found[rows] = others[rows] & (latest > (start - slack)[rows])
    return found
