"""Reading logs: real ones against their known counts, and every form of one log."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from flowtriage import sample

BOTH_WAYS = ("src_bytes", "dst_bytes")
WHOLE_DAY = 86_400


def total_bytes(table: pa.Table) -> int:
    return sum(pc.sum(table[name]).as_py() or 0 for name in BOTH_WAYS)


def addresses(table: pa.Table) -> set[str]:
    return {*table["src_ip"].to_pylist(), *table["dst_ip"].to_pylist()}


def test_zat_has_its_known_rows_bytes_addresses_and_asns(shared: Path, zat: Path) -> None:
    flows = ft.read_flows(zat)
    assert flows.report.format == "zeek"
    assert (flows.report.rows_read, flows.report.rows_bad, len(flows)) == (360, 0, 360)
    assert total_bytes(flows.to_arrow()) == 5_498_993
    found = ft.AsnDatabase(shared / "mmdb" / "asn.mmdb").lookup(sorted(addresses(flows.to_arrow())))
    public = found.filter(pc.equal(found["ip_type"], "Public"))
    assert (found.num_rows, public.num_rows) == (249, 244)
    assert pc.count_distinct(found["asn"]).as_py() == 171
    assert flows.report.start is not None
    assert flows.report.start.replace(microsecond=0) == datetime(
        2013, 9, 15, 23, 44, 10, tzinfo=UTC
    )


def test_m57_has_its_known_rows_and_conserves_its_sums(shared: Path) -> None:
    flows = ft.read_flows(shared / "zeek" / "vast_m57_conn.log.gz").to_arrow()
    assert flows.num_rows == 8_462
    assert len(addresses(flows)) == 432
    assert pc.sum(pc.equal(flows["dst_port"], 80)).as_py() == 2_730
    host = "192.168.1.104"
    either = pc.or_(pc.equal(flows["src_ip"], host), pc.equal(flows["dst_ip"], host))
    assert pc.sum(either).as_py() == 2_821
    index = ft.flow_index(flows)
    for table in (index, ft.flow_summary(index, asn=shared / "mmdb" / "asn.mmdb")):
        assert pc.sum(table["TotalAllowedFlows"]).as_py() == 8_462
        for name in ("src_bytes", "dst_bytes", "src_packets", "dst_packets"):
            assert pc.sum(table[name]).as_py() == pc.sum(flows[name]).as_py()


@pytest.mark.parametrize(
    ("name", "rows", "distinct"),
    [
        ("zat_conn.json.log", 50, 5),
        ("vast_ctu_conn.log.json.gz", 729, 365),
        ("otrf_apt29_day1_NASHUA_conn.log", 479, None),
        ("zat_conn_date_issue.log", 3, None),
        ("vast_example_conn.log.gz", 23, None),
    ],
)
def test_other_zeek_logs_have_their_known_rows(
    shared: Path, name: str, rows: int, distinct: int | None
) -> None:
    flows = ft.read_flows(shared / "zeek" / name)
    assert (len(flows), flows.report.rows_bad, flows.report.format) == (rows, 0, "zeek")
    assert flows.to_arrow()["start_time"].null_count == 0
    if distinct is not None:
        assert len(addresses(flows.to_arrow())) == distinct


def test_zeek_values_equal_those_of_the_raw_log(zat: Path) -> None:
    with zat.open(newline="") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    names = next(line[1:] for line in lines if line[0] == "#fields")
    raw = [dict(zip(names, line, strict=True)) for line in lines if not line[0].startswith("#")]
    rows = ft.read_flows(zat).to_arrow().to_pylist()
    for expected, row in zip(raw, rows, strict=True):
        assert row["src_ip"] == expected["id.orig_h"]
        assert row["dst_port"] == int(expected["id.resp_p"])
        assert row["protocol"] == expected["proto"]
        assert row["service"] == (None if expected["service"] == "-" else expected["service"])
        assert row["state"] == expected["conn_state"]
        assert row["src_bytes"] == int(expected["orig_ip_bytes"])
        assert f"{row['start_time'].timestamp():.6f}" == expected["ts"]
        payload = expected["orig_bytes"]
        assert row["src_payload_bytes"] == (None if payload == "-" else int(payload))


def as_json(tsv: Path, iso: bool, key: Callable[[str], str]) -> str:
    """The records of a Zeek TSV log as JSON lines."""
    lines = [line.split("\t") for line in tsv.read_text().splitlines()]
    names = next(line[1:] for line in lines if line[0] == "#fields")
    types = next(line[1:] for line in lines if line[0] == "#types")
    out = []
    for line in lines:
        if line[0].startswith("#"):
            continue
        parts = []
        for name, kind, value in zip(names, types, line, strict=True):
            if value in ("-", "(empty)"):
                continue
            if name == "ts" and iso:
                whole, fraction = value.split(".")
                value = f"{datetime.fromtimestamp(int(whole), UTC):%Y-%m-%dT%H:%M:%S}.{fraction}Z"
                kind = "string"
            number = kind in ("time", "interval", "count", "port")
            parts.append(f"{json.dumps(key(name))}:{value if number else json.dumps(value)}")
        out.append("{" + ",".join(parts) + "}")
    return "\n".join(out) + "\n"


def forms_of_a_log(tsv: Path, folder: Path) -> dict[str, Any]:
    underscores = as_json(tsv, False, lambda name: name.replace(".", "_"))
    texts = {
        "json": as_json(tsv, False, str),
        "json-underscores": underscores,
        "json-iso": as_json(tsv, True, str),
        "crlf": tsv.read_text().replace("\n", "\r\n"),
        "bom": "\ufeff" + tsv.read_text(),
    }
    forms: dict[str, Any] = {}
    for name, text in texts.items():
        for packed in (False, True):
            path = folder / f"{name}{'.gz' if packed else ''}.log"
            content = text.encode()
            path.write_bytes(gzip.compress(content) if packed else content)
            forms[path.name] = path
    two = folder / "two-members.log.gz"
    content = tsv.read_bytes()
    cut = content.index(b"\n", len(content) // 2) + 1
    two.write_bytes(gzip.compress(content[:cut]) + gzip.compress(content[cut:]))
    return {**forms, two.name: two}


def test_every_text_form_of_a_log_gives_the_same_tables(zat: Path, tmp_path: Path) -> None:
    expected = ft.read_flows(zat)
    forms = forms_of_a_log(zat, tmp_path)
    assert len(forms) == 11
    for name, form in forms.items():
        flows = ft.read_flows(form)
        assert flows.report.rows_bad == 0, name
        assert flows.to_arrow().equals(expected.to_arrow()), name


def test_every_arrow_producer_gives_the_same_tables(zat: Path, tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    flows = ft.read_flows(zat)
    table = flows.to_arrow()
    pq.write_table(table, tmp_path / "flows.parquet")
    with (
        pa.OSFile(str(tmp_path / "flows.arrow"), "wb") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        writer.write_table(table)
    encoded = table.set_column(
        table.column_names.index("service"), "service", table["service"].dictionary_encode()
    )
    frame = table.to_pandas()
    forms = {
        "flows": flows,
        "pyarrow": table,
        "reader": table.to_reader(max_chunksize=11),
        "dictionary": encoded,
        "pandas": frame,
        "pandas-categorical": frame.astype({"service": "category", "src_ip": "category"}),
        "polars": polars.DataFrame(table),
        "parquet": tmp_path / "flows.parquet",
        "arrow": str(tmp_path / "flows.arrow"),
        "list": [table.slice(0, 100), table.slice(100)],
    }
    verbs: list[Callable[[Any], pa.Table]] = [
        ft.flow_index,
        ft.flow_summary,
        lambda f: ft.timeline(f, by="FlowDirection"),
        lambda f: ft.top_n(f, key=["dest", "dst_port"], by="bytes"),
    ]
    expected = [verb(table) for verb in verbs]
    for name, form in forms.items():
        if name == "reader":
            assert ft.flow_index(form).equals(expected[0])
            continue
        for verb, result in zip(verbs, expected, strict=True):
            assert verb(form).equals(result), name
        assert ft.read_flows(form).to_arrow().select(table.column_names).equals(table), name


AZURE = "azure_nta/az_net_flows_2019-02-12_13.csv"


def test_azure_totals_equal_those_of_the_file(shared: Path) -> None:
    with (shared / AZURE).open(newline="") as file:
        raw = list(csv.DictReader(file))
    flows = ft.read_flows(shared / AZURE)
    assert flows.report.format == "azure-network-analytics"
    assert (flows.report.rows_read, flows.report.rows_bad) == (336, 0)
    total = sum(int(float(r["AllowedInFlows"]) + float(r["AllowedOutFlows"])) for r in raw)
    index = ft.flow_index(flows)
    assert pc.sum(index["TotalAllowedFlows"]).as_py() == total == 2300
    assert pc.sum(ft.flow_summary(index)["TotalAllowedFlows"]).as_py() == total
    assert set(index["FlowDirection"].to_pylist()) == {"I", "O"}
    inbound = flows.to_arrow().filter(pc.equal(flows.to_arrow()["src_ip"], "131.107.147.209"))
    assert inbound["dst_ip"].unique().to_pylist() == ["10.0.3.5"]
    assert inbound["reported_direction"].unique().to_pylist() == ["inbound"]


def test_azure_frames_parquet_and_csv_agree(shared: Path, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(
        shared / AZURE, parse_dates=["FlowStartTime", "FlowEndTime"], keep_default_na=True
    )
    frame.to_parquet(tmp_path / "flows.parquet")
    expected = ft.read_flows(shared / AZURE).to_arrow()
    assert ft.read_flows(frame).to_arrow().equals(expected)
    assert ft.read_flows(tmp_path / "flows.parquet").to_arrow().equals(expected)
    raw = frame.rename(columns={"L7Protocol": "L7Protocol_s", "SrcIP": "SrcIP_s"})
    assert ft.read_flows(raw).to_arrow().equals(expected)


@pytest.mark.parametrize(
    "peers",
    [
        ["192.0.2.1", "192.0.2.2"],
        "['192.0.2.1', '192.0.2.2']",
        '["192.0.2.1","192.0.2.2"]',
        "192.0.2.1,192.0.2.2",
    ],
)
def test_azure_rows_with_several_peers_become_a_flow_each(peers: Any) -> None:
    row = {
        "FlowStartTime": datetime(2019, 2, 12, tzinfo=UTC),
        "VMIPAddress": "10.0.3.5",
        "PublicIPs": peers,
        "FlowDirection": "I",
        "L4Protocol": "T",
        "AllowedInFlows": 3.0,
        "AllowedOutFlows": 0.0,
    }
    flows = ft.read_flows(pa.Table.from_pylist([row]))
    table = flows.to_arrow()
    assert table["src_ip"].to_pylist() == ["192.0.2.1", "192.0.2.2"]
    assert table["dst_ip"].to_pylist() == ["10.0.3.5"] * 2
    assert table["flows"].to_pylist() == [3, 3]
    assert table["protocol"].to_pylist() == ["tcp"] * 2
    assert flows.report.rows_expanded == 1
    assert "several peers" in str(flows.report)


def test_azure_frames_hold_peers_as_lists_and_missing_values() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "FlowStartTime": pandas.to_datetime(["2019-02-12T00:00:00.123Z"] * 3),
            "VMIPAddress": ["10.0.3.5", "10.0.3.5", float("nan")],
            "PublicIPs": [["192.0.2.1", "192.0.2.2"], ["192.0.2.3"], float("nan")],
            "SrcIP": [float("nan"), None, "10.0.3.4"],
            "DestIP": [float("nan"), "", "10.0.3.5"],
            "FlowDirection": ["O", "I", "I"],
            "L7Protocol": ["https", float("nan"), "ssh"],
            "AllowedInFlows": [0, 2, 3],
            "AllowedOutFlows": [1.0, float("nan"), 0.0],
        }
    )
    table = ft.read_flows(frame).to_arrow()
    assert table["src_ip"].to_pylist() == ["10.0.3.5", "10.0.3.5", "192.0.2.3", "10.0.3.4"]
    assert table["dst_ip"].to_pylist() == ["192.0.2.1", "192.0.2.2", "10.0.3.5", "10.0.3.5"]
    assert table["service"].to_pylist() == ["https", "https", None, "ssh"]
    assert table["flows"].to_pylist() == [1, 1, 2, 3]
    assert table["start_time"][0].as_py().microsecond == 123_000


def test_timespan_filters_and_tells_what_was_left_out(zat: Path) -> None:
    class TimeSpan:
        start = datetime(2013, 9, 15, 23, 45)
        end = datetime(2013, 9, 15, 23, 46)

    whole = ft.read_flows(zat).to_arrow()["start_time"].to_pylist()
    first, last = (t.replace(tzinfo=UTC) for t in (TimeSpan.start, TimeSpan.end))
    expected = [t for t in whole if first <= t <= last]
    for span in (TimeSpan(), (first, last), ("2013-09-15T23:45", "2013-09-15T23:46:00Z")):
        flows = ft.read_flows(zat, timespan=span)
        assert flows.to_arrow()["start_time"].to_pylist() == expected
        assert flows.report.rows_outside == 360 - len(expected)
    assert 0 < len(expected) < 360


def test_logs_with_other_records_give_flows_only(tmp_path: Path) -> None:
    lines = [
        {
            "_path": "conn",
            "ts": 1.0,
            "id.orig_h": "10.0.0.1",
            "id.resp_h": "10.0.0.2",
            "proto": "tcp",
            "conn_state": "SF",
        },
        {
            "_path": "dns",
            "ts": 1.0,
            "id.orig_h": "10.0.0.1",
            "id.resp_h": "10.0.0.2",
            "proto": "udp",
        },
        {
            "ts": 2.0,
            "id.orig_h": "10.0.0.3",
            "id.resp_h": "10.0.0.2",
            "proto": "17",
            "conn_state": "SF",
        },
    ]
    path = tmp_path / "mixed.log"
    path.write_text("\n".join(map(json.dumps, lines)))
    flows = ft.read_flows(path)
    assert flows.to_arrow()["src_ip"].to_pylist() == ["10.0.0.1", "10.0.0.3"]
    assert flows.to_arrow()["protocol"].to_pylist() == ["tcp", "udp"]
    assert (flows.report.rows_skipped, flows.report.rows_read) == (1, 3)


def test_several_sources_are_joined_and_all_named(zat: Path, shared: Path) -> None:
    flows = ft.read_flows([zat, str(shared / "zeek" / "zat_conn.json.log"), sample.office_day()])
    assert len(flows) == 360 + 50 + sample.office_day().num_rows
    assert len(flows.report.sources) == 3
    assert flows.report.format == "canonical, zeek"


def test_the_report_is_shown_with_the_flows(shared: Path) -> None:
    flows = ft.read_flows(shared / "zeek" / "broken" / "truncated_conn.log")
    for shown in (repr(flows), flows._repr_html_()):
        assert "zeek" in shown
        assert "line 67" in shown
        assert "2018-01-30" in shown
    told = flows.report.to_dict()
    assert (told["rows_read"], told["rows_bad"]) == (59, 1)
    json.dumps(told)


def test_large_logs_are_read_in_blocks_with_right_line_numbers(zat: Path, tmp_path: Path) -> None:
    text = zat.read_text()
    header = "".join(line for line in text.splitlines(True) if line.startswith("#"))
    body = "".join(line for line in text.splitlines(True) if not line.startswith("#"))
    times = 1 + (20 << 20) // len(body)
    path = tmp_path / "large.log"
    bad = "1379288667.7\tC1\tnot-an-address\t1\t10.0.0.1\t2" + "\t-" * 14 + "\n"
    path.write_text(header + body * times + bad + body)
    flows = ft.read_flows(path)
    assert len(flows) == 360 * (times + 1)
    (row,) = flows.report.bad_rows
    assert row.number == header.count("\n") + 360 * times + 1
    assert (row.column, row.value) == ("id.orig_h", "not-an-address")
    assert total_bytes(flows.to_arrow()) == 5_498_993 * (times + 1)


def test_quoted_line_ends_do_not_break_records(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    path.write_text(
        "start_time,src_ip,dst_ip,service,flows\n"
        '2024-01-01T00:00:00Z,10.0.0.1,10.0.0.2,"two\nlines, one ""value""",1\n'
        "2024-01-01T00:00:00Z,10.0.0.300,10.0.0.2,,1\n"
    )
    flows = ft.read_flows(path)
    assert flows.to_arrow()["service"].to_pylist() == ['two\nlines, one "value"']
    assert flows.report.bad_rows[0].number == 4


def test_a_day_of_the_sample_reads_back_from_csv(tmp_path: Path) -> None:
    import pyarrow.csv as pacsv

    table = sample.office_day()
    pacsv.write_csv(table, tmp_path / "day.csv")
    again = ft.read_flows(tmp_path / "day.csv").to_arrow()
    assert again.select(table.column_names).equals(table)
    span = pc.max(again["start_time"]).as_py() - pc.min(again["start_time"]).as_py()
    assert span.total_seconds() < WHOLE_DAY
