"""JSON logs whose columns first appear after the objects that are sampled, and text sequences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft
from flowtriage.formats import FORMATS
from flowtriage.formats.declaration import Format
from small_logs import ocsf

ROWS = 300
SAMPLED = 200
LATER: dict[str, tuple[str, Any, str, Any]] = {
    "a preferred time": ("start_time_dt", "2026-03-02T00:00:00Z", "start_time", 1772409600),
    "a preferred protocol": ("connection_info", {"protocol_num": 17}, "protocol", "udp"),
    "another protocol": ("connection_info", {"protocol_name": "UDP"}, "protocol", "udp"),
    "a service": ("dst_endpoint", {"ip": "1.1.1.1", "svc_name": "dns"}, "service", "dns"),
    "a host": ("device", {"ip": "10.0.0.9"}, "host", "10.0.0.9"),
    "bytes": ("traffic", {"bytes_out": 7}, "src_bytes", 7),
}


@pytest.mark.parametrize("name", LATER)
def test_ocsf_columns_that_appear_late_are_read(tmp_path: Path, name: str) -> None:
    key, value, column, expected = LATER[name]
    plain = {"time": 1772409700000}
    late = plain | {key: value}
    log = ocsf(tmp_path / "ocsf.json", *[plain] * (ROWS - 1), late)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines[:-1]:
        line.pop(key, None) if key not in ("dst_endpoint",) else None
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    flows = ft.read_flows(log)
    assert (len(flows), flows.report.rows_bad) == (ROWS, 0)
    found = flows.to_arrow()[column]
    last = found[-1].as_py()
    assert (last.timestamp() if column == "start_time" else last) == expected
    assert found[0].as_py() != last


ZEEK = {"ts": 1.0, "id.orig_h": "10.0.0.1", "id.resp_h": "8.8.8.8", "conn_state": "SF"}
NTA = {
    "SubType": "FlowLog",
    "FlowStartTime": "2024-12-20T18:23:02Z",
    "FlowDirection": "Inbound",
    "FlowStatus": "Allowed",
    "DestIp": "10.0.0.4",
    "AllowedInFlows": 5,
    "AclRule": "web",
}
CHOICES = [
    (ZEEK, {"ts": 2.0, "id_orig_h": "10.0.0.2", "id_resp_h": "9.9.9.9"}, "10.0.0.2"),
    (NTA | {"SrcIp": "10.0.0.1"}, NTA | {"SrcPublicIps": "192.0.2.1"}, "192.0.2.1"),
]


@pytest.mark.parametrize(("first", "late", "source"), CHOICES)
def test_addresses_that_appear_late_are_read(
    tmp_path: Path, first: dict[str, Any], late: dict[str, Any], source: str
) -> None:
    log = tmp_path / "log.json"
    log.write_text("".join(f"{json.dumps(row)}\n" for row in [first] * (ROWS - 1) + [late]))
    flows = ft.read_flows(log)
    assert (len(flows), flows.report.rows_bad) == (ROWS, 0)
    assert flows.to_arrow()["src_ip"].to_pylist()[-2:] == ["10.0.0.1", source]


def test_a_missing_address_is_that_of_the_columns_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    row = {"ts": 1.0, "id_orig_h": "10.0.0.1", "id_resp_h": "8.8.8.8", "conn_state": "SF"}
    log.write_text(f"{json.dumps(row)}\n{json.dumps(row | {'id_resp_h': None})}\n")
    [bad] = ft.read_flows(log).report.bad_rows
    assert (bad.number, bad.column) == (2, "id_resp_h")


def alternatives() -> list[tuple[Format, str, str]]:
    """Pairs of columns of one canonical column, each alone in its choice."""
    found = []
    for format in FORMATS:
        for column in format.columns:
            single = [group[0] for group in column.groups() if len(group) == 1]
            if column.target not in ("direction", "direction_reason"):
                found += [(format, single[0], other) for other in single[1:]]
    return found


@pytest.mark.parametrize(
    ("format", "one", "other"), alternatives(), ids=lambda value: getattr(value, "name", value)
)
def test_every_declared_alternative_is_bound_in_a_sparse_log(
    format: Format, one: str, other: str
) -> None:
    base = [item if isinstance(item, str) else item[0] for item in format.signature]
    base += [format.endpoints[0].source, format.endpoints[0].dest]
    for found in ([*base, one], [*base, other], base):
        columns = format.bind(found, sparse=True).columns()
        assert {one, other} <= columns


def sequence(*rows: dict[str, Any], end: str = "\n", indent: int | None = None) -> bytes:
    return "".join(f"\x1e{json.dumps(row, indent=indent)}{end}" for row in rows).encode()


@pytest.mark.parametrize("rows", [1, 3, ROWS])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_json_text_sequences_are_read(
    tmp_path: Path, rows: int, indent: int | None, end: str
) -> None:
    log = tmp_path / "log.json-seq"
    log.write_bytes(sequence(*[ZEEK] * rows, end=end, indent=indent))
    flows = ft.read_flows(log)
    assert (flows.report.format, len(flows), flows.report.rows_bad) == ("zeek", rows, 0)


def test_a_truncated_record_of_a_sequence_is_a_bad_row(tmp_path: Path) -> None:
    log = tmp_path / "log.json-seq"
    log.write_bytes(sequence(ZEEK) + b'\x1e{"ts":1.0,"id.or\n\x1e\x1e' + sequence(ZEEK)[1:])
    flows = ft.read_flows(log)
    assert (len(flows), flows.report.rows_bad) == (2, 1)
    assert flows.report.bad_rows[0].number == 2


SUFFIXED = {
    "SubType_s": "FlowLog",
    "FlowStartTime_t": "2024-12-20T18:23:02Z",
    "FlowDirection_s": "O",
    "FlowStatus_s": "A",
    "AllowedOutFlows_d": 5.0,
    "VMIP_s": "10.0.0.4",
    "PublicIPs_s": "192.0.2.1",
}
LATE_SUFFIXED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"SrcIP_s": "10.0.0.1", "DestIP_s": "10.0.0.2"}, {"src_ip": "10.0.0.1", "flows": 5}),
    ({"FlowEndTime_t": "2024-12-20T18:25:02Z"}, {"end_time": "2024-12-20 18:25:02+00:00"}),
    ({"DestPort_d": 443.0}, {"dst_port": 443}),
    ({"L4Protocol_s": "T", "L7Protocol_s": "https"}, {"protocol": "tcp", "service": "https"}),
    ({"DeniedOutFlows_d": 7.0}, {"denied_flows": 7}),
    ({"VMName_s": "web01"}, {"host": "web01"}),
]


@pytest.mark.parametrize(("late", "expected"), LATE_SUFFIXED)
@pytest.mark.parametrize("is_array", [True, False])
def test_suffixed_columns_that_appear_late_are_read(
    tmp_path: Path, late: dict[str, Any], expected: dict[str, Any], *, is_array: bool
) -> None:
    last = SUFFIXED | late
    if "SrcIP_s" in late:
        last = {n: v for n, v in last.items() if n not in ("VMIP_s", "PublicIPs_s")}
    rows = [*[SUFFIXED] * (ROWS - 1), last]
    log = tmp_path / "log.json"
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    log.write_text(json.dumps(rows) if is_array else lines)
    flows = ft.read_flows(log)
    assert (flows.report.format, len(flows), flows.report.rows_bad) == (
        "azure-network-analytics",
        ROWS,
        0,
    )
    found = flows.to_arrow().to_pylist()[-1]
    assert {n: str(found[n]) for n in expected} == {n: str(v) for n, v in expected.items()}
    before = flows.to_arrow().to_pylist()[0]
    assert before["src_ip"] == "10.0.0.4"
    assert all(before[name] is None for name in expected if name not in ("src_ip", "flows"))


def test_other_flows_that_appear_late_are_skipped(tmp_path: Path) -> None:
    first = {name: value for name, value in SUFFIXED.items() if name != "SubType_s"}
    rows = [*[first] * (ROWS - 1), first | {"SubType_s": "Topology"}]
    log = tmp_path / "log.json"
    log.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    flows = ft.read_flows(log)
    assert (len(flows), flows.report.rows_skipped) == (ROWS - 1, 1)
