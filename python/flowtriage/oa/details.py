"""Contents of the tables `flow_edge`, `flow_chords` and `flow_ingest_summary`."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_PAIR = ["lower", "upper"]


def edges(flows: pa.Table, scores: pa.Table) -> pa.Table:
    """Select the flows between the endpoints of each suspicious connection within its minute.

    Parameters
    ----------
    flows
        Raw flows of the day, in the canonical schema; `tos`, `input` and `output` are optional.
    scores
        Suspicious connections: `tstart`, `srcip` and `dstip`.

    Returns
    -------
    pyarrow.Table
        Columns of `flow_edge` except `day`, ordered by time and endpoints. Flows of both
        directions are included, each once. `pkts` counts packets of both directions; `hh` and
        `md` are hour and minute.
    """
    candidates = _between_suspicious(flows, scores)
    minutes = _format(candidates["start_time"], "%Y-%m-%d %H:%M")
    candidates = _with_pair(candidates.append_column("minute", minutes), "src_ip", "dst_ip")
    wanted = pa.table(
        {
            "minute": pc.utf8_slice_codeunits(scores["tstart"].cast(pa.string()), 0, 16),
            "srcip": scores["srcip"].cast(pa.string()),
            "dstip": scores["dstip"].cast(pa.string()),
        }
    )
    keys = ["minute", *_PAIR]
    wanted = _with_pair(wanted, "srcip", "dstip").select(keys)
    found = candidates.join(wanted, keys, join_type="left semi")
    start = found["start_time"]
    return pa.table(
        {
            "tstart": _format(start, "%Y-%m-%d %H:%M:%S"),
            "srcip": found["src_ip"],
            "dstip": found["dst_ip"],
            "sport": found["src_port"].cast(pa.int32()),
            "dport": found["dst_port"].cast(pa.int32()),
            "proto": found["protocol"],
            "flags": found["tcp_flags"],
            "tos": _optional(found, "tos"),
            "ibyt": found["src_bytes"],
            "ipkt": found["src_packets"],
            "pkts": _sum(found["src_packets"], found["dst_packets"]),
            "input": _optional(found, "input"),
            "output": _optional(found, "output"),
            "rip": found["host"],
            "obyt": found["dst_bytes"],
            "opkt": found["dst_packets"],
            "hh": pc.hour(start).cast(pa.int32()),
            "md": pc.minute(start).cast(pa.int32()),
        }
    ).sort_by([(n, "ascending") for n in ("tstart", "srcip", "dstip", "sport", "dport", "ibyt")])


def chords(flows: pa.Table, scores: pa.Table) -> pa.Table:
    """Sum the traffic between an address and its suspicious peers.

    Parameters
    ----------
    flows
        Raw flows of the day, in the canonical schema.
    scores
        Suspicious connections: `srcip` and `dstip`.

    Returns
    -------
    pyarrow.Table
        Columns of `flow_chords` except `day`: for each address with two or more suspicious peers,
        bytes and packets sent by the source, by source and destination, over the whole day.
    """
    src, dst = (scores[name].cast(pa.string()).chunks for name in ("srcip", "dstip"))
    addresses = pa.chunked_array([*src, *dst], pa.string())
    peers = pa.table({"ip_threat": addresses, "peer": pa.chunked_array([*dst, *src], pa.string())})
    peers = peers.filter(pc.not_equal(peers["ip_threat"], peers["peer"]))
    peers = peers.group_by(["ip_threat", "peer"]).aggregate([])
    counts = peers.group_by("ip_threat").aggregate([([], "count_all")])
    threats = counts.filter(pc.greater(counts["count_all"], 1))["ip_threat"]
    peers = peers.filter(pc.is_in(peers["ip_threat"], threats.combine_chunks()))
    sums = (
        _between_suspicious(flows, scores)
        .group_by(["src_ip", "dst_ip"])
        .aggregate([("src_bytes", "sum"), ("src_packets", "sum")])
    )
    sent = peers.join(sums, ["ip_threat", "peer"], ["src_ip", "dst_ip"], "inner")
    received = peers.join(sums, ["peer", "ip_threat"], ["src_ip", "dst_ip"], "inner")
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
        for part, source, dest in ((sent, "ip_threat", "peer"), (received, "peer", "ip_threat"))
    ]
    return pa.concat_tables(parts).sort_by(
        [(name, "ascending") for name in ("ip_threat", "srcip", "dstip")]
    )


def ingest_summary(flows: pa.Table) -> pa.Table:
    """Count the flows of each minute.

    Parameters
    ----------
    flows
        Raw flows of the day, in the canonical schema.

    Returns
    -------
    pyarrow.Table
        Columns of `flow_ingest_summary` except `day`: minute (`2013-09-15 23:44`, UTC) and number
        of flows, including denied ones, by the counters `flows` and `denied_flows`.
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
        {"tdate": _format(counted["minute"], "%Y-%m-%d %H:%M"), "total": counted["flows_sum"]}
    )


def _between_suspicious(flows: pa.Table, scores: pa.Table) -> pa.Table:
    """Select the flows between any two addresses of suspicious connections."""
    columns = [scores[name].cast(pa.string()) for name in ("srcip", "dstip")]
    addresses = pa.chunked_array([c for column in columns for c in column.chunks], pa.string())
    suspicious = addresses.unique()
    matches = [pc.is_in(flows[name], suspicious) for name in ("src_ip", "dst_ip")]
    return flows.filter(pc.and_(*matches))


def _with_pair(table: pa.Table, one: str, other: str) -> pa.Table:
    """Add the endpoints of each row as `lower` and `upper`, independent of direction."""
    first = pc.less(table[one], table[other])
    lower = pc.if_else(first, table[one], table[other])
    upper = pc.if_else(first, table[other], table[one])
    return table.append_column("lower", lower).append_column("upper", upper)


def _format(times: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    return pc.strftime(
        pc.floor_temporal(times, unit="second").cast(pa.timestamp("s", "UTC")), pattern
    )


def _sum(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    both = pc.add(pc.fill_null(one, 0), pc.fill_null(other, 0))
    return pc.if_else(pc.and_(pc.is_null(one), pc.is_null(other)), None, both)


def _optional(flows: pa.Table, name: str) -> pa.ChunkedArray:
    if name in flows.column_names:
        return flows[name].cast(pa.int32())
    return pa.chunked_array([pa.nulls(flows.num_rows, pa.int32())])
