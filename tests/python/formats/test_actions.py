"""Allowed and denied flows: the words of logs, in any case, and words that are not known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft

ASIM = {
    "EventSchema": "NetworkSession",
    "EventStartTime": "2025-03-01T12:00:00Z",
    "SrcIpAddr": "10.0.0.1",
    "DstIpAddr": "8.8.8.8",
    "NetworkProtocol": "TCP",
}
OCSF = {
    "class_uid": 4001,
    "time": 1740830400000,
    "src_endpoint": {"ip": "10.0.0.1", "port": 50000},
    "dst_endpoint": {"ip": "8.8.8.8", "port": 443},
}
SURICATA = {
    "event_type": "flow",
    "timestamp": "2025-03-01T12:00:00.000000+0000",
    "src_ip": "10.0.0.1",
    "dest_ip": "8.8.8.8",
    "proto": "TCP",
}
AWS = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
    "start end action log-status"
)


def read(path: Path, *lines: str | dict[str, Any]) -> ft.Flows:
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return ft.read_flows(path)


def counts(flows: ft.Flows) -> list[tuple[int | None, int | None]]:
    table = flows.to_arrow()
    return list(zip(table["flows"].to_pylist(), table["denied_flows"].to_pylist(), strict=True))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("Allow", (1, 0)),
        ("allow", (1, 0)),
        ("Allowed", (1, 0)),
        ("Deny", (0, 1)),
        ("deny", (0, 1)),
        ("RESET SOURCE", (0, 1)),
        ("Blocked", (0, 1)),
        ("", (1, 0)),
        ("Alert", (1, 0)),
    ],
)
def test_words_of_asim(tmp_path: Path, action: str, expected: tuple[int, int]) -> None:
    flows = read(tmp_path / "asim.json", ASIM | {"DvcAction": action})
    assert counts(flows) == [expected]
    unknown = {"DvcAction Alert": 1} if action == "Alert" else {}
    assert flows.report.unknown_actions == unknown


def test_a_failure_without_an_action_is_denied(tmp_path: Path) -> None:
    rows = [
        {"EventResult": "Failure"},
        {"EventResult": "Success"},
        {"EventResult": "Failure", "DvcAction": "Allow"},
        {"EventResult": "Failure", "DvcAction": "Allow", "EventCount": 7},
        {"EventResult": "failure", "EventCount": 5},
    ]
    flows = read(tmp_path / "asim.json", *(ASIM | row for row in rows))
    assert counts(flows) == [(0, 1), (1, 0), (1, 0), (7, 0), (0, 5)]
    assert flows.report.unknown_actions == {}


def test_a_listening_port_is_no_flow(tmp_path: Path) -> None:
    asim = [ASIM | {"NetworkDirection": word} for word in ("Listen", "listen", "Outbound")]
    flows = read(tmp_path / "asim.json", *asim)
    assert len(flows) == 1
    assert flows.report.skipped == {"NetworkDirection Listen": 1, "NetworkDirection listen": 1}
    ocsf = [{"activity_id": 7}, {"activity_name": "Listen"}, {"activity_id": 6}]
    flows = read(tmp_path / "ocsf.json", *(OCSF | row for row in ocsf))
    assert len(flows) == 1
    assert flows.report.skipped == {"activity_id 7": 1, "activity_name Listen": 1}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"action": "Denied"}, (0, 1)),
        ({"action": "denied"}, (0, 1)),
        ({"action": "Allowed"}, (1, 0)),
        ({"action_id": 2}, (0, 1)),
        ({"activity_name": "Refuse"}, (0, 1)),
        ({"disposition": "blocked"}, (0, 1)),
        ({"disposition": "Rejected"}, (0, 1)),
        ({"disposition_id": 25}, (0, 1)),
        ({"disposition_id": 21}, (0, 1)),
        ({"disposition_id": 99, "disposition": "Reset"}, (0, 1)),
        ({"disposition_id": 1, "disposition": "Allowed"}, (1, 0)),
        ({"action_id": 99, "action": "Deny"}, (0, 1)),
        ({"action_id": 0, "action": "Denied"}, (0, 1)),
        ({"action_id": 99, "action": "Permit"}, (1, 0)),
        ({"status_id": 2, "status": "Failure"}, (0, 1)),
        ({"status_id": 2}, (0, 1)),
        ({"status": "failure", "count": 5}, (0, 5)),
        ({"status_id": 1, "status": "Success"}, (1, 0)),
        ({"status_id": 2, "action_id": 1}, (1, 0)),
        ({"status_id": 2, "disposition_id": 1}, (1, 0)),
        ({}, (1, 0)),
    ],
)
def test_words_and_numbers_of_ocsf(
    tmp_path: Path, words: dict[str, Any], expected: tuple[int, int]
) -> None:
    flows = read(tmp_path / "ocsf.json", OCSF | words)
    assert counts(flows) == [expected]
    assert flows.report.unknown_actions == {}


def test_unknown_words_of_ocsf_beside_a_number_are_counted(tmp_path: Path) -> None:
    rows = [{"action_id": 99, "action": "Foo"}, {"disposition": "Bar"}, {"disposition_id": 77}]
    flows = read(tmp_path / "ocsf.json", *(OCSF | row for row in rows))
    assert counts(flows) == [(1, 0)] * 3
    assert flows.report.unknown_actions == {
        "action Foo": 1,
        "disposition Bar": 1,
        "disposition_id 77": 1,
    }


def test_words_of_aws(tmp_path: Path) -> None:
    actions = ("ACCEPT", "accept", "reject", "REJECT", "-", "MAYBE")
    record = "2 1 eni-1 10.0.0.1 8.8.8.8 50000 443 6 10 1000 1700000000 1700000060"
    flows = read(tmp_path / "aws.log", AWS, *(f"{record} {action} ok" for action in actions))
    assert counts(flows) == [(1, 0), (1, 0), (0, 1), (0, 1), (1, 0), (1, 0)]
    assert flows.report.unknown_actions == {"action MAYBE": 1}


def test_words_of_suricata(tmp_path: Path) -> None:
    rows = [SURICATA | {"flow": {"action": word}} for word in ("Pass", "DROP", "mirror")]
    flows = read(tmp_path / "eve.json", *rows, SURICATA)
    assert counts(flows) == [(1, 0), (0, 1), (1, 0), (1, 0)]
    assert flows.report.unknown_actions == {"flow.action mirror": 1}


def test_decisions_and_states_of_azure(tmp_path: Path) -> None:
    tuples = [
        f"1740830400,10.0.0.1,8.8.8.8,50000,443,T,O,{end}"
        for end in ("A,B,,,,", "a,C,1,9,1,9", "D,B,,,,", "X,B,,,,", "A,Q,1,9,1,9", "A", "D")
    ]
    flows = {"rule": "r", "flows": [{"mac": "00", "flowTuples": tuples}]}
    log = {"records": [{"properties": {"Version": 2, "flows": [flows]}}]}
    nsg = read(tmp_path / "nsg.json", log)
    expected = [(1, 0), (0, 0), (0, 1), (1, 0), (1, 0), (1, 0), (0, 1)]
    assert counts(nsg) == expected
    assert nsg.report.unknown_actions == {"decision X": 1, "state Q": 1}
    tuples = [
        f"1740830400000,10.0.0.1,8.8.8.8,50000,443,6,O,{state},NX,1,60,1,60"
        for state in ("B", "b", "C", "D", "Q")
    ]
    groups = [{"rule": "r", "flowTuples": tuples}]
    log = {"records": [{"flowRecords": {"flows": [{"aclID": "a", "flowGroups": groups}]}}]}
    vnet = read(tmp_path / "vnet.json", log)
    assert counts(vnet) == [(1, 0), (1, 0), (0, 0), (0, 1), (1, 0)]
    assert vnet.report.unknown_actions == {"state Q": 1}


def test_unknown_words_are_stated_and_merged(tmp_path: Path) -> None:
    one = read(tmp_path / "1.json", *(ASIM | {"DvcAction": "Alert"} for _ in range(2)))
    other = read(tmp_path / "2.json", ASIM | {"DvcAction": "Alert"}, ASIM | {"DvcAction": "Log"})
    report = ft.read_flows([one, other]).report
    assert report.unknown_actions == {"DvcAction Alert": 3, "DvcAction Log": 1}
    text = "4 (3 DvcAction Alert, 1 DvcAction Log); counted as allowed"
    assert report.facts()["Unknown actions"] == text
    assert report.to_dict()["unknown_actions"] == report.unknown_actions
    with pytest.warns(UserWarning, match="Unknown actions: 2 .* DvcAction Alert"):
        index = ft.flow_index(tmp_path / "1.json")
    assert index["TotalAllowedFlows"].to_pylist() == [2]
