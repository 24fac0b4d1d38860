"""What is written in the formats of other tools reads back as the same flows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flowtriage as ft
from flowtriage import sample
from flowtriage.errors import ArgumentError
from flowtriage.schema import SCHEMA
from flowtriage.write import FORMATS
from round_trip import NAMES, read_back, rows

REAL = [
    "zeek/zat_conn.log",
    "zeek/zat_conn.json.log",
    "zeek/vast_m57_conn.log.gz",
    "zeek/vast_ctu_conn.log.json.gz",
    "zeek/vast_example_conn.log.gz",
    "zeek/zat_conn_date_issue.log",
    "suricata/vast_example_eve.json.gz",
    "suricata/alaajili_2022_eve.json",
    "netflow/vast_example.nfdump171.csv",
    "netflow/slips_test1.nfdump171.csv",
    "aws_vpc/drewpy_eks_2024-12-20_cwlogs.txt",
    "azure_nsg/danifitz_2020_PT1H.json",
    "azure_vnet/csp451_2026_PT1H.json",
    "azure_nta/az_net_flows_2019-02-12_13.csv",
    "argus/slips_test3-mixed.binetflow",
]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", REAL)
def test_real_logs_read_back_as_they_were(
    shared: Path, tmp_path: Path, name: str, format: str
) -> None:
    source = ft.read_flows(shared / name)
    path = tmp_path / "out"
    written = ft.write_flows(shared / name, path, format=format)
    assert written.records == len(source) > 0
    again = read_back(path, format)
    expected, found = rows(source), rows(again)
    lost = written.dropped.pop("end_time", 0) if format == "zeek" else 0
    assert set(written.dropped) <= set(source.to_arrow().column_names) - set(NAMES)
    if lost:
        end = NAMES.index("end_time")
        assert sum(a[end] is not None for a in expected) - lost == sum(
            a[end] is not None for a in found
        )
        expected, found = (
            sorted((a[:end] + a[end + 1 :] for a in t), key=repr) for t in (expected, found)
        )
    assert found == expected
    for verb in (ft.flow_index, ft.flow_summary):
        assert verb(again).equals(verb(source))


MICROSECONDS = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
TIMES = st.one_of(
    st.none(), MICROSECONDS, st.integers(1_700_000_000_000_000, 1_700_000_100_000_000)
)
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
COUNTS = st.one_of(st.none(), st.integers(0, 3), st.integers(0, 2**63 - 1))
ODD = st.sampled_from(
    [
        "-",
        "(empty)",
        "a\tb",
        "two\nlines",
        "\r\n",
        '"quoted"',
        "it's",
        "back\\slash",
        "\\x09",
        "\\",
        "#fields",
        "null",
        "é\u202e\U0001f600",
        "\x00\x1f\x7f\x85\u2028",
        "{}",
        "=1+1",
        "a,b",
        "0",
        "nan",
        "<b>",
    ]
)
TEXTS = st.one_of(st.none(), ODD, st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
WORDS = st.sampled_from([None, "inbound", "outbound", "internal", "external", "unknown"])
PORTS = st.one_of(st.none(), st.integers(0, 65535))
FLOWS = st.fixed_dictionaries(
    {
        "start_time": TIMES,
        "end_time": TIMES,
        "src_ip": ADDRESSES,
        "dst_ip": ADDRESSES,
        "src_port": PORTS,
        "dst_port": PORTS,
        "protocol": st.one_of(st.sampled_from(["tcp", "udp", "icmp", "61", "sctp"]), TEXTS),
        "service": TEXTS,
        "src_bytes": COUNTS,
        "dst_bytes": COUNTS,
        "src_packets": COUNTS,
        "dst_packets": COUNTS,
        "flows": st.one_of(st.integers(0, 3), st.integers(0, 2**63 - 1)),
        "denied_flows": COUNTS,
        "reported_direction": WORDS,
        "state": TEXTS,
        "tcp_flags": TEXTS,
        "host": TEXTS,
        "src_payload_bytes": COUNTS,
        "dst_payload_bytes": COUNTS,
    }
)
SCHEMA = pa.schema(
    [
        *SCHEMA,
        pa.field("src_payload_bytes", pa.int64()),
        pa.field("dst_payload_bytes", pa.int64()),
    ]
)


def canonical(records: list[dict[str, Any]]) -> ft.Flows:
    columns = {
        field.name: pa.array([r[field.name] for r in records], _plain(field.type)).cast(field.type)
        for field in SCHEMA
    }
    return ft.read_flows(pa.table(columns, SCHEMA))


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.int64() if pa.types.is_timestamp(kind) else kind


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=150)
@given(records=st.lists(FLOWS, min_size=1, max_size=6))
def test_any_flows_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, format: str, records: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("out") / "flows"
    flows = canonical(records)
    assert len(flows) == len(records)
    written = ft.write_flows(flows, path, format=format)
    expected = flows.to_arrow()
    if format == "zeek":
        starts, ends = expected["start_time"], expected["end_time"]
        kept = pc.fill_null(pc.less_equal(starts, ends), False)
        lost = len(expected) - ends.null_count - pc.sum(kept).as_py()
        assert written.dropped == ({"end_time": lost} if lost else {})
        known = pc.if_else(kept, ends, pa.scalar(None, ends.type))
        expected = expected.set_column(expected.column_names.index("end_time"), "end_time", known)
    elif format == "asim":
        records = expected.to_pylist()
        for name in ("service", "state", "tcp_flags", "host"):
            missing = [r for r in records if r[name] in ("nan", "NaN", "None")]
            assert written.dropped.pop(name, 0) == len(missing)
            for record in missing:
                record[name] = None
        expected = pa.Table.from_pylist(records, expected.schema)
        assert not written.dropped
    else:
        assert not written.dropped
    assert rows(read_back(path, format)) == rows(expected)


def test_packed_text_by_the_ending(tmp_path: Path) -> None:
    day = sample.office_day()
    expected = rows(ft.read_flows(day))
    for name, magic in (("a.log.gz", b"\x1f\x8b"), ("a.zst", b"\x28\xb5\x2f\xfd")):
        ft.write_flows(day, tmp_path / name, format="zeek")
        assert (tmp_path / name).read_bytes().startswith(magic)
        assert rows(ft.read_flows(tmp_path / name)) == expected
    with pytest.raises(ArgumentError, match="compresses its columns"):
        ft.write_flows(day, tmp_path / "a.parquet.gz", format="parquet")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.log.gz", "a.zst"]
