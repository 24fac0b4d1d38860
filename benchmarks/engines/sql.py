"""DuckDB: SQL over Arrow or Parquet, which it reads lazily."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import duckdb
import pyarrow as pa

from benchmarks.engines.engine import (
    BOTH_SIDES,
    CANONICAL,
    FLOWS,
    KEYS,
    SUMS,
    Engine,
    Search,
)


def _either(unit: str, source: str, dest: str) -> str:
    return f"coalesce({source}_{unit} + {dest}_{unit}, {source}_{unit}, {dest}_{unit})"


def _both_sums(source: str, dest: str) -> str:
    return f"coalesce({source} + {dest}, {source}, {dest})::BIGINT"


_FOUND = f"""
    SELECT min(first_seen) AS first_seen, max(last_seen) AS last_seen,
        source AS src_ip, dest AS dst_ip, src_port, dst_port, sum({FLOWS})::BIGINT AS connections,
        max(packets) AS max_packets, sum(packets) / nullif(sum(attempts), 0) AS mean_packets,
        max(bytes) AS max_bytes, sum(bytes) / nullif(sum(attempts), 0) AS mean_bytes,
        {", ".join(f"sum({name})::BIGINT AS {name}" for name in SUMS[1:])},
        sum(denied_flows)::BIGINT AS denied_connections,
        coalesce(string_agg(DISTINCT protocol, ',' ORDER BY protocol), '') AS protocols
    FROM (SELECT *, {FLOWS}::HUGEINT + coalesce(denied_flows, 0) AS attempts,
            {", ".join(f"{_either(u, 'src', 'dst')} AS {u}" for u in BOTH_SIDES)}
        FROM complete WHERE source = $ip OR dest = $ip)
    GROUP BY source, dest, src_port, dst_port
    ORDER BY source, dest, src_port, dst_port
"""


def _traffic(unit: str) -> str:
    source, dest = f"sum(src_{unit})", f"sum(dst_{unit})"
    sent, received = " FILTER (sent)", " FILTER (received)"
    both = _both_sums(source, dest)
    return f"""
        {both} AS {unit},
        {_both_sums(source + sent, dest + received)} AS {unit}_from_peer,
        {_both_sums(dest + sent, source + received)} AS {unit}_to_peer,
        max(max_{unit}) AS max_{unit},
        {both} / nullif(sum(attempts), 0) AS mean_{unit},"""


_PEERS = f"""
    SELECT peer,
        CASE WHEN bool_or(sent) AND bool_or(received) THEN 'two-way'
            WHEN bool_or(sent) = $internal THEN 'inbound' ELSE 'outbound' END AS direction,
        sum(connections)::BIGINT AS connections,
        coalesce(sum(connections) FILTER (sent), 0)::BIGINT AS connections_from_peer,
        coalesce(sum(connections) FILTER (received), 0)::BIGINT AS connections_to_peer,
        coalesce(sum(denied_connections), 0)::BIGINT AS denied_connections,
        {"".join(_traffic(unit) for unit in BOTH_SIDES)}
        min(first_seen) AS first_seen, max(last_seen) AS last_seen,
        array_to_string(list_sort(list_distinct(
            coalesce(list(DISTINCT src_port) FILTER (sent AND src_port IS NOT NULL), [])
            || coalesce(list(DISTINCT dst_port) FILTER (received AND dst_port IS NOT NULL), [])
        ))[1:10], ',') AS peer_ports
    FROM (
        SELECT *, connections::HUGEINT + coalesce(denied_connections, 0) AS attempts,
            src_ip IS NOT DISTINCT FROM peer AS sent,
            dst_ip IS NOT DISTINCT FROM peer AS received
        FROM (SELECT *, if(dst_ip IS NOT DISTINCT FROM $ip, src_ip, dst_ip) AS peer FROM found))
    GROUP BY peer ORDER BY peer
