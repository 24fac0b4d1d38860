"""Flows that several machines observed."""

from __future__ import annotations

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


def repeated_observations(
    flows: pa.Table, name: str | None, addresses: tuple[str, ...]
) -> npt.NDArray[np.bool_]:
    """Return which records of a host's flows repeat those of another machine.

    Of the machines that logged a 5-tuple, the host itself is preferred, then the one with the
    most bytes, then the one with the most records, then the first. Records of the others repeat
    its records if their times overlap; if both ports are known, clocks may differ by a minute.
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
    records["tuple"] = records.groupby([*FIVE_TUPLE, "refused"], dropna=False, sort=False).ngroup()
    # A machine of two tables may have the path of its resource group in one of them.
    records["machine"] = machines.to_pandas().fillna("").str.rpartition("/")[2].to_numpy()
    several = records.groupby("tuple")["machine"].transform("nunique") > 1
    comparable = records["src_ip"].notna() & records["dst_ip"].notna()
    records = records[several & comparable & records["start_time"].notna()]
    if records.empty:
        return none
    rows = records.index.to_numpy()
    if name:
        records["own"] = records["machine"] == name.lower().rpartition("/")[2]
    else:
        records["own"] = _observed_at_end(flows.take(pa.array(rows)), addresses)
    sizes = (pc.fill_null(flows[c], 0).to_numpy()[rows] for c in ("src_bytes", "dst_bytes"))
    records["bytes"] = sum(sizes)
    none[rows[_overlapping(records, _preferred(records))]] = True
    return none


def _observed_at_end(flows: pa.Table, addresses: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Return which flows the machine with one of these addresses logged, by their direction."""
    own = pa.array(addresses, pa.string())
    logged = (
        pc.and_(
            pc.fill_null(pc.equal(flows["reported_direction"], direction), fill_value=False),
            pc.is_in(flows[end], value_set=own),
        )
        for direction, end in _ENDS.items()
    )
    mask: npt.NDArray[np.bool_] = pc.or_(*logged).to_numpy()
    return mask


def _preferred(records: pd.DataFrame) -> pd.Series[bool]:
    """Return which records are of the preferred machine of their tuple."""
    machines = records.groupby(["tuple", "machine"], sort=False).agg(
        own=("own", "max"), bytes=("bytes", "sum"), count=("own", "size")
    )
    order = machines.sort_values(["own", "bytes", "count"], ascending=False, kind="stable")
    best = order.reset_index().drop_duplicates("tuple").set_index("tuple")["machine"]
    return records["machine"] == records["tuple"].map(best)


def _overlapping(records: pd.DataFrame, preferred: pd.Series[bool]) -> npt.NDArray[np.bool_]:
    """Return which records of other machines overlap one of the preferred machine in time."""
    import pandas as pd

    start = records["start_time"].to_numpy("datetime64[us]").astype(np.int64)
    end = records["end_time"].fillna(records["start_time"]).to_numpy("datetime64[us]")
    end = np.maximum(end.astype(np.int64), start + 1)
    kept = preferred.to_numpy()
    both_ports = records["src_port"].notna() & records["dst_port"].notna()
    slack = np.where(both_ports & ~preferred, _SLACK, 0)
    start, end = start - slack, end + slack
    # A record overlaps a kept one that starts before its end and ends after its start.
    times = pd.DataFrame(
        {
            "tuple": records["tuple"].to_numpy(),
            "time": np.where(kept, start, end),
            "kept": kept,
            "end": np.where(kept, end, np.iinfo(np.int64).min),
        }
    ).sort_values(["tuple", "time", "kept"])
    latest = times.groupby("tuple")["end"].cummax().sort_index().to_numpy()
    return ~kept & (latest > start)
