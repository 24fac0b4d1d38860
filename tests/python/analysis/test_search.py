"""The flows and the peers of an address, against naive versions and against DuckDB."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowtriage as ft
import oracle
from flowtriage import sample
from flowtriage.errors import ArgumentError, InputError
from flowtriage.schema import SEARCH_COLUMNS

SOUGHT = st.sampled_from(
    ["10.0.0.1", "[::ffff:a00:1]", "8.8.8.8", "FD00:0::1", "2606:4700:0:0::1", "::1"]
)
REAL = [
    "argus/slips_test3-mixed.binetflow",
    "aws_vpc/drewpy_eks_2024-12-20_cwlogs.txt",
    "azure_nsg/danifitz_2020_PT1H.json",
    "azure_nta/az_net_flows_2019-02-12_13.csv",
    "azure_vnet/csp451_2026_PT1H.json",
    "azure_vnet/elastic_docs_sample_vnet_2022.json",
    "netflow/slips_test1.nfdump171.csv",
    "netflow/vast_example.nfdump171.csv",
    "suricata/alaajili_2022_eve.json",
    "suricata/vast_example_eve.json.gz",
    "zeek/otrf_apt29_day1_NASHUA_conn.log",
    "zeek/vast_ctu_conn.log.json.gz",
    "zeek/vast_example_conn.log.gz",
    "zeek/vast_m57_conn.log.gz",
    "zeek/zat_conn.json.log",
    "zeek/zat_conn.log",
    "zeek/zat_conn_date_issue.log",
]
FOUND = """
    SELECT min(start_time) AS first_seen, max(greatest(start_time, end_time)) AS last_seen,
        src_ip, dst_ip, src_port, dst_port, sum(flows)::BIGINT AS connections,
        max(packets) AS max_packets, sum(packets) / nullif(sum(attempts), 0) AS mean_packets,
        max(bytes) AS max_bytes, sum(bytes) / nullif(sum(attempts), 0) AS mean_bytes,
        sum(src_bytes)::BIGINT AS src_bytes, sum(dst_bytes)::BIGINT AS dst_bytes,
        sum(src_packets)::BIGINT AS src_packets, sum(dst_packets)::BIGINT AS dst_packets,
        sum(denied_flows)::BIGINT AS denied_connections,
        coalesce(string_agg(DISTINCT protocol, ',' ORDER BY protocol), '') AS protocols
    FROM (SELECT *, flows + coalesce(denied_flows, 0) AS attempts,
            coalesce(src_bytes + dst_bytes, src_bytes, dst_bytes) AS bytes,
            coalesce(src_packets + dst_packets, src_packets, dst_packets) AS packets FROM flows)
    WHERE src_ip = $ip OR dst_ip = $ip
    GROUP BY src_ip, dst_ip, src_port, dst_port
"""
PEERS = """
    WITH own AS (
        SELECT *, src_ip = $ip AS sent, if(src_ip = $ip, dst_ip, src_ip) AS peer,
            flows + coalesce(denied_flows, 0) AS attempts,
            coalesce(src_bytes + dst_bytes, src_bytes, dst_bytes) AS bytes,
            coalesce(src_packets + dst_packets, src_packets, dst_packets) AS packets
        FROM flows WHERE (src_ip = $ip) <> (dst_ip = $ip))
    SELECT peer,
        CASE WHEN count(DISTINCT sent) = 2 THEN 'two-way'
            WHEN any_value(sent) = $internal THEN 'outbound' ELSE 'inbound' END AS direction,
        sum(flows)::BIGINT AS connections,
        sum(if(sent, 0, flows))::BIGINT AS connections_from_peer,
        sum(if(sent, flows, 0))::BIGINT AS connections_to_peer,
        sum(coalesce(denied_flows, 0))::BIGINT AS denied_connections,
        sum(bytes)::BIGINT AS bytes,
        sum(if(sent, dst_bytes, src_bytes))::BIGINT AS bytes_from_peer,
        sum(if(sent, src_bytes, dst_bytes))::BIGINT AS bytes_to_peer,
        sum(packets)::BIGINT AS packets,
        sum(if(sent, dst_packets, src_packets))::BIGINT AS packets_from_peer,
        sum(if(sent, src_packets, dst_packets))::BIGINT AS packets_to_peer,
        max(packets) AS max_packets, sum(packets) / nullif(sum(attempts), 0) AS mean_packets,
        max(bytes) AS max_bytes, sum(bytes) / nullif(sum(attempts), 0) AS mean_bytes,
        min(start_time) AS first_seen, max(greatest(start_time, end_time)) AS last_seen,
        coalesce(array_to_string(list_sort(list(DISTINCT if(sent, dst_port, src_port)) FILTER
            (if(sent, dst_port, src_port) IS NOT NULL))[1:10], ','), '') AS peer_ports
    FROM own GROUP BY peer
