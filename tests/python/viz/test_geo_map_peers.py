"""Facts of each peer on a map."""

from __future__ import annotations

import datetime as dt

import pytest

pytest.importorskip("msticpy")

from flow_map import GOOGLE, HOST, RIPE, START, draw, layers, note, peer, row

pytestmark = pytest.mark.extra


def test_a_peer_shows_the_sum_of_its_rows() -> None:
    later = START + dt.timedelta(hours=3)
    drawn = draw(
        row(HOST, GOOGLE, "O", TotalAllowedFlows=1200, src_bytes=1_500_000, dst_bytes=10),
        row(HOST, GOOGLE, "O", L7Protocol="dns", TotalAllowedFlows=34, denied_flows=5,
            src_bytes=None, dst_bytes=None, last_seen=later),
    )  # fmt: skip
    known = peer(drawn)
    assert known.pop("point") == [39.5, -98.4]
    assert known == {
        "": "outbound",
        "Address": GOOGLE,
        "Country": "United States",
        "Flows": "1,234 allowed, 5 denied",
        "Network": "AS15169 Google LLC",
        "Direction": "outbound",
        "Protocols": "ssl, dns",
        "Bytes from host": "1.5 MB",
        "Bytes to host": "10 B",
        "First seen, UTC": "2026-03-02 08:00:00",
        "Last seen, UTC": "2026-03-02 11:00:00",
        "Location": "country level",
        **dict.fromkeys(("City", "Threat", "Known as")),
    }


def test_bytes_are_relative_to_the_host() -> None:
    drawn = draw(
        row(HOST, GOOGLE, "O", src_bytes=1, dst_bytes=20),
        row(GOOGLE, HOST, "I", src_bytes=300, dst_bytes=4000),
    )
    known = peer(drawn)
    assert (known["Bytes from host"], known["Bytes to host"]) == ("4 kB", "320 B")


def test_unknown_facts_are_not_shown() -> None:
    gone = dict.fromkeys(("L7Protocol", "src_bytes", "dst_bytes", "first_seen", "last_seen"))
    known = peer(draw(row(HOST, GOOGLE, "O", **gone, denied_flows=None)))
    assert known["Protocols"] == "not known"
    assert known["Flows"] == "1"
    for label in ("Bytes from host", "Bytes to host", "First seen, UTC", "Last seen, UTC"):
        assert known[label] is None


def test_protocols_come_by_their_flows_and_no_more_than_six() -> None:
    names = "abcdefgh"
    rows = [row(HOST, GOOGLE, "O", L7Protocol=c, TotalAllowedFlows=ord(c)) for c in names]
    assert peer(draw(*rows))["Protocols"] == "h, g, f, e, d, c and 2 more"


@pytest.mark.parametrize(
    ("ways", "kind", "direction"),
    [
        ("O", "outbound", "outbound"),
        ("I", "inbound", "inbound"),
        ("OI", "both", "outbound 2, inbound 3"),
        ("OU", "outbound", "outbound"),
        ("IX", "inbound", "inbound"),
        ("L", "other", "neither inbound nor outbound"),
    ],
)
def test_the_kind_of_a_peer_is_that_of_its_flows(ways: str, kind: str, direction: str) -> None:
    counts = {"O": 2, "I": 3}
    ends = {"I": (GOOGLE, HOST)}
    rows = [
        row(*ends.get(way, (HOST, GOOGLE)), way, TotalAllowedFlows=counts.get(way, 9))
        for way in ways
    ]
    drawn = draw(*rows)
    assert (peer(drawn)[""], peer(drawn)["Direction"]) == (kind, direction)
    assert ("Two-way" in note(drawn)) == (kind == "both")
    assert ("Other direction" in note(drawn)) == (kind == "other")
    assert all(label in note(drawn) for label in ("Outbound", "Inbound", "Host"))


def test_only_flows_of_the_host_count_and_the_others_are_reported() -> None:
    drawn = draw(
        row(HOST, GOOGLE, "O"),
        row("10.0.0.6", GOOGLE, "O", TotalAllowedFlows=1000, denied_flows=234),
        row(HOST, HOST, "L", TotalAllowedFlows=7),
    )
    assert peer(drawn)["Flows"] == "1"
    assert "1,234 flows excluded" in note(drawn)
    assert "1 address in 1 country\n" in note(drawn)
    assert "left out" not in note(draw(row(HOST, GOOGLE, "O")))


def test_without_host_addresses_the_direction_decides_the_peer() -> None:
    drawn = draw(
        row("10.0.0.6", GOOGLE, "O"), row(RIPE, "10.0.0.6", "I"), row(GOOGLE, RIPE, "X"), hosts=()
    )
    assert {known["Address"] for known in layers(drawn)[0]} == {GOOGLE, RIPE}
    assert "1 flow excluded" in note(drawn)


def test_text_that_cannot_be_seen_is_shown() -> None:
    drawn = draw(row(HOST, GOOGLE, "O", L7Protocol="ab\u202ecd\u2028"))
    assert peer(drawn)["Protocols"] == "ab\\u202ecd\\u2028"
