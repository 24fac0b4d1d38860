"""The report as a gate: what it says of the rows, the same in all its forms."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.schema import SCHEMA
from stream_program import STREAM, run

START = datetime(2024, 12, 20, 18, tzinfo=UTC)


def flows(*rows: dict[str, Any]) -> ft.Flows:
    base = {"src_ip": "10.0.0.4", "dst_ip": "192.0.2.1", "flows": 1, "start_time": START}
    return ft.read_flows(pa.Table.from_pylist([base | row for row in rows], schema=SCHEMA))


def test_gaps_are_longer_than_two_records_and_five_minutes() -> None:
    def at(*minutes: float) -> list[dict[str, Any]]:
        return [{"start_time": START + timedelta(minutes=m)} for m in minutes]

    quality = flows(*at(0, 30, 4, 5, 26)).report.quality
    assert quality is not None
    assert quality.gaps == 1
    assert quality.longest_gap == (START + timedelta(minutes=5), START + timedelta(minutes=26))
    long = {"end_time": START + timedelta(minutes=11)}
    quality = flows(*at(4, 5, 26), long).report.quality
    assert quality is not None
    assert (quality.gaps, quality.max_record_duration) == (0, timedelta(minutes=11))


def test_nulls_repeats_and_one_way_rows_are_counted() -> None:
    row = {"src_bytes": 5, "dst_bytes": 0, "protocol": "tcp"}
    both = {"src_bytes": 5, "dst_bytes": 7}
    quality = flows(row, row, both, {"start_time": None}).report.quality
    assert quality is not None
    assert (quality.repeats, quality.unidirectional) == (1, 2)
    assert quality.nulls["start_time"] == 1
    assert quality.nulls["src_bytes"] == 1
    assert quality.nulls["protocol"] == 2
    assert "service" in quality.empty
    assert "src_bytes" not in quality.empty


def test_the_report_says_the_same_as_text_html_and_dictionary() -> None:
    read = flows({"src_bytes": 5}, {"src_bytes": 5})
    told = read.report.to_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["quality"]["repeats"] == 1
    for shown in (str(read.report), read._repr_html_()):
        assert "Repeated rows" in shown
        assert "service" in shown
    empty = ft.read_flows(SCHEMA.empty_table()).report
    assert empty.to_dict()["quality"]["empty"] == []
    assert "Rows read" in str(empty)


def test_limits_of_a_format_are_told_and_hostile_text_is_escaped() -> None:
    record = {
        "interface-id": "<b>eni</b>",
        "srcaddr": "10.0.0.4",
        "dstaddr": "192.0.2.1",
        "log-status": "<script>",
    }
    report = ft.read_flows(pa.Table.from_pylist([record, record | {"log-status": "OK"}])).report
    assert "stitch=True merges them" in str(report)
    assert report.skipped == {"log-status <script>": 1}
    assert "&lt;script&gt;" in report._repr_html_()
    assert "<script>" not in report._repr_html_()


LOGS = (
    "zeek/zat_conn.log",
    "zeek/vast_m57_conn.log.gz",
    "suricata/alaajili_2022_eve.json",
    "netflow/slips_test1.nfdump171.csv",
    "aws_vpc/drewpy_eks_2024-12-20_cwlogs.txt",
    "azure_nsg/danifitz_2020_PT1H.json",
    "azure_vnet/csp451_2026_PT1H.json",
    "azure_nta/az_net_flows_2019-02-12_13.csv",
    "argus/slips_test3-mixed.binetflow",
)


@pytest.mark.parametrize("log", LOGS)
def test_a_log_that_passes_by_is_reported_as_one_that_is_kept(shared: Path, log: str) -> None:
    kept = ft.read_flows(shared / log).report
    assert ft.flow_report(shared / log).to_dict() == kept.to_dict()
    assert str(ft.flow_report(shared / log)) == str(kept)


def test_several_sources_pass_by_as_one(shared: Path) -> None:
    sources = [shared / LOGS[0], sample.office_day(), shared / LOGS[3]]
    late = ("2013-09-15T23:46", None)
    kept = ft.read_flows(sources, timespan=late).report
    assert ft.flow_report(sources, timespan=late).to_dict() == kept.to_dict()
    assert kept.rows_outside > 0


def test_counts_are_those_of_a_naive_count() -> None:
    dice = random.Random(7)
    table = pa.Table.from_pylist(
        [
            {
                "src_ip": f"10.0.0.{dice.randrange(3)}",
                "dst_ip": dice.choice(["192.0.2.1", "2001:db8::1"]),
                "start_time": START + timedelta(minutes=dice.randrange(40)),
                "src_bytes": dice.choice([None, 0, 5]),
                "dst_packets": dice.choice([None, 0, 5]),
                "state": dice.choice([None, "SF"]),
                "flows": 1,
            }
            for _ in range(2_000)
        ],
        schema=SCHEMA,
    )
    rows = table.to_pylist()
    seen = Counter(tuple(sorted(row.items(), key=lambda item: item[0])) for row in rows)
    quality = ft.read_flows(table).report.quality
    assert quality is not None
    assert quality.repeats == len(rows) - len(seen)
    assert quality.unidirectional == sum(
        bool(row["src_bytes"]) != bool(row["dst_packets"]) for row in rows
    )
    assert quality.nulls == {name: table[name].null_count for name in SCHEMA.names}
    parts = ds.dataset([ds.dataset(table.slice(n, 400)) for n in range(0, 2_000, 400)])
    assert ft.flow_report(parts).quality == quality


@pytest.mark.slow
def test_the_report_of_a_log_takes_little_memory(tmp_path: Path) -> None:
    day = sample.office_day()
    path = tmp_path / "flows.parquet"
    with pq.ParquetWriter(path, day.schema) as writer:
        for _ in range(600):
            writer.write_table(day)
    code = f"""{STREAM}
ft.flow_report(stream(1))
before = peak()
report = ft.flow_report({str(path)!r})
print(report.records, report.quality.repeats, peak() - before)
"""
    flows, repeats, grown = map(int, run(code).split())
    assert flows == 600 * day.num_rows
    assert repeats == 599 * day.num_rows
    assert grown < 700 << 20
