"""Columns that the caller names, and columns of the source that are kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from flowtriage.errors import ArgumentError, FormatError, InputError

COLUMNS = {
    "start_time": ("When", "ms"),
    "duration": ("Took", "ms"),
    "src_ip": "Client",
    "dst_ip": "Server",
    "dst_port": "Port",
    "protocol": "Proto",
    "src_bytes": "Up",
}
RECORDS = [
    {
        "When": 1_700_000_000_123,
        "Took": 1500,
        "Client": "10.0.0.1",
        "Server": "2001:db8::1",
        "Port": 443,
        "Proto": 6,
        "Up": 10,
        "Rule": "allow web",
        "Score": 0.5,
    },
    {
        "When": 1_700_000_001_000,
        "Took": None,
        "Client": "10.0.0.2",
        "Server": "192.0.2.1",
        "Port": None,
        "Proto": 17,
        "Up": None,
        "Rule": None,
        "Score": None,
    },
]


@pytest.fixture
def table() -> pa.Table:
    return pa.Table.from_pylist(RECORDS)


def as_csv(table: pa.Table, null: str) -> str:
    rows = [[null if v is None else str(v) for v in row.values()] for row in table.to_pylist()]
    return "\n".join(",".join(row) for row in [table.column_names, *rows]) + "\n"


def test_named_columns_give_the_same_flows_from_every_source(
    table: pa.Table, tmp_path: Path
) -> None:
    for null in ("", "-", "NaN"):
        (tmp_path / f"flows{null}.csv").write_text(as_csv(table, null))
    (tmp_path / "flows.json").write_text("\n".join(map(json.dumps, RECORDS)))
    pq.write_table(table, tmp_path / "flows.parquet")
    expected = {
        "start_time": [
            datetime(2023, 11, 14, 22, 13, 20, 123_000, UTC),
            datetime(2023, 11, 14, 22, 13, 21, 0, UTC),
        ],
        "end_time": [datetime(2023, 11, 14, 22, 13, 21, 623_000, UTC), None],
        "src_ip": ["10.0.0.1", "10.0.0.2"],
        "dst_ip": ["2001:db8::1", "192.0.2.1"],
        "dst_port": [443, None],
        "protocol": ["tcp", "udp"],
        "src_bytes": [10, None],
        "flows": [1, 1],
        "service": [None, None],
    }
    for source in (table, *sorted(tmp_path.iterdir())):
        flows = ft.read_flows(source, columns=COLUMNS)
        assert flows.report.format == "columns"
        assert flows.to_arrow().select(expected).to_pydict() == expected, source


def test_named_columns_of_a_dataframe(table: pa.Table) -> None:
    pandas = pytest.importorskip("pandas")
    frame = table.to_pandas()
    expected = ft.read_flows(table, columns=COLUMNS).to_arrow()
    assert ft.read_flows(frame, columns=COLUMNS).to_arrow().equals(expected)
    frame["When"] = pandas.to_datetime(frame["When"], unit="ms")
    times = {**COLUMNS, "start_time": "When"}
    assert ft.read_flows(frame, columns=times).to_arrow().equals(expected)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"src_address": "a", "dst_ip": "b"}, "'src_address', which is not a canonical column"),
        ({"src_prt": "p", "src_ip": "a", "dst_ip": "b"}, "did you mean .*src_port"),
        ({"src_ip": "a"}, "no column for dst_ip"),
        ({"src_ip": "a", "dst_ip": "b", "start_time": ("t", "ns")}, "give one of s, ms, us"),
        ({"src_ip": "a", "dst_ip": ("b", "s")}, "a unit for dst_ip"),
        ({"src_ip": "a", "dst_ip": "b", "src_port": ("p", "s")}, "a unit for src_port"),
        ({"src_ip": "a", "dst_ip": "b", "end_time": "e", "duration": "d"}, "both duration and"),
    ],
)
def test_a_mapping_that_cannot_be(
    table: pa.Table, columns: dict[str, str | tuple[str, str]], message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        ft.read_flows(table, columns=columns)


def test_a_mapping_to_columns_that_are_not_there(table: pa.Table, tmp_path: Path) -> None:
    columns = {**COLUMNS, "src_ip": "cleint", "dst_bytes": "Down"}
    path = tmp_path / "flows.csv"
    path.write_text(as_csv(table, ""))
    for source in (table, path):
        with pytest.raises(FormatError, match="lacks .*cleint") as caught:
            ft.read_flows(source, columns=columns)
        assert "For 'cleint' did you mean Client, " in str(caught.value)
        assert "Down" in str(caught.value)
    with pytest.raises(ArgumentError, match="not both"):
        ft.read_flows(table, columns=COLUMNS, format="zeek")


def test_kept_columns_have_their_own_types_in_tables_and_are_text_in_text(
    table: pa.Table, tmp_path: Path
) -> None:
    path = tmp_path / "flows.csv"
    path.write_text(as_csv(table, ""))
    kept = ft.read_flows(table, columns=COLUMNS, keep=["rule", "Score"]).to_arrow()
    assert kept.column_names[-2:] == ["Rule", "Score"]
    assert kept.schema.field("Score").type == pa.float64()
    assert kept["Score"].to_pylist() == [0.5, None]
    text = ft.read_flows(path, columns=COLUMNS, keep=["Rule", "score"]).to_arrow()
    assert text.select(["Rule", "Score"]).to_pylist() == [
        {"Rule": "allow web", "Score": "0.5"},
        {"Rule": None, "Score": None},
    ]
    with pytest.raises(ArgumentError, match="'Colour', but no source has this column"):
        ft.read_flows(table, columns=COLUMNS, keep=["Colour"])
    with pytest.raises(InputError, match="different types"):
        ft.read_flows([table, path], columns=COLUMNS, keep=["Score"])


def test_everything_kept_stands_after_the_canonical_columns(table: pa.Table) -> None:
    plain = ft.read_flows(table, columns=COLUMNS).to_arrow()
    flows = ft.read_flows(table, columns=COLUMNS, keep=True).to_arrow()
    assert flows.select(plain.column_names).equals(plain)
    assert flows.column_names[len(plain.column_names) :] == sorted(table.column_names)
    assert flows.select(table.column_names).equals(table.combine_chunks())


def test_a_kept_column_whose_name_is_taken(table: pa.Table) -> None:
    named = table.append_column("service", pa.array(["own", None]))
    flows = ft.read_flows(named, columns=COLUMNS, keep=["service"]).to_arrow()
    assert flows["service"].to_pylist() == [None, None]
    assert flows["service_source"].to_pylist() == ["own", None]
    flows = ft.read_flows(flows, keep=True).to_arrow()
    assert flows["service_source"].to_pylist() == ["own", None]
    assert "service_source_source" not in flows.column_names


def test_an_empty_table_keeps_its_columns(table: pa.Table) -> None:
    flows = ft.read_flows(table.slice(0, 0), columns=COLUMNS, keep=["Score"]).to_arrow()
    assert (flows.num_rows, flows.schema.field("Score").type) == (0, pa.float64())


def test_kept_columns_follow_their_record_through_expansion_and_bad_rows() -> None:
    table = pa.table(
        {
            "FlowStartTime": ["2024-01-01T00:00:00Z"] * 3,
            "VMIPAddress": ["10.0.0.1"] * 3,
            "PublicIPs": ["192.0.2.1,192.0.2.2", "no address", "192.0.2.3"],
            "FlowDirection": ["O"] * 3,
            "AllowedOutFlows": [1, 1, 1],
            "AllowedInFlows": [0, 0, 0],
            "VMRegion": ["east", "bad", "west"],
        }
    )
    flows = ft.read_flows(table, keep=["VMRegion"])
    assert flows.report.rows_bad == 1
    assert flows.to_arrow().select(["dst_ip", "VMRegion"]).to_pylist() == [
        {"dst_ip": "192.0.2.1", "VMRegion": "east"},
        {"dst_ip": "192.0.2.2", "VMRegion": "east"},
        {"dst_ip": "192.0.2.3", "VMRegion": "west"},
    ]


def test_all_of_a_zeek_log_is_kept(shared: Path, zat: Path) -> None:
    flows = ft.read_flows(zat, keep=True).to_arrow()
    assert {"uid", "history", "id.orig_h", "local_orig"} <= set(flows.column_names)
    first = next(row for row in zat.read_text().splitlines() if not row.startswith("#"))
    assert flows["uid"][0].as_py() == first.split("\t")[1]
    json_log = shared / "zeek" / "zat_conn.json.log"
    record = json.loads(json_log.read_text().splitlines()[0])
    kept = ft.read_flows(json_log, keep=True).to_arrow()
    assert kept["uid"][0].as_py() == record["uid"]
    assert kept["history"][0].as_py() == record.get("history")
    assert ft.read_flows(json_log, keep="uid").to_arrow()["uid"].null_count == 0


def test_the_columns_of_an_azure_table_are_kept(shared: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(shared / "azure_nta" / "az_net_flows_2019-02-12_13.csv")
    flows = ft.read_flows(frame, keep=["AllExtIPs", "TotalAllowedFlows", "ResourceGroup"])
    table = flows.to_arrow()
    assert len(flows) == 336
    assert table["TotalAllowedFlows"].to_pylist() == frame["TotalAllowedFlows"].tolist()
    groups = frame["ResourceGroup"].astype(object).where(frame["ResourceGroup"].notna(), None)
    assert table["ResourceGroup"].to_pylist() == groups.tolist()