"""


def in_sql(flows: pa.Table, query: str, **parameters: Any) -> list[dict[str, Any]]:
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        db.register("flows", flows)
        return in_any_order(db.sql(query, params=parameters).to_arrow_table())


def in_any_order(table: pa.Table) -> list[dict[str, Any]]:
    """Rows with means that may differ by an ulp; text sorts them alike on both sides."""
    rows = table.to_pylist()
    for row in rows:
        for mean in ("mean_packets", "mean_bytes"):
            row[mean] = None if row[mean] is None else float(f"{row[mean]:.9g}")
    return sorted(rows, key=repr)


def is_internal(ip: str) -> bool:
    return any(oracle.ipaddress.ip_address(ip) in network for network in oracle.INTERNAL)


def agrees_with_sql(flows: pa.Table, ip: str) -> int:
    found = ft.expanded_search(flows, ip)
    assert in_any_order(found) == in_sql(flows, FOUND, ip=ip)
    peers = in_any_order(ft.connection_sets(found, ip))
    others = [row for row in peers if row["peer"] != ip]
    assert others == in_sql(flows, PEERS, ip=ip, internal=is_internal(ip))
    return len(peers)


@given(oracle.rows_with_ports(), SOUGHT, st.randoms())
def test_search_and_peers_equal_the_naive_versions_in_any_order_of_rows(
    rows: list[dict[str, Any]], ip: str, chance: random.Random
) -> None:
    found = ft.expanded_search(oracle.table_with_ports(rows), ip)
    assert found.to_pylist() == oracle.expanded_search(rows, ip.strip("[]"))
    peers = ft.connection_sets(found, ip)
    assert peers.to_pylist() == oracle.connection_sets(rows, ip.strip("[]"))
    shuffled = chance.sample(rows, len(rows))
    again = ft.expanded_search(oracle.table_with_ports(shuffled), ip)
    assert again == found
    mixed = again.take(pa.array(chance.sample(range(len(again)), len(again)), pa.int64()))
    assert ft.connection_sets(mixed, ip) == peers


@given(oracle.rows_with_ports(), st.sampled_from(["10.0.0.1", "8.8.8.8", "fd00::1"]))
def test_random_flows_agree_with_duckdb(rows: list[dict[str, Any]], ip: str) -> None:
    written = [{**row, "src_ip": oracle.canonical(row["src_ip"])} for row in rows]
    written = [{**row, "dst_ip": oracle.canonical(row["dst_ip"])} for row in written]
    # SQL compares null with nothing, so a flow with a missing end is left to the naive version.
    whole = [row for row in written if row["src_ip"] and row["dst_ip"]]
    agrees_with_sql(oracle.table_with_ports(whole), ip)


@pytest.mark.parametrize("path", REAL)
def test_real_flows_agree_with_duckdb_and_the_naive_version(shared: Path, path: str) -> None:
    flows = ft.read_flows(shared / path).to_arrow()
    rows = flows.to_pylist()
    for key in ("source", "dest"):
        top = ft.top_n(flows, key=key, by="flows", n=3)
        for ip in filter(None, top[key].to_pylist()):
            assert agrees_with_sql(flows, ip) > 0
            found = ft.expanded_search(flows, ip)
            assert found.to_pylist() == oracle.expanded_search(rows, ip)
            assert ft.connection_sets(found, ip).to_pylist() == oracle.connection_sets(rows, ip)


def test_the_host_of_the_m57_capture(shared: Path) -> None:
    flows = ft.read_flows(shared / "zeek" / "vast_m57_conn.log.gz")
    found = ft.expanded_search(flows, "192.168.1.104")
    assert sum(found["connections"].to_pylist()) == 2_821
    peers = ft.connection_sets(found, "::ffff:192.168.1.104")
    assert sum(peers["connections"].to_pylist()) == 2_821


def test_named_networks_decide_which_way_is_in() -> None:
    flow = {"src_ip": "203.0.113.9", "dst_ip": "198.51.100.1", "flows": 1}
    found = ft.expanded_search(pa.Table.from_pylist([flow]), "203.0.113.9")

    def direction(**more: Any) -> str:
        peers = ft.connection_sets(found, "203.0.113.9", **more)
        return str(peers["direction"].to_pylist()[0])

    assert direction() == "inbound"
    assert direction(internal=["203.0.113.0/24"]) == "outbound"
    assert direction(internal="198.51.100.0/24") == "inbound"
    with pytest.raises(ArgumentError, match="internal is empty"):
        direction(internal=[])
    with pytest.raises(ArgumentError, match="10.0.0.0/40"):
        direction(internal=["10.0.0.0/40"])


def test_wrong_arguments_are_explained() -> None:
    flows = sample.office_day()
    for text in ("", "host.example", "10.0.0.0/40", "<script>"):
        with pytest.raises(ArgumentError, match="invalid IP address"):
            ft.expanded_search(flows, text)
    found = ft.expanded_search(flows, sample.HOST_IP)
    with pytest.raises(ArgumentError, match="row 0 of the search is not from or to"):
        ft.connection_sets(found, "192.0.2.200")
    with pytest.raises(ArgumentError, match="search is a str"):
        ft.connection_sets("found.parquet", sample.HOST_IP)
    with pytest.raises(InputError, match='column "src_ip" is missing in the search'):
        ft.connection_sets(pa.table({"a": [1]}), sample.HOST_IP)
    bad = pa.table({"src_ip": ["10.0.0.1"], "dst_ip": ["ten"], "flows": [1]})
    with pytest.raises(InputError, match=r'row 0, column "dst_ip": "ten" is not an IP address'):
        ft.expanded_search(bad, "192.0.2.1")


def test_nothing_found_has_the_same_columns() -> None:
    flows = sample.office_day()
    some = ft.expanded_search(flows, sample.HOST_IP)
    none = ft.expanded_search(flows, "2001:db8::5")
    assert (none.num_rows, none.schema) == (0, some.schema)
    peers = ft.connection_sets(some, sample.HOST_IP)
    no_peers = ft.connection_sets(none, "2001:db8::5")
    assert (no_peers.num_rows, no_peers.schema) == (0, peers.schema)


def test_every_form_of_flows_gives_the_same(tmp_path: Path) -> None:
    flows = sample.office_day()
    expected = ft.expanded_search(flows, sample.HOST_IP)
    assert expected.num_rows > 100
    log = tmp_path / "flows.parquet"
    pq.write_table(flows, log)
    encoded = flows.set_column(
        flows.column_names.index("src_ip"), "src_ip", flows["src_ip"].dictionary_encode()
    )
    forms: list[Any] = [log, ft.read_flows(flows), flows.to_reader(max_chunksize=77), encoded]
    for form in [*forms, ds.dataset(log)]:
        assert ft.expanded_search(form, sample.HOST_IP) == expected
    index = ft.expanded_search(ft.flow_index(flows), sample.HOST_IP)
    connections = sum(expected["connections"].to_pylist())
    assert sum(index["connections"].to_pylist()) == connections


def test_a_search_may_come_back_from_pandas() -> None:
    pytest.importorskip("pandas")
    found = ft.expanded_search(sample.office_day(), sample.HOST_IP)
    peers = ft.connection_sets(found, sample.HOST_IP)
    assert ft.connection_sets(found.to_pandas(), sample.HOST_IP) == peers


def test_of_a_dataset_only_what_is_needed_is_read(tmp_path: Path) -> None:
    flows = sample.office_day()
    path = tmp_path / "flows.parquet"
    pq.write_table(flows, path)
    damage(path, *(name for name in flows.column_names if name not in SEARCH_COLUMNS))
    found = ft.expanded_search(ds.dataset(path), sample.HOST_IP)
    assert found == ft.expanded_search(flows, sample.HOST_IP)
    damage(path, "dst_ip")
    with pytest.raises(InputError, match="cannot read this stream"):
        ft.expanded_search(ds.dataset(path), sample.HOST_IP)


def damage(path: Path, *columns: str, groups: slice = slice(None)) -> None:
    """Overwrite the pages of columns of a Parquet file."""
    told = pq.read_metadata(path)
    content = bytearray(path.read_bytes())
    for group in range(told.num_row_groups)[groups]:
        for place in range(told.num_columns):
            column = told.row_group(group).column(place)
            if column.path_in_schema in columns:
                start = column.dictionary_page_offset or column.data_page_offset
                content[start : start + column.total_compressed_size] = (
                    b"\xff" * column.total_compressed_size
                )
    path.write_bytes(content)


def test_times_of_a_row_span_its_records() -> None:
    first, last = datetime(2026, 3, 2, 8, tzinfo=UTC), datetime(2026, 3, 2, 9, tzinfo=UTC)
    ends = {"src_ip": "10.0.0.1", "dst_ip": "192.0.2.1", "flows": 1}
    rows = [{**ends, "start_time": last, "end_time": None}, {**ends, "start_time": first}]
    (row,) = ft.expanded_search(pa.Table.from_pylist(rows), "10.0.0.1").to_pylist()
    assert (row["first_seen"], row["last_seen"]) == (first, last)
