"""Flows and peers of one address in a day of raw flows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from benchmarks.job import FLOWTRIAGE, Facts, Job, Peer
from benchmarks.shapes import DAY, HOST, SEED

if TYPE_CHECKING:
    import duckdb

_MEANS = ["mean_packets", "mean_bytes"]
_NAMES = {
    "source": "src_ip",
    "dest": "dst_ip",
    "L7Protocol": "service",
    "TotalAllowedFlows": "flows",
    "first_seen": "start_time",
    "last_seen": "end_time",
}


@dataclass(frozen=True)
class _Store:
    """Raw flows on disk for the lifetime of the object."""

    folder: Path
    _kept: TemporaryDirectory[str]


@dataclass(frozen=True)
class _Result:
    found: pa.Table
    peers: pa.Table


def _store(table: pa.Table) -> _Store:
    """Ingest flows in time order, as a sensor writes them."""
    import pyarrow.parquet as pq

    from flowtriage.oa import RawFlows

    kept = TemporaryDirectory(prefix="flowtriage-bench-")
    log = Path(kept.name) / "flows.parquet"
    pq.write_table(_with_ports(table).sort_by("start_time"), log)
    raw = RawFlows(Path(kept.name) / "raw")
    raw.ingest(log)
    log.unlink()
    return _Store(raw.folder, kept)


def _with_ports(table: pa.Table) -> pa.Table:
    random = np.random.default_rng(SEED)
    columns = {name: table[old] for old, name in _NAMES.items()}
    columns |= {
        name: table[name] for name in table.column_names if name.startswith(("src_", "dst_"))
    }
    columns["src_port"] = pa.array(random.integers(1_024, 1 << 16, len(table)), pa.uint16())
    columns["dst_port"] = pa.array(random.choice([53, 80, 443], len(table)), pa.uint16())
    columns["protocol"] = pa.array(["tcp", "udp"]).take(pa.array(random.integers(0, 2, len(table))))
    return pa.table(columns)


def _flowtriage(store: _Store) -> _Result:
    import flowtriage as ft
    from flowtriage.oa import RawFlows
    from flowtriage.schema import SEARCH_COLUMNS

    day = datetime.fromtimestamp(DAY / 1e6, UTC).date()
    flows = RawFlows(store.folder).read(day, addresses=[HOST], columns=SEARCH_COLUMNS)
    found = ft.expanded_search(flows, HOST)
    return _Result(found, ft.connection_sets(found, HOST))


_FOUND = """
    SELECT min(start_time) AS first_seen, max(greatest(start_time, end_time)) AS last_seen,
        src_ip, dst_ip, src_port, dst_port, sum(flows)::BIGINT AS connections,
        max(src_packets + dst_packets) AS max_packets,
        sum(src_packets + dst_packets) / sum(flows + coalesce(denied_flows, 0)) AS mean_packets,
        max(src_bytes + dst_bytes) AS max_bytes,
        sum(src_bytes + dst_bytes) / sum(flows + coalesce(denied_flows, 0)) AS mean_bytes,
        sum(src_bytes)::BIGINT AS src_bytes, sum(dst_bytes)::BIGINT AS dst_bytes,
        sum(src_packets)::BIGINT AS src_packets, sum(dst_packets)::BIGINT AS dst_packets,
        sum(denied_flows)::BIGINT AS denied_connections,
        string_agg(DISTINCT protocol, ',' ORDER BY protocol) AS protocols
    FROM read_parquet($files) WHERE src_ip = $ip OR dst_ip = $ip
    GROUP BY src_ip, dst_ip, src_port, dst_port
    ORDER BY src_ip, dst_ip, src_port, dst_port
"""
_PEERS = """
    SELECT if(src_ip = $ip, dst_ip, src_ip) AS peer,
        CASE WHEN count(DISTINCT src_ip = $ip) = 2 THEN 'two-way'
            WHEN any_value(src_ip = $ip) THEN 'outbound' ELSE 'inbound' END AS direction,
        sum(connections)::BIGINT AS connections,
        coalesce(sum(connections) FILTER (src_ip <> $ip), 0)::BIGINT AS connections_from_peer,
        coalesce(sum(connections) FILTER (src_ip = $ip), 0)::BIGINT AS connections_to_peer,
        coalesce(sum(denied_connections), 0)::BIGINT AS denied_connections,
        sum(src_bytes + dst_bytes)::BIGINT AS bytes,
        sum(if(src_ip = $ip, dst_bytes, src_bytes))::BIGINT AS bytes_from_peer,
        sum(if(src_ip = $ip, src_bytes, dst_bytes))::BIGINT AS bytes_to_peer,
        sum(src_packets + dst_packets)::BIGINT AS packets,
        sum(if(src_ip = $ip, dst_packets, src_packets))::BIGINT AS packets_from_peer,
        sum(if(src_ip = $ip, src_packets, dst_packets))::BIGINT AS packets_to_peer,
        max(max_packets) AS max_packets,
        sum(src_packets + dst_packets) / sum(attempts) AS mean_packets,
        max(max_bytes) AS max_bytes, sum(src_bytes + dst_bytes) / sum(attempts) AS mean_bytes,
        min(first_seen) AS first_seen, max(last_seen) AS last_seen,
        array_to_string(list_sort(list(DISTINCT if(src_ip = $ip, dst_port, src_port)))[1:10], ',')
            AS peer_ports
    FROM (SELECT *, connections + coalesce(denied_connections, 0) AS attempts FROM found)
    GROUP BY ALL ORDER BY peer
"""


def _prepare_duckdb(table: pa.Table) -> tuple[duckdb.DuckDBPyConnection, _Store]:
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection, _store(table)


def _duckdb(prepared: tuple[duckdb.DuckDBPyConnection, _Store]) -> _Result:
    connection, store = prepared
    files = [str(file) for file in sorted(store.folder.glob("y=*/m=*/d=*/h=*/*.parquet"))]
    found = connection.sql(_FOUND, params={"ip": HOST, "files": files}).to_arrow_table()
    connection.register("found", found)
    peers = connection.sql(_PEERS, params={"ip": HOST}).to_arrow_table()
    return _Result(found, peers)


def _facts(result: _Result) -> Facts:
    found, peers = (table.drop_columns(_MEANS) for table in (result.found, result.peers))
    return {"found": found, "peers": peers}


JOB = Job(
    title="Search of an address",
    note=(
        "From a day of raw flows on disk (hourly Parquet, as in Flow OA, in the system's cache) to "
        "two Arrow tables: the flows of a host that occurs in every hour, by endpoints and ports, "
        "and its peers with their direction and the traffic of each side; `RawFlows.read`, "
        "`expanded_search` and `connection_sets` against SQL over the same files. The SQL assumes "
        "that the host is internal and orders addresses as strings; means are not compared, since "
        "they are quotients of compared sums."
    ),
    inputs=("zeek",),
    sizes=(1_000_000, 10_000_000),
    peers=(
        Peer(FLOWTRIAGE, "", _flowtriage, _facts, _store),
        Peer("duckdb", "SQL", _duckdb, _facts, _prepare_duckdb),
    ),
)
