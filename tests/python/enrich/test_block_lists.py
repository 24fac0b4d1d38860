"""Block lists: their formats, and which entry an address meets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flowtriage.enrich.reputation import BlockLists
from flowtriage.errors import ArgumentError, FormatError, InputError


def entries(path: Path) -> list[tuple[str, str | None, str]]:
    (one,) = BlockLists(path).lists
    names = ("network", "severity", "details")
    return [tuple(entry[name] for name in names) for entry in one.entries.to_pylist()]


def written(path: Path, content: Any) -> Path:
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


def test_lines_with_remarks(tmp_path: Path) -> None:
    path = written(
        tmp_path / "drop.netset",
        "\ufeff# FireHOL\r\n; Spamhaus DROP\r\n\r\n203.0.113.0/24 ; SBL1\r\n"
        "  198.51.100.7\t# seen, twice\r\n2001:db8::/32,botnet\n",
    )
    assert entries(path) == [
        ("203.0.113.0/24", None, "SBL1"),
        ("198.51.100.7", None, "seen, twice"),
        ("2001:db8::/32", None, "botnet"),
    ]


def test_invalid_networks_are_counted_and_listed_by_line(tmp_path: Path) -> None:
    path = written(tmp_path / "mixed.txt", "# hosts\nevil.example\n192.0.2.1\n300.1.1.1/8\n")
    with pytest.warns(UserWarning, match=r"mixed\.txt: 2 unusable of 3 entries; line 2: 'evil"):
        lists = BlockLists(path)
    shown = repr(lists)
    assert "mixed (1 entry, 2 unusable; line 2: 'evil.example', line 4: '300.1.1.1/8')" in shown
    found = lists.lists[0].find(pa.array(["192.0.2.1", "192.0.2.2"]))
    assert found["position"].to_pylist() == ["line 3", None]


@pytest.mark.parametrize(
    "heading",
    ['"first_seen","dst_ip","severity","malware"', "# first_seen,DstIP,severity,malware"],
)
def test_csv_with_a_header_even_in_a_remark(tmp_path: Path, heading: str) -> None:
    rows = '2024-01-01,192.0.2.1,medium,"Emotet, E4"\n2024-01-02,192.0.2.0/24,,\n'
    path = written(tmp_path / "feodo.csv", f"# Feodo\n{heading}\n{rows}# END\n")
    assert entries(path) == [
        ("192.0.2.1", "warning", "first_seen: 2024-01-01; malware: Emotet, E4"),
        ("192.0.2.0/24", None, "first_seen: 2024-01-02"),
    ]


def indicator(pattern: str, **facts: Any) -> dict[str, Any]:
    known = {"type": "indicator", "id": "indicator--1", "pattern_type": "stix"}
    return {**known, "pattern": pattern, **facts}


def test_stix_bundle(tmp_path: Path) -> None:
    unusable = ("[ipv4-addr:value NOT = '192.0.2.67']", "alert ip 192.0.2.68 any")
    compound = "[ipv4-addr:value = '192.0.2.9' AND network-traffic:dst_port = 443]"
    objects = [
        indicator("[ipv4-addr:value = '192.0.2.1' OR ipv6-addr:value='2001:db8::1']", name="C2"),
        indicator("[ipv4-addr:value ISSUBSET '198.51.100.0/24']"),
        indicator("[ipv4-addr:value IN ('203.0.113.1', '203.0.113.2')]"),
        indicator(compound),
        indicator("[ipv4-addr:value = '192.0.2.66']", revoked=True),
        indicator(unusable[0]),
        indicator(unusable[1], pattern_type="snort"),
        indicator("[domain-name:value = 'evil.example']"),
        {"type": "ipv4-addr", "value": "192.0.2.69"},
        "not an object",
    ]
    path = written(tmp_path / "stix.json", {"type": "bundle", "objects": objects})
    with pytest.warns(UserWarning, match="2 unusable of 8 entries; indicator--1: .*NOT = "):
        found = entries(path)
    assert [entry for entry in found if entry[0] not in unusable] == [
        ("192.0.2.1", None, "name: C2"),
        ("2001:db8::1", None, "name: C2"),
        ("198.51.100.0/24", None, ""),
        ("203.0.113.1", None, ""),
        ("203.0.113.2", None, ""),
        ("192.0.2.9", "warning", f"part of {compound}"),
    ]


def test_misp_event_export_and_feed(tmp_path: Path) -> None:
    attributes = [
        {"type": "ip-dst", "value": "192.0.2.1", "category": "Network activity", "to_ids": True},
        {"type": "ip-src|port", "value": "2001:db8::1|443", "comment": "scanner"},
        {"type": "domain", "value": "evil.example"},
        {"type": "ip-src", "value": "192.0.2.2", "to_ids": False},
    ]
    parts = [{"Attribute": [{"type": "domain|ip", "value": "evil.example|192.0.2.3"}]}]
    event = {"Event": {"info": "Campaign", "Attribute": attributes, "Object": parts}}
    expected = [
        ("192.0.2.1", None, "event: Campaign; category: Network activity"),
        ("2001:db8::1", None, "event: Campaign; comment: scanner"),
        ("192.0.2.2", "information", "event: Campaign"),
        ("192.0.2.3", None, "event: Campaign"),
    ]
    assert sorted(entries(written(tmp_path / "event.json", event))) == sorted(expected)
    export = written(tmp_path / "export.json", {"response": [event]})
    assert sorted(entries(export)) == sorted(expected)
    feed = tmp_path / "feed"
    feed.mkdir()
    written(feed / "manifest.json", {"../../etc/passwd": {}})
    written(feed / "5a8f.json", event)
    assert sorted(entries(feed)) == sorted(expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{broken", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"type": "report"}', "neither a STIX 2 bundle nor a MISP event"),
        ("office\n", r"no usable address or network; line 1: 'office'"),
        ("# only remarks\n", "no usable address or network"),
    ],
)
def test_invalid_lists_are_rejected(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        BlockLists(written(tmp_path / "list.txt", content))


def test_other_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        BlockLists(tmp_path / "absent")
    with pytest.raises(ArgumentError, match="no block list given"):
        BlockLists([])
    path = written(tmp_path / "a.txt", "192.0.2.1")
    with pytest.raises(ArgumentError, match="'fatal'"):
        BlockLists(path, severity="fatal")
    (tmp_path / "b.txt").write_bytes(b"192.0.2.1 \xff")
    with pytest.raises(FormatError, match="not UTF-8"):
        BlockLists(tmp_path / "b.txt")
    with pytest.raises(InputError, match="office"):
        BlockLists(path).lists[0].find(pa.array(["office"]))


def test_the_longest_prefix_matches(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "10.0.0.0/8 wide\n10.1.0.0/16 narrow\n::ffff:10.1.2.3 one\n")
    found = (
        BlockLists(path)
        .lists[0]
        .find(pa.array(["10.1.2.3", "10.1.0.0", "10.255.0.1", "11.0.0.0", "::ffff:10.1.2.3"]))
    )
    assert found["details"].to_pylist() == ["one", "narrow", "wide", None, "one"]


@pytest.mark.extra
def test_each_list_is_a_provider(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    (tmp_path / "x").mkdir()
    first = written(tmp_path / "drop.txt", "192.0.2.0/24 SBL1")
    second = written(tmp_path / "x" / "drop.txt", "198.51.100.1")
    answers = BlockLists([first, second], severity="warning").lookup_iocs(
        {"192.0.2.7": "ipv4", "2001:db8::1": "ipv6"}
    )
    columns = ["Ioc", "IocType", "Provider", "Result", "Severity", "Details"]
    assert answers[columns].to_numpy().tolist() == [
        ["192.0.2.7", "ipv4", "drop", True, "warning", "192.0.2.0/24: SBL1"],
        ["2001:db8::1", "ipv6", "drop", False, "information", "Not listed."],
        ["192.0.2.7", "ipv4", "drop 2", False, "information", "Not listed."],
        ["2001:db8::1", "ipv6", "drop 2", False, "information", "Not listed."],
    ]


@pytest.mark.parametrize(
    ("entry", "listed"),
    [
        ("hxxp://192.0.2[.]1:8080/a/24", "192.0.2.1"),
        ('"192.0.2.1"', "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:DB8::]/32", "2001:db8::1"),
        ("192.0.2.0-192.0.2.7", "192.0.2.1"),
        ("::ffff:192.0.2.0/120", "192.0.2.1"),
    ],
)
def test_notations_of_addresses(tmp_path: Path, entry: str, listed: str) -> None:
    (one,) = BlockLists(written(tmp_path / "a.txt", f"{entry}\n198.51.100.1\n")).lists
    assert one.find(pa.array([listed]))["position"].to_pylist() == ["line 1"]


@pytest.mark.parametrize("entry", ["3221225985", "12-15", "evil.example:443", "10.0.0.1]"])
def test_what_is_no_address_is_unusable(tmp_path: Path, entry: str) -> None:
    with pytest.warns(UserWarning, match="1 unusable of 2 entries; line 1"):
        BlockLists(written(tmp_path / "a.txt", f"{entry}\n198.51.100.1\n"))


def test_a_stray_quote_costs_no_other_row(tmp_path: Path) -> None:
    rows = '"open,192.0.2.1\nx,192.0.2.2\n"a ""b"" c",192.0.2.3\nx"y,192.0.2.4\n'
    with pytest.warns(UserWarning, match="1 unusable of 4 entries; line 2"):
        (one,) = BlockLists(written(tmp_path / "a.csv", f"name,ip\n{rows}")).lists
    found = one.find(pa.array([f"192.0.2.{n}" for n in range(1, 5)]))["position"]
    assert found.to_pylist() == [None, "line 3", "line 4", "line 5"]


def test_a_list_without_valid_indicators_is_empty(tmp_path: Path) -> None:
    fact = indicator("[ipv4-addr:value = '192.0.2.1']", valid_until="2020-01-01T00:00:00.5Z")
    lists = BlockLists(written(tmp_path / "a.json", {"type": "bundle", "objects": [fact]}))
    assert repr(lists) == "BlockLists: a (0 entries, 1 not valid now)"


@pytest.mark.parametrize("seen", ["1577836800", 1577836800000000, "2020-01-01"])
def test_times_of_misp(tmp_path: Path, seen: Any) -> None:
    attributes = [
        {"type": "ip-dst", "value": "192.0.2.1", "last_seen": seen},
        {"type": "ip-dst", "value": "192.0.2.2", "last_seen": "unknown"},
    ]
    hidden = {"deleted": "1", "Attribute": [{"type": "ip-dst", "value": "192.0.2.3"}]}
    event = {"Event": {"Attribute": attributes, "Object": [hidden]}}
    path = written(tmp_path / "a.json", event)
    with pytest.warns(UserWarning, match="1 of 1 entry has an unreadable validity.*'unknown'"):
        (one,) = BlockLists(path).lists
    assert (one.entries["network"].to_pylist(), one.expired) == (["192.0.2.2"], 1)


OBJECTS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"last_seen": "2020-01-01"}, {}, False),
    ({"first_seen": "2999-01-01T00:00:00Z"}, {}, False),
    ({"last_seen": "2020-01-01"}, {"last_seen": "2999-01-01"}, True),
    ({"last_seen": "2999-01-01"}, {"last_seen": 1577836800}, False),
    ({"first_seen": "2019-01-01", "last_seen": None}, {}, True),
]


@pytest.mark.parametrize(("times", "own", "valid"), OBJECTS)
def test_attributes_of_misp_have_the_time_of_their_object(
    tmp_path: Path, times: dict[str, Any], own: dict[str, Any], valid: bool
) -> None:
    attribute = {"type": "ip-dst", "value": "192.0.2.1", **own}
    event = {"Event": {"Object": [{"name": "c2", "Attribute": [attribute], **times}]}}
    (one,) = BlockLists(written(tmp_path / "a.json", event)).lists
    assert (len(one.entries), one.expired) == ((1, 0) if valid else (0, 1))


@pytest.mark.parametrize(
    "pattern",
    [
        *("garbage", "", "[]", "[ipv4-addr:value LIKE '10.%']", "[ipv4-addr:value != '10.0.0.1']"),
        *("[ipv4-addr:value MATCHES '^10']", "[network-traffic:src_ref.value NOT IN ('9.9.9.9')]"),
        '[ipv4-addr:value = "9.9.9.9"]',
    ],
)
def test_indicators_that_cannot_be_used_are_counted(tmp_path: Path, pattern: str) -> None:
    objects = [indicator("[ipv4-addr:value = '192.0.2.1']"), indicator(pattern)]
    path = written(tmp_path / "a.json", {"type": "bundle", "objects": objects})
    with pytest.warns(UserWarning, match="1 unusable of 2 entries; indicator--1"):
        (one,) = BlockLists(path).lists
    found = one.find(pa.array(["192.0.2.1", "9.9.9.9"]))["network"]
    assert found.to_pylist() == ["192.0.2.1", None]


@pytest.mark.parametrize(
    "pattern",
    [
        "[x-foo:desc = \"ipv4-addr:value = '9.9.9.9'\"]",
        "[x-foo:desc = 'see \\'ipv4-addr:value = 9.9.9.9\\'']",
        "[x-foo:ipv4-addr:value = '9.9.9.9']",
        "[domain-name:value = 'ipv4-addr:value']",
    ],
)
def test_addresses_in_other_values_are_no_entries(tmp_path: Path, pattern: str) -> None:
    objects = [indicator("[ipv4-addr:value = '192.0.2.1']"), indicator(pattern)]
    (one,) = BlockLists(written(tmp_path / "a.json", {"type": "bundle", "objects": objects})).lists
    assert one.entries["network"].to_pylist() == ["192.0.2.1"]


def test_a_validity_of_stix_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    objects = [
        indicator("[ipv4-addr:value = '192.0.2.1']", valid_until="garbage"),
        indicator("[ipv4-addr:value = '192.0.2.2']", revoked=True),
    ]
    path = written(tmp_path / "a.json", {"type": "bundle", "objects": objects})
    with pytest.warns(UserWarning, match="unreadable validity .*valid_until 'garbage'"):
        lists = BlockLists(path)
    assert "1 not valid now, 1 of unreadable validity" in repr(lists)
    assert lists.lists[0].find(pa.array(["192.0.2.1"]))["network"].to_pylist() == ["192.0.2.1"]


def test_hostile_json_is_a_format_error(tmp_path: Path) -> None:
    attribute = {"type": "ip-dst", "value": "\ud800"}
    for content in ({"Attribute": [attribute]}, [{"type": ["x"]}], "[" * 900 + "]" * 900):
        with pytest.raises(FormatError, match=r"a\.json"):
            BlockLists(written(tmp_path / "a.json", content))
