"""The synthetic day: schema, determinism and planted findings."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from flowtriage import sample

ASN_DATABASE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "mmdb" / "asn.mmdb"
DAY = dt.date(2026, 3, 2)


@pytest.fixture(scope="module")
def flows() -> pa.Table:
    return sample.office_day()


@pytest.fixture(scope="module")
def rows(flows: pa.Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = flows.to_pylist()
    return found


@pytest.fixture(scope="module")
def as_of() -> Callable[[str], dict[str, Any] | None]:
    if not ASN_DATABASE.exists():
        pytest.skip("the shared ASN database is not here")
    maxminddb = pytest.importorskip("maxminddb")
    look_up: Callable[[str], dict[str, Any] | None] = maxminddb.open_database(ASN_DATABASE).get
    return look_up


def with_peer(rows: list[dict[str, Any]], peer: str) -> list[dict[str, Any]]:
    return [row for row in rows if peer in {row["src_ip"], row["dst_ip"]}]


def public_peers(rows: list[dict[str, Any]]) -> Counter[str]:
    ends = Counter(row[end] for row in rows for end in ("src_ip", "dst_ip"))
    for address in list(ends):
        if not ip_address(address).is_global or ip_address(address).is_multicast:
            del ends[address]
    return ends


def test_schema_is_canonical(flows: pa.Table) -> None:
    time = pa.timestamp("us", tz="UTC")
    assert flows.schema == pa.schema(
        [
            ("start_time", time),
            ("end_time", time),
            ("src_ip", pa.string()),
            ("dst_ip", pa.string()),
            ("src_port", pa.uint16()),
            ("dst_port", pa.uint16()),
            ("protocol", pa.string()),
            ("service", pa.string()),
            ("src_bytes", pa.int64()),
            ("dst_bytes", pa.int64()),
            ("src_packets", pa.int64()),
            ("dst_packets", pa.int64()),
            ("flows", pa.int64()),
            ("denied_flows", pa.int64()),
            ("reported_direction", pa.string()),
            ("state", pa.string()),
            ("tcp_flags", pa.string()),
            ("host", pa.string()),
        ]
    )
    flows.validate(full=True)


def test_size_of_the_scenario(flows: pa.Table, rows: list[dict[str, Any]]) -> None:
    assert 6_000 <= flows.num_rows <= 12_000
    host = {sample.HOST_IP, sample.HOST_IPV6}
    peers = {row["dst_ip"] if row["src_ip"] in host else row["src_ip"] for row in rows}
    assert 150 <= len(peers) <= 300
    assert sum(":" in row["src_ip"] for row in rows) > 500
    assert {row["protocol"] for row in rows} == {"tcp", "udp", "icmp"}
    services = {row["service"] for row in rows}
    assert services >= {"dns", "ssl", "http", "ntp", "quic", "smb", "krb", "ssh", None}


def test_nulls_are_where_the_sensor_does_not_know(flows: pa.Table) -> None:
    always_known = set(flows.schema.names) - {
        *("src_port", "dst_port", "service", "denied_flows"),
        "tcp_flags",
    }
    assert all(flows[name].null_count == 0 for name in always_known)
    assert flows["tcp_flags"].null_count == flows.num_rows
    assert flows["host"].unique().to_pylist() == [sample.HOST_NAME]
    inbound = flows.filter(pc.equal(flows["reported_direction"], "inbound"))
    assert set(inbound["dst_ip"].to_pylist()) <= {sample.HOST_IP, sample.HOST_IPV6}
    assert 0 < inbound.num_rows < flows.num_rows
    for name in ("src_port", "dst_port"):
        assert pc.is_null(flows[name]).equals(pc.equal(flows["protocol"], "icmp"))
    assert pc.is_null(flows["denied_flows"]).equals(pc.equal(flows["state"], "S0"))
    refused = flows.filter(pc.equal(flows["denied_flows"], 1))
    assert set(refused["state"].to_pylist()) == {"REJ"}
    both = pc.add(flows["flows"], pc.fill_null(flows["denied_flows"], 0))
    assert pc.unique(both).to_pylist() == [1]


def test_same_seed_same_table(flows: pa.Table) -> None:
    assert sample.office_day(seed=7, day=DAY).equals(flows)


def test_same_table_on_every_machine(flows: pa.Table) -> None:
    totals = [pc.sum(flows[name]).as_py() for name in ("src_bytes", "dst_bytes", "src_packets")]
    assert (flows.num_rows, *totals) == (8_193, 5_939_406_483, 2_555_750_460, 5_207_561)


def test_other_seed_other_table(flows: pa.Table) -> None:
    other = sample.office_day(seed=8)
    assert not other.equals(flows)
    assert other.schema == flows.schema


def test_other_day_same_events(flows: pa.Table) -> None:
    later = sample.office_day(day=DAY + dt.timedelta(days=1))
    shift = pc.subtract(later["start_time"], flows["start_time"])
    assert pc.unique(shift).to_pylist() == [dt.timedelta(days=1)]
    assert later.drop_columns(["start_time", "end_time"]).equals(
        flows.drop_columns(["start_time", "end_time"])
    )


@pytest.mark.parametrize("seed", range(7, 12))
def test_times_lie_in_the_day(seed: int) -> None:
    flows = sample.office_day(seed=seed)
    midnight = dt.datetime.combine(DAY, dt.time(), dt.UTC)
    starts, ends = flows["start_time"].to_pylist(), flows["end_time"].to_pylist()
    assert midnight <= starts[0]
    assert starts[-1] < midnight + dt.timedelta(days=1)
    assert max(ends) < midnight + dt.timedelta(days=1, hours=1)
    assert all(start <= end for start, end in zip(starts, ends, strict=True))
    assert starts == sorted(starts)


def test_office_hours_are_busier_than_lunch_and_night(rows: list[dict[str, Any]]) -> None:
    web = Counter(row["start_time"].hour for row in rows if row["service"] == "dns")
    assert web[9] > 2 * web[12] > 4 * web[3] > 0


def test_addresses_are_canonical(rows: list[dict[str, Any]]) -> None:
    for address in {row[end] for row in rows for end in ("src_ip", "dst_ip")}:
        assert str(ip_address(address)) == address
    assert all((":" in row["src_ip"]) == (":" in row["dst_ip"]) for row in rows)


@pytest.mark.parametrize("end", ["src", "dst"])
def test_bytes_agree_with_packets(rows: list[dict[str, Any]], end: str) -> None:
    for row in rows:
        size, packets = row[f"{end}_bytes"], row[f"{end}_packets"]
        assert packets * (40 if ":" in row["src_ip"] else 20) <= size <= packets * 1500
    assert all(row["src_packets"] > 0 for row in rows)


@pytest.mark.parametrize("finding", sample.FINDINGS, ids=lambda finding: finding.kind)
def test_finding_is_as_described(rows: list[dict[str, Any]], finding: sample.Finding) -> None:
    planted = with_peer(rows, finding.peer)
    assert len(planted) == finding.flows
    midnight = dt.datetime.combine(DAY, dt.time(), dt.UTC)
    begin, end = (midnight + dt.timedelta(hours=hour) for hour in finding.hours)
    assert all(begin <= row["start_time"] <= end for row in planted)
    assert finding.story


def gaps(rows: list[dict[str, Any]]) -> list[float]:
    times = [row["start_time"] for row in rows]
    return [(b - a).total_seconds() for a, b in pairwise(times)]


def test_beacon_is_the_steadiest_public_peer(rows: list[dict[str, Any]]) -> None:
    beats = gaps(with_peer(rows, sample.BEACON.peer))
    assert statistics.mean(beats) == pytest.approx(sample.BEACON_INTERVAL.total_seconds(), abs=1)
    assert 1 < statistics.stdev(beats) < 10
    frequent = [peer for peer, count in public_peers(rows).items() if count >= 24]
    spread = {
        peer: statistics.stdev(times) / statistics.mean(times)
        for peer in frequent
        if (times := gaps(with_peer(rows, peer))) and sum(times) > 12 * 3600
    }
    assert min(spread, key=lambda peer: spread[peer]) == sample.BEACON.peer
    for row in with_peer(rows, sample.BEACON.peer):
        assert 0.5 < row["src_bytes"] / row["dst_bytes"] < 2


def test_scan_touches_most_ports_and_gets_little(rows: list[dict[str, Any]]) -> None:
    ports: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        if row["dst_port"] is not None:
            ports.setdefault((row["src_ip"], row["dst_ip"]), set()).add(row["dst_port"])
    assert max(ports, key=lambda pair: len(ports[pair])) == (sample.SCAN.peer, sample.HOST_IP)
    assert len(ports[sample.SCAN.peer, sample.HOST_IP]) == sample.SCAN.flows > 200
    states = Counter(row["state"] for row in with_peer(rows, sample.SCAN.peer))
    assert states["S0"] > states["REJ"] > 20 > states["RSTO"] > 0
    assert set(states) == {"S0", "REJ", "RSTO"}


def test_upload_sends_most_of_all(rows: list[dict[str, Any]]) -> None:
    sent: Counter[str] = Counter()
    for row in rows:
        sent[row["dst_ip"]] += row["src_bytes"]
    (first, most), (_, second) = sent.most_common(2)
    assert first == sample.UPLOAD.peer
    assert most > 3e9
    assert most > 3 * second
    sessions = with_peer(rows, first)
    assert sum(row["dst_bytes"] for row in sessions) * 20 < most
    assert max(row["src_bytes"] for row in sessions) < 100_000_000


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_owners_are_real_and_the_rare_one_is_alone(
    as_of: Callable[[str], dict[str, Any] | None], seed: int
) -> None:
    flows_of: Counter[int] = Counter()
    for peer, count in public_peers(sample.office_day(seed=seed).to_pylist()).items():
        record = as_of(peer)
        assert record is not None, peer
        flows_of[record["autonomous_system_number"]] += count
    assert len(flows_of) >= 25
    assert {asn for asn, count in flows_of.items() if count <= 2} == {sample.RARE.asn}


@pytest.mark.parametrize("finding", sample.FINDINGS, ids=lambda finding: finding.kind)
def test_finding_names_its_network(
    as_of: Callable[[str], dict[str, Any] | None], finding: sample.Finding
) -> None:
    record = as_of(finding.peer)
    assert record is not None
    assert record["autonomous_system_number"] == finding.asn


def test_peers_belong_to_the_owner_named(
    as_of: Callable[[str], dict[str, Any] | None], rows: list[dict[str, Any]]
) -> None:
    owners = [
        (ip_network(prefix), network.organisation)
        for network in sample.NETWORKS
        for prefix in network.prefixes.split()
    ]
    matched = 0
    for peer in public_peers(rows):
        for prefix, owner in owners:
            if ip_address(peer) in prefix:
                record = as_of(peer)
                assert record is not None
                assert owner in record["autonomous_system_organization"]
                matched += 1
    assert matched > 150
