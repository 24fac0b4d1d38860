"""What else passed between suspicious addresses: the tables `flow_edge` and `flow_chords`."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_PAIR = ["lower", "upper"]


def edges(flows: pa.Table, scores: pa.Table) -> pa.Table:
    """Find the flows between the ends of each suspicious connection within its minute.

    Parameters
    ----------
    flows
        Raw flows of the day, in the canonical schema; `tos`, `input` and `output` are used where
        they are there.
    scores
        Suspicious connections: `tstart`, `srcip` and `dstip`.

    Returns
    -------
    pyarrow.Table
        Columns of `flow_edge` but `day`, in order of time and ends. Flows of both directions are
        there, each once. `pkts` is packets of both directions; `hh` and `md` are hour and minute.
    """
    near = _among(flows, scores)
    near = near.append_column("minute", _text(near["start_time"], "%Y-%m-%d %H:%M"))
    near = _with_pair(near, "src_ip", "dst_ip")
    wanted = pa.table(
        {
            "minute": pc.utf8_slice_codeunits(scores["tstart"].cast(pa.string()), 0, 16),
            "srcip": scores["srcip"].cast(pa.string()),
            "dstip": scores["dstip"].cast(pa.string()),
        }
    )
    keys = ["minute", *_PAIR]
    wanted = _with_pair(wanted, "srcip", "dstip").select(keys)
    found = near.join(wanted, keys, join_type="left semi")
    start = found["start_time"]
    return pa.table(
        {
            "tstart": _text(start, "%Y-%m-%d %H:%M:%S"),
            "srcip": found["src_ip"],
            "dstip": found["dst_ip"],
            "sport": found["src_port"].cast(pa.int32()),
            "dport": found["dst_port"].cast(pa.int32()),
            "proto": found["protocol"],
            "flags": found["tcp_flags"],
            "tos": _kept(found, "tos"),
            "ibyt": found["src_bytes"],
            "ipkt": found["src_packets"],
            "pkts": _sum(found["src_packets"], found["dst_packets"]),
            "input": _kept(found, "input"),
            "output": _kept(found, "output"),
            "rip": found["host"],
            "obyt": found["dst_bytes"],
            "opkt": found["dst_packets"],
            "hh": pc.hour(start).cast(pa.int32()),
            "md": pc.minute(start).cast(pa.int32()),
        }
    ).sort_by([(n, "ascending") for n in ("tstart", "srcip", "dstip", "sport", "dport", "ibyt")])


def chords(flows: pa.Table, scores: pa.Table) -> pa.Table:
    """Sum what passed between an address and the suspicious addresses that it is connected to.

    Parameters
    ----------
    flows
        Raw flows of the day, in the canonical schema.
    scores
        Suspicious connections: `srcip` and `dstip`.

    Returns
    -------
    pyarrow.Table
        Columns of `flow_chords` but `day`: for each address that suspicious connections join to
        two others or more, bytes and packets that the source sent, by source and destination,
        over the whole day.
    """
    ends = [scores[name].cast(pa.string()) for name in ("srcip", "dstip")]
    both = [pa.chunked_array([*ends[i].chunks, *ends[1 - i].chunks], pa.string()) for i in (0, 1)]
    peers = pa.table({"ip_threat": both[0], "peer": both[1]})
    peers = peers.filter(pc.not_equal(peers["ip_threat"], peers["peer"]))
    peers = peers.group_by(["ip_threat", "peer"]).aggregate([])
    counts = peers.group_by("ip_threat").aggregate([([], "count_all")])
    threats = counts.filter(pc.greater(counts["count_all"], 1))["ip_threat"]
    peers = peers.filter(pc.is_in(peers["ip_threat"], threats.combine_chunks()))
    sums = (
        _among(flows, scores)
        .group_by(["src_ip", "dst_ip"])
        .aggregate([("src_bytes", "sum"), ("src_packets", "sum")])
    )
    sent = peers.join(sums, ["ip_threat", "peer"], ["src_ip", "dst_ip"], "inner")
    got = peers.join(sums, ["peer", "ip_threat"], ["src_ip", "dst_ip"], "inner")
    parts = [
        pa.table(
            {
                "ip_threat": part["ip_threat"],
                "srcip": part[source],
                "dstip": part[dest],
                "ibyt": part["src_bytes_sum"],
                "ipkt": part["src_packets_sum"],
            }
        )
        for part, source, dest in ((sent, "ip_threat", "peer"), (got, "peer", "ip_threat"))
    ]
    return pa.concat_tables(parts).sort_by(
        [(name, "ascending") for name in ("ip_threat", "srcip", "dstip")]
    )


def ingest_summary(flows: pa.Table) -> pa.Table:
    """Count the connections of each minute.

    Parameters
    ----------
    flows
        Raw flows of the day, in the canonical schema.

    Returns
    -------
    pyarrow.Table
        Columns of `flow_ingest_summary` but `day`: minute (`2013-09-15 23:44`, UTC) and number
        of flows, refused ones too; a record that stands for several counts as many.
    """
    minutes = pc.floor_temporal(flows["start_time"], unit="minute")
    count = pc.add(flows["flows"], pc.fill_null(flows["denied_flows"], 0))
    counted = (
        pa.table({"minute": minutes, "flows": count})
        .group_by("minute")
        .aggregate([("flows", "sum")])
        .sort_by("minute")
    )
    return pa.table(
        {"tdate": _text(counted["minute"], "%Y-%m-%d %H:%M"), "total": counted["flows_sum"]}
    )


def _among(flows: pa.Table, scores: pa.Table) -> pa.Table:
    """Keep the flows between two addresses of suspicious connections."""
    ends = [scores[name].cast(pa.string()) for name in ("srcip", "dstip")]
    addresses = pa.chunked_array([chunk for end in ends for chunk in end.chunks], pa.string())
    known = addresses.unique()
    inside = [pc.is_in(flows[name], known) for name in ("src_ip", "dst_ip")]
    return flows.filter(pc.and_(*inside))


def _with_pair(table: pa.Table, one: str, other: str) -> pa.Table:
    """Add the two ends of each row in an order that does not tell source from destination."""
    first = pc.less(table[one], table[other])
    lower = pc.if_else(first, table[one], table[other])
    upper = pc.if_else(first, table[other], table[one])
    return table.append_column("lower", lower).append_column("upper", upper)


def _text(times: pa.ChunkedArray, form: str) -> pa.ChunkedArray:
    return pc.strftime(pc.floor_temporal(times, unit="second").cast(pa.timestamp("s", "UTC")), form)


def _sum(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    both = pc.add(pc.fill_null(one, 0), pc.fill_null(other, 0))
    return pc.if_else(pc.and_(pc.is_null(one), pc.is_null(other)), None, both)


def _kept(flows: pa.Table, name: str) -> pa.ChunkedArray:
    if name in flows.column_names:
        return flows[name].cast(pa.int32())
    return pa.chunked_array([pa.nulls(flows.num_rows, pa.int32())])
