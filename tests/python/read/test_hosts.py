"""Reading the flows of some hosts: the same as selecting them afterwards."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flowtriage as ft
from flowtriage import sample
from flowtriage.errors import ArgumentError
from real_logs import REAL

MAPPED = ipaddress.ip_address("::ffff:0:0")
FIELDS = ("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "conn_state")
HEADER = "#separator \\x09\n#path\tconn\n#fields\t" + "\t".join(FIELDS) + "\n"


def chosen(flows: pa.Table, hosts: list[str]) -> pa.Table:
    networks = [ipaddress.ip_network(host) for host in hosts]

    def wanted(address: str) -> bool:
        ip = ipaddress.ip_address(address)
        return any(ip.version == net.version and ip in net for net in networks)

    mask = [
        wanted(one) or wanted(other)
        for one, other in zip(flows["src_ip"].to_pylist(), flows["dst_ip"].to_pylist(), strict=True)
    ]
    return flows.filter(pa.array(mask, pa.bool_()))


@pytest.mark.parametrize("name", REAL)
def test_the_flows_of_hosts_in_real_logs(shared: Path, name: str) -> None:
    everything = ft.read_flows(shared / name)
    table = everything.to_arrow()
    counts = pc.value_counts(pa.concat_arrays([*table["src_ip"].chunks, *table["dst_ip"].chunks]))
    by_count = sorted(counts.to_pylist(), key=lambda row: (row["counts"], row["values"]))
    addresses = [row["values"] for row in (by_count[0], by_count[len(by_count) // 2], by_count[-1])]
    v4 = next(a for a in addresses if ":" not in a)
    prefix = str(ipaddress.ip_network(f"{v4}/20", strict=False))
    for hosts in ([addresses[0]], addresses, [prefix], [*addresses[:1], prefix], ["203.0.113.250"]):
        flows = ft.read_flows(shared / name, hosts=hosts)
        assert flows.to_arrow().equals(chosen(table, hosts)), hosts
        report = flows.report
        assert report.rows_read == everything.report.rows_read
        if not everything.report.rows_expanded and not report.rows_counted:
            rows = report.records + report.rows_superseded + report.rows_of_other_hosts
            known = everything.report.records + everything.report.rows_superseded
            assert rows >= known
            lost = everything.report.rows_bad + everything.report.rows_skipped
            assert rows <= known + lost


def test_records_of_other_hosts_are_counted_and_only_searched(tmp_path: Path) -> None:
    log = tmp_path / "conn.log"
    rows = [
        "1.0\tA\t10.0.0.1\t1\t192.0.2.1\t80\ttcp\tSF",
        "2.0\tB\t10.0.0.2\t1\t192.0.2.1\t80\ttcp\tSF",
        "bad\tC\t10.0.0.1\t1\t192.0.2.1\t80\ttcp\tSF",
        "bad\tD\t10.0.0.3\t1\t192.0.2.1\t80\ttcp\tSF",
        "",
        "3.0\tE\t10.0.0.11\t1\t192.0.2.1\t80\ttcp\tSF\textra 10.0.0.1",
        "#close\t10.0.0.2",
    ]
    log.write_text(HEADER + "\n".join(rows) + "\n")
    flows = ft.read_flows(log, hosts="10.0.0.1")
    report = flows.report
    assert flows.to_arrow()["src_ip"].to_pylist() == ["10.0.0.1"]
    assert (report.rows_read, report.rows_bad, report.rows_of_other_hosts) == (5, 2, 2)
    assert [row.number for row in report.bad_rows] == [6, 9]
    assert report.facts()["Other hosts"] == "2 records; only their addresses were read"
    assert report.to_dict()["rows_of_other_hosts"] == 2
    everything = ft.read_flows(log).report
    assert (everything.rows_read, everything.rows_bad) == (5, 3)


@pytest.mark.parametrize("wrong", ["web", "10.0.0.0/33", "", []])
def test_hosts_are_addresses_and_networks(wrong: object) -> None:
    with pytest.raises(ArgumentError):
        ft.read_flows(sample.office_day(), hosts=wrong)  # type: ignore[arg-type]


def test_tables_and_lists_of_sources(tmp_path: Path) -> None:
    day = sample.office_day()
    host = sample.HOST_IP
    expected = chosen(ft.read_flows(day).to_arrow(), [host])
    ft.write_flows(day, tmp_path / "a.parquet", format="parquet")
    ft.write_flows(day, tmp_path / "b.csv.gz", format="asim")
    for source in (day, tmp_path / "a.parquet", tmp_path / "b.csv.gz", day.to_pandas()):
        flows = ft.read_flows(source, hosts=[ipaddress.ip_address(host)])
        assert flows.to_arrow().num_rows == expected.num_rows > 0
        assert flows.report.rows_of_other_hosts == day.num_rows - expected.num_rows
    both = ft.read_flows([day, tmp_path / "a.parquet"], hosts=host)
    assert both.to_arrow().num_rows == 2 * expected.num_rows


V6 = st.integers(0, 2**128 - 1) | st.integers(0, 2**16) | st.integers(0, 2**32)
SPARSE = st.lists(st.sampled_from([0, 0, 1, 0xF, 0xDB8, 0xFFFF, 0xABCD]), min_size=8, max_size=8)


@st.composite
def notations(draw: st.DrawFn) -> tuple[str, str]:
    """An address, and any notation of it."""
    if draw(st.booleans()):
        v4 = draw(st.ip_addresses(v=4))
        high, low = int(v4) >> 16, int(v4) & 0xFFFF
        mapped = [f"::ffff:{v4}", f"0:0:0:0:0:ffff:{high:04x}:{low:x}", f"::FfFF:{high:X}:{low:x}"]
        return str(v4), draw(st.sampled_from([str(v4), *mapped]))
    groups = draw(SPARSE)
    value = draw(V6 | st.just(sum(group << (16 * (7 - i)) for i, group in enumerate(groups))))
    address = ipaddress.IPv6Address(value)
    canonical = str(address.ipv4_mapped or address)
    exploded = address.exploded.split(":")
    tail = str(ipaddress.IPv4Address(value & 0xFFFF_FFFF))
    forms = [
        str(address),
        address.exploded,
        ":".join(
            format(int(group, 16), draw(st.sampled_from(["x", "04X", "02x"]))) for group in exploded
        ),
        ":".join(exploded[:6]) + f":{tail}",
    ]
    text = draw(st.sampled_from(forms))
    return canonical, draw(st.sampled_from([text, text.upper(), text.title()]))


@settings(max_examples=300)
@given(notations(), st.ip_addresses().map(str), st.sampled_from(["zeek", "json", "escaped"]))
def test_every_notation_of_an_address_is_found(
    tmp_path_factory: pytest.TempPathFactory, pair: tuple[str, str], other: str, form: str
) -> None:
    address, text = pair
    rows = [("1.0", text, "192.0.2.1"), ("2.0", other, "192.0.2.1"), ("3.0", "192.0.2.1", text)]
    log = tmp_path_factory.mktemp("log") / "conn.log"
    if form == "zeek":
        lines = [f"{ts}\tC\t{a}\t1\t{b}\t80\ttcp\tSF\n" for ts, a, b in rows]
        log.write_text(HEADER + "".join(lines))
    else:
        objects = [
            {"ts": float(ts), "id.orig_h": a, "id.resp_h": b, "conn_state": "SF"}
            for ts, a, b in rows
        ]
        content = "".join(json.dumps(one) + "\n" for one in objects)
        if form == "escaped":
            escaped = "".join(f"\\u{ord(letter):04x}" for letter in text)
            content = content.replace(text, escaped)
        log.write_text(content)
    everything = ft.read_flows(log).to_arrow()
    found = ft.read_flows(log, hosts=address).to_arrow()
    assert found.equals(chosen(everything, [address]))
    assert found.num_rows >= 2
    network = ipaddress.ip_network(address)
    for bits in (8, 16, 60, 100):
        if bits < network.prefixlen:
            wider = network.supernet(new_prefix=bits)
            if MAPPED not in wider if network.version == 6 else True:
                found = ft.read_flows(log, hosts=wider).to_arrow()
                assert found.equals(chosen(everything, [str(wider)])), wider
