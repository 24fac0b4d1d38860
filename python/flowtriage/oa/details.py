"""Contents of the tables `flow_edge`, `flow_chords` and `flow_ingest_summary`."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.quality.sums import added, aggregated
from flowtriage.store.scores import key

_PAIR = ["lower", "upper"]
_COUNTED = ("flows", "denied_flows")


def edges(flows: pa.Table, scores: pa.Table) -> pa.Table:
    """Select the flows between the endpoints of each suspicious connection within its minute.

    Flows of both directions are included, each once, ordered by time and endpoints. `pkts` counts
    packets of both directions; `hh` and `md` are hour and minute. `tos`, `input` and `output` are
    optional in `flows`.
    """
    candidates = _between_suspicious(flows, scores)
    minutes = _format(candidates["start_time"], "%Y-%m-%d %H:%M")
    candidates = _with_pair(candidates.append_column("minute", minutes), "src_ip", "dst_ip")
    columns = {name: scores[name].cast(pa.string()) for name in ("tstart", "srcip", "dstip")}
    minutes = pc.utf8_slice_codeunits(columns["tstart"], 0, 16)
    wanted = pa.table(columns | {"minute": minutes})
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
            "pkts": _sum(found["src_packets"], found["dst_packets"], "packets"),
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
    """Sum the traffic between an address and its suspicious peers, if it has two or more.

    Bytes and packets are those sent by the source, by source and destination, over the whole day.
    """
    src, dst = scores["srcip"], scores["dstip"]
    peers = pa.table({"ip_threat": _stacked(src, dst), "peer": _stacked(dst, src)})
    peers = peers.filter(pc.not_equal(peers["ip_threat"], peers["peer"]))
    peers = peers.group_by(["ip_threat", "peer"]).aggregate([])
    counts = peers.group_by("ip_threat").aggregate([([], "count_all")])
    threats = counts.filter(pc.greater(counts["count_all"], 1))["ip_threat"]
    peers = peers.filter(pc.is_in(peers["ip_threat"], threats.combine_chunks()))
    measures = [("src_bytes", "sum"), ("src_packets", "sum")]
    sums = aggregated(_between_suspicious(flows, scores), ["src_ip", "dst_ip"], measures)
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


def with_flows(flows: pa.Table, scores: pa.Table) -> pa.Table:
    """Add the flows of the day from the source to the destination of each suspicious connection.

    `flows` are allowed, `denied_flows` denied ones; both are null if the day has no such record.
    """
    kept = [name for name in scores.column_names if name not in _COUNTED]
    between = _between_suspicious(flows, scores)
    counted = between.group_by(["src_ip", "dst_ip"]).aggregate([(name, "sum") for name in _COUNTED])
    at = pc.index_in(
        key(scores, "srcip", "dstip").combine_chunks(),
        value_set=key(counted, "src_ip", "dst_ip").combine_chunks(),
    )
    columns = {name: scores[name] for name in kept}
    return pa.table(columns | {name: counted[f"{name}_sum"].take(at) for name in _COUNTED})


def ingest_summary(flows: pa.Table) -> pa.Table:
    """Count the flows of each minute in UTC, denied ones included, by the flow counters."""
    minutes = pc.floor_temporal(flows["start_time"], unit="minute")
    count = added(flows["flows"], pc.fill_null(flows["denied_flows"], 0), "flows")
    counted = pa.table({"minute": minutes, "flows": count})
    counted = aggregated(counted, "minute", [("flows", "sum")]).sort_by("minute")
    return pa.table(
        {"tdate": _format(counted["minute"], "%Y-%m-%d %H:%M"), "total": counted["flows_sum"]}
    )


def _between_suspicious(flows: pa.Table, scores: pa.Table) -> pa.Table:
    """Select the flows between any two addresses of suspicious connections."""
    suspicious = _stacked(scores["srcip"], scores["dstip"]).unique()
    matches = [pc.is_in(flows[name], suspicious) for name in ("src_ip", "dst_ip")]
    return flows.filter(pc.and_(*matches))


def _stacked(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    chunks = [*one.cast(pa.string()).chunks, *other.cast(pa.string()).chunks]
    return pa.chunked_array(chunks, pa.string())


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


def _sum(one: pa.ChunkedArray, other: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    both = added(pc.fill_null(one, 0), pc.fill_null(other, 0), name)
    return pc.if_else(pc.and_(pc.is_null(one), pc.is_null(other)), None, both)


def _optional(flows: pa.Table, name: str) -> pa.ChunkedArray:
    if name in flows.column_names:
        return flows[name].cast(pa.int32())
    return pa.chunked_array([pa.nulls(flows.num_rows, pa.int32())])
