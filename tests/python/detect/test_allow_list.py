"""Allow-lists: what they hide, in comparison with plain Python, and how it comes back."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

import flowtriage as ft
from findings import finding, first_matching, random_criteria, random_findings, table
from flowtriage import sample
from flowtriage.detect import FINDINGS, AllowList, allowed, detector_status, flows_of
from flowtriage.errors import ArgumentError

DAY = dt.date(2026, 3, 2)


def allow_list(*criteria: dict[str, object], **given: object) -> AllowList:
    allow = AllowList()
    for number, one in enumerate(criteria):
        allow.add(reason=f"reason {number}", **(one | given))  # type: ignore[arg-type]
    return allow


def test_the_columns_are_those_of_hunt() -> None:
    assert ft.hunt(sample.office_day()).schema.equals(FINDINGS)


@pytest.mark.parametrize(("rows", "entries"), [(400, 12), (1, 1), (50, 400), (0, 5), (5, 0)])
def test_entries_match_as_in_plain_python(rows: int, entries: int) -> None:
    findings = random_findings(rows, seed=rows)
    allow = allow_list(*random_criteria(entries, seed=entries))
    shown, hidden = allow.apply(findings)
    expected = first_matching(findings.to_pylist(), allow.entries, ft.AsnDatabase())
    wanted = [row for row, entry in zip(findings.to_pylist(), expected, strict=True)]
    assert shown.to_pylist() == [
        row for row, entry in zip(wanted, expected, strict=True) if entry is None
    ]
    assert hidden.to_pylist() == [
        row | {"context": [*row["context"], f"allowed: reason {entry}"]}
        for row, entry in zip(wanted, expected, strict=True)
        if entry is not None
    ]
    assert rows < 400 or 100 < hidden.num_rows < 390
    assert hidden.schema.equals(findings.schema)


def test_chunks_do_not_matter() -> None:
    findings = random_findings(300, seed=5)
    allow = allow_list(*random_criteria(40, seed=6))
    parts = pa.concat_tables([findings.slice(at, 7) for at in range(0, 300, 7)])
    assert [one.to_pylist() for one in allow.apply(parts)] == [
        one.to_pylist() for one in allow.apply(findings)
    ]


def test_a_finding_about_several_is_not_allowed_by_one_of_them() -> None:
    sweep = finding(dest=None, dst_port=None, detector="host_sweeps")
    for criteria in ({"dest": "10.0.0.0/8"}, {"port": 443}, {"service": "https"}):
        assert allow_list(criteria).apply(table(sweep)).hidden.num_rows == 0
    assert allow_list({"source": "10.0.0.1"}).apply(table(sweep)).hidden.num_rows == 1


def test_several_addresses_of_one_network_are_allowed_by_its_number() -> None:
    filters = "src_ip = '10.0.0.1' AND dst_ip IN ('8.8.8.8', '8.8.4.4') AND dst_port = 443"
    row = finding(dest=None, as_name="Google LLC", flows_filter=filters)
    assert allow_list({"asn": "AS15169"}).apply(table(row)).hidden.num_rows == 1
    assert allow_list({"asn": 13335}).apply(table(row)).hidden.num_rows == 0
    unnamed = row | {"as_name": None}
    assert allow_list({"asn": 15169}).apply(table(unnamed)).hidden.num_rows == 0


@pytest.mark.parametrize(
    "dest",
    ["8[.]8[.]8[.]8", "::ffff:8.8.8.8", "::ffff:8.8.8.0/120", " 8.8.8.8 ", "8[.]8[.]8.0/24"],
)
def test_addresses_as_people_write_them(dest: str) -> None:
    assert allow_list({"dest": dest}).apply(table(finding())).hidden.num_rows == 1
    other = finding(dest="8.8.9.8")
    assert allow_list({"dest": dest}).apply(table(other)).hidden.num_rows == 0


@pytest.mark.parametrize("dest", ["2001:DB8:0::1", "2001[:]db8[::]1", "2001:db8::/32"])
def test_ipv6_as_people_write_it(dest: str) -> None:
    row = finding(dest="2001:db8::1")
    assert allow_list({"dest": dest}).apply(table(row)).hidden.num_rows == 1


def test_an_entry_applies_until_the_end_of_its_last_day() -> None:
    allow = AllowList()
    allow.add(dest="8.8.8.8", reason="until today", expires=DAY)
    allow.add(detector="beacons", reason="always")
    findings = table(finding())
    reasons = [
        allow.apply(findings, on=DAY + dt.timedelta(days=days)).hidden["context"].to_pylist()
        for days in (-1, 0, 1)
    ]
    assert reasons == [
        [["allowed: until today"]],
        [["allowed: until today"]],
        [["allowed: always"]],
    ]
    assert allow.expired(DAY) == []
    assert [one.reason for one in allow.expired("2026-03-03")] == ["until today"]
    [problem] = allow.problems("2026-03-03")
    assert problem == ("allow-list: expired, ignored: dest 8.8.8.8: until today, until 2026-03-02")
    assert repr(allow).startswith("AllowList(2 entries, ")


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ({}, "nothing is allowed; give address, source,"),
        ({"dest": "office"}, "invalid dest 'office'; give IPv4, IPv6 or a network"),
        ({"dest": "0.0.0.0/0"}, "dest '0.0.0.0/0' is all of IPv4; give a smaller network"),
        ({"address": "::/64"}, "is all of IPv4"),
        ({"asn": "AS4294967296"}, "AS numbers have 32 bits"),
        ({"asn": "ASx"}, "invalid asn 'ASx'"),
        ({"asn": True}, "invalid asn True"),
        ({"port": 65536}, "invalid port 65536"),
        ({"port": "http"}, "invalid port 'http'"),
        ({"service": "ntpp"}, "unknown service 'ntpp'"),
        ({"detector": "beacon"}, "unknown detector 'beacon'; did you mean beacons"),
        ({"detectr": "beacons"}, "unknown key 'detectr'; did you mean detector"),
        ({"finding": "x\udcfc"}, "invalid finding"),
        ({"port": 53, "expires": "31/12/2026"}, "'31/12/2026' is not a date"),
        ({"port": 53, "reason": "  "}, "reason is missing"),
    ],
)
def test_invalid_entries(criteria: dict[str, object], message: str) -> None:
    allow = AllowList()
    with pytest.raises(ArgumentError) as raised:
        allow.add(**({"reason": "x"} | criteria))  # type: ignore[arg-type]
    assert message in str(raised.value)
    assert len(allow) == 0


def test_each_finding_of_the_sample_is_allowed_alone() -> None:
    findings = ft.hunt(sample.office_day())
    for row in findings.to_pylist():
        allow = AllowList()
        entry = allow.add(row, reason="seen")
        hidden = allow.apply(findings).hidden
        assert hidden["finding"].to_pylist() == [row["finding"]], str(entry)
        exact = None in (row["source"], row["dest"], row["dst_port"])
        assert (entry.finding == row["finding"]) is exact


@pytest.mark.extra
def test_a_row_of_pandas_is_a_finding() -> None:
    frame = ft.hunt(sample.office_day()).to_pandas()
    for at in (0, 2):
        entry = AllowList().add(frame.iloc[at], reason="seen")
        assert entry.source == frame.iloc[at]["source"]
        assert entry.port == (None if at == 2 else 443)
    for wrong in (3, [], {"source": "10.0.0.1"}):
        with pytest.raises(ArgumentError, match="this is no finding"):
            AllowList().add(wrong, reason="x")  # type: ignore[arg-type]


@pytest.mark.extra
def test_a_data_frame_has_findings() -> None:
    findings = ft.hunt(sample.office_day())
    allow = allow_list({"dest": sample.UPLOAD.peer})
    of_frame, of_table = allow.apply(findings.to_pandas()), allow.apply(findings)
    assert [one.to_pylist() for one in of_frame] == [one.to_pylist() for one in of_table]


def test_other_tables_are_no_findings() -> None:
    for wrong in (sample.office_day(), ft.hosts(sample.office_day()), [1], {"finding": 1}):
        with pytest.raises(ArgumentError, match="these are no findings: as_name is missing"):
            AllowList().apply(wrong)


def test_criteria_widen_a_finding() -> None:
    scan = ft.hunt(sample.office_day(), detectors="port_scans").to_pylist()[0]
    entry = AllowList().add(scan, reason="scanner", source="45.76.0.0/16")
    assert (entry.source, entry.detector, entry.finding) == ("45.76.0.0/16", "port_scans", None)


def test_hunt_hides_and_gives_back() -> None:
    flows = sample.office_day()
    everything = ft.hunt(flows)
    allow = AllowList()
    allow.add(dest=sample.UPLOAD.peer, reason="backup")
    shown = ft.hunt(flows, allow=allow)
    hidden = allowed(shown)
    assert shown.num_rows + hidden.num_rows == everything.num_rows
    assert set(hidden["dest"].to_pylist()) == {sample.UPLOAD.peer}
    assert all(one[-1] == "allowed: backup" for one in hidden["context"].to_pylist())
    assert detector_status(shown).equals(detector_status(everything))
    assert flows_of(flows, hidden.to_pylist()[0]).num_rows == sample.UPLOAD.flows
    none = allowed(everything)
    assert (none.num_rows, none.schema.equals(FINDINGS)) == (0, True)


def test_hosts_count_what_is_shown() -> None:
    flows = sample.office_day()
    allow = AllowList()
    allow.add(detector="beacons", reason="x")
    allow.add(dest=sample.UPLOAD.peer, reason="y")
    shown = ft.hunt(flows, allow=allow)
    everything, counted = ft.hosts(flows), ft.hosts(flows, allow=allow)
    assert set(counted["host"].to_pylist()) == set(everything["host"].to_pylist())
    assert counted.schema.equals(everything.schema)
    for row in counted.to_pylist():
        ends = [{one["source"], one["dest"]} for one in shown.to_pylist()]
        severities = [
            one["severity"]
            for one, pair in zip(shown.to_pylist(), ends, strict=True)
            if row["host"] in pair
        ]
        for name in ("high", "warning", "information"):
            assert row[name] == severities.count(name), row["host"]
    keys = [
        tuple(-row[name] for name in ("high", "warning", "information", "flows"))
        for row in counted.to_pylist()
    ]
    assert keys == sorted(keys)
    assert counted["high"].to_pylist()[0] == 0 < everything["high"].to_pylist()[0]


def test_a_finding_within_one_host_counts_once() -> None:
    from flowtriage.detect.allowed import count_again

    hosts = pa.table(
        {"host": ["10.0.0.1"], "high": [0], "warning": [3], "information": [0], "flows": [9]}
    )
    hidden = table(finding(dest="10.0.0.1"), finding(dest=None))
    assert count_again(hosts, hidden)["warning"].to_pylist() == [1]
