"""The flows and the peers of an address, against naive Python, DuckDB and Polars."""

from __future__ import annotations

import ipaddress
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import flowtriage as ft
import oracle
from benchmarks.engines import duckdb, in_any_order, naive, polars
from flowtriage import sample
from flowtriage.errors import ArgumentError, InputError
from flowtriage.schema import SEARCH_COLUMNS
from real_logs import REAL

SOUGHT = st.sampled_from(
    ["10.0.0.1", "[::ffff:a00:1]", "8.8.8.8", "FD00:0::1", "2606:4700:0:0::1", "::1"]
)


def agree(flows: pa.Table, records: pa.Table, ip: str) -> int:
    """Compare with naive Python in the same order, and with the others in any."""
    found = ft.expanded_search(flows, ip)
    peers = ft.connection_sets(found, ip)
    sought = oracle.canonical(ip.strip("[]")) or ""
    first, *others = (
        make(records).search(sought, internal=oracle.is_internal(sought))
        for make in (naive, duckdb, polars)
    )
    assert found.to_pylist() == first.found.to_pylist()
    assert peers.to_pylist() == first.peers.to_pylist()
    for other in others:
        assert in_any_order(found) == in_any_order(other.found)
        assert in_any_order(peers) == in_any_order(other.peers)
    return peers.num_rows


@given(oracle.rows_with_ports(), SOUGHT, st.randoms())
def test_search_and_peers_equal_those_of_other_engines_in_any_order_of_rows(
    rows: list[dict[str, Any]], ip: str, chance: random.Random
) -> None:
    flows = oracle.table_with_ports(rows)
    agree(flows, oracle.indexed(rows), ip)
    found = ft.expanded_search(flows, ip)
    shuffled = chance.sample(rows, len(rows))
    again = ft.expanded_search(oracle.table_with_ports(shuffled), ip)
    assert again == found
    mixed = again.take(pa.array(chance.sample(range(len(again)), len(again)), pa.int64()))
    assert ft.connection_sets(mixed, ip) == ft.connection_sets(found, ip)


@pytest.mark.parametrize("path", REAL)
def test_other_engines_agree_on_real_flows(shared: Path, path: str) -> None:
    flows = ft.read_flows(shared / path).to_arrow()
    directions = ft.classify_direction(flows)["direction"].to_pylist()
    records = oracle.indexed(flows.to_pylist(), directions)
    for key in ("source", "dest"):
        top = ft.top_n(flows, key=key, by="flows", n=3)
        for ip in filter(None, top[key].to_pylist()):
            assert agree(flows, records, ip) > 0


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


def test_one_address_has_the_same_peers_in_any_notation() -> None:
    found = ft.expanded_search(sample.office_day(), sample.HOST_IP)
    peers = ft.connection_sets(found, sample.HOST_IP)
    defanged = sample.HOST_IP.replace(".", "[.]")
    address = ipaddress.ip_address(sample.HOST_IP)
    for same in (f"{sample.HOST_IP}/32", [address], address, defanged, [defanged] * 2):
        assert ft.connection_sets(found, same) == peers
    with pytest.raises(ArgumentError, match="no IP address given"):
        ft.connection_sets(found, [])


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