"""


class DuckDb(Engine):
    """A connection with the flows as a view."""

    def __init__(
        self,
        flows: pa.Table | str | Sequence[str] | duckdb.DuckDBPyRelation,
        connection: duckdb.DuckDBPyConnection | None = None,
    ) -> None:
        """Take flows in memory, a query or relation, or Parquet files of an index or of flows."""
        self._connection = connection = connection or duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        if isinstance(flows, duckdb.DuckDBPyRelation):
            flows.create_view("flows")
        elif isinstance(flows, pa.Table):
            connection.register("flows", flows)
        elif isinstance(flows, str):
            connection.execute(f"CREATE VIEW flows AS {flows}")
        else:
            connection.read_parquet(list(flows)).create_view("files")
            names = connection.table("files").columns
            renamed = [f"{old} AS {new}" for new, old in CANONICAL.items() if old in names]
            if renamed:
                renamed.append("greatest(start_time, end_time) AS last_seen")
            connection.execute(
                f"CREATE VIEW flows AS SELECT {', '.join(['*', *renamed])} FROM files"
            )
        self._names = connection.table("flows").columns

    def flow_index(self, *, ordered: bool = True) -> pa.Table:
        keys = ", ".join(KEYS)
        order = f"ORDER BY {keys}" if ordered else ""
        return self._answer(f"SELECT {keys}, {self._measures()} FROM flows GROUP BY {keys} {order}")

    def flow_summary(self, labels: Mapping[str | None, str]) -> pa.Table:
        columns = [pa.array(values, pa.string()) for values in (labels, labels.values())]
        known = pa.table(columns, ["address", "label"])
        self._connection.register("labels", known)
        lists = {"L7Protocols": "L7Protocol", "source_ips": "source", "dest_ips": "dest"}
        collected = ", ".join(
            f"coalesce(list(DISTINCT {column} ORDER BY {column}) FILTER ({column} IS NOT NULL), [])"
            f" AS {name}"
            for name, column in lists.items()
        )
        return self._answer(
            f"SELECT d.label AS DestASN, s.label AS SourceASN, {collected}, {self._measures()} "
            "FROM flows JOIN labels d ON d.address IS NOT DISTINCT FROM dest "
            "JOIN labels s ON s.address IS NOT DISTINCT FROM source GROUP BY d.label, s.label "
            f"ORDER BY {FLOWS} DESC, DestASN, SourceASN"
        )

    def timeline(self, by: str, width: timedelta) -> pa.Table:
        slot = "time_bucket($width, first_seen, TIMESTAMPTZ '1970-01-01 00:00:00+00')"
        return self._answer(
            f"SELECT {slot} AS bin_start, {slot} + $width AS bin_end, {by} AS series, "
            f"{self._measures('flows')} FROM flows GROUP BY bin_start, bin_end, series "
            "ORDER BY bin_start, series",
            width=width,
        )

    def top_n(self, key: str, by: str, n: int) -> pa.Table:
        parts = BOTH_SIDES.get(by, (FLOWS if by == "flows" else by,))
        sums = [self._sum(name) for name in parts]
        rank = _both_sums(*sums) if len(sums) == 2 else sums[0]
        return self._answer(
            f"SELECT {key}, {self._measures('flows')} FROM flows GROUP BY {key} "
            f"ORDER BY {rank} DESC NULLS LAST, {key} NULLS LAST LIMIT {n}"
        )

    def search(self, ip: str, *, internal: bool) -> Search:
        """Find flows, and peers from what was found."""
        absent = dict.fromkeys((*SUMS, "src_port", "dst_port"), "BIGINT") | {"protocol": "TEXT"}
        added = [
            f"NULL::{kind} AS {name}" for name, kind in absent.items() if name not in self._names
        ]
        self._connection.execute(
            f"CREATE OR REPLACE VIEW complete AS SELECT {', '.join(['*', *added])} FROM flows"
        )
        found = self._answer(_FOUND, ip=ip)
        self._connection.register("found", found)
        return Search(found, self._answer(_PEERS, ip=ip, internal=internal))

    def _answer(self, query: str, **parameters: object) -> pa.Table:
        relation = self._connection.sql(query, params=parameters or None)
        return relation.to_arrow_table()

    def _sum(self, name: str) -> str:
        return f"sum({name})::BIGINT" if name in self._names else "NULL::BIGINT"

    def _measures(self, flows: str = FLOWS) -> str:
        sums = [f"{self._sum(name)} AS {name}" for name in SUMS]
        times = ["min(first_seen) AS first_seen", "max(last_seen) AS last_seen"]
        return ", ".join([f"{self._sum(FLOWS)} AS {flows}", *sums, *times])
