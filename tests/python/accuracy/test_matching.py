"""Alarms against the truth: what matches, what is left out, and what is false."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("polars")

from accuracy import alarms
from accuracy.alarms import Alarm
from accuracy.captures import Scored, total
from accuracy.figures import inbound_beacons
from accuracy.matching import FALSE, IGNORED, TRUE, UNSCORED, Judged, judge
from accuracy.truth import Capture, Label, _network

pytestmark = pytest.mark.extra

HOST, OTHER, BAD, SERVER = "10.0.0.1", "10.0.0.2", "192.0.2.9", "198.51.100.7"
NAMES = {BAD: "Bad Hosting", SERVER: "Good Hosting"}


def alarm(detector: str, source: str | None = HOST, dest: str | None = BAD, **more: Any) -> Alarm:
    values = {"severity": 1, "score": 0.5, "port": None, "protocol": None, "as_name": None}
    return Alarm(detector, source=source, dest=dest, explanation="", **{**values, **more})


def capture(*truth: Label, kind: str = "beacon", **more: Any) -> Capture:
    values = {"ignore": (), "negative_for": frozenset(), "internal": ("10.0.0.0/8",), **more}
    networks = tuple(_network(text, "") for text in values["internal"])
    return Capture("a.log", Path("a.log"), kind, truth=truth, networks=networks, **values)


def outcome(where: Capture, *raised: Alarm) -> list[tuple[str, tuple[int, ...]]]:
    return [(each.outcome, each.covers) for each in judge(where, raised, NAMES.get)]


BEACON = Label("beacon", HOST, BAD, 443, "tcp", strength="sure")


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (alarm("beacons", port=443, protocol="tcp"), TRUE),
        (alarm("retries"), TRUE),
        (alarm("beacons", port=80), FALSE),
        (alarm("beacons", protocol="udp"), FALSE),
        (alarm("beacons", OTHER), FALSE),
        (alarm("beacons", BAD, HOST), FALSE),
        (alarm("beacons", dest=None, as_name="Bad Hosting"), TRUE),
        (alarm("beacons", dest=None, as_name="Good Hosting"), FALSE),
        (alarm("beacons", None), TRUE),
        (alarm("beacons", None, None), FALSE),
        (alarm("uploads"), FALSE),
        (alarm("rare_networks"), UNSCORED),
    ],
)
def test_an_alarm_matches_if_no_stated_field_differs(raised: Alarm, expected: str) -> None:
    covers = (0,) if expected == TRUE else ()
    assert outcome(capture(BEACON), raised) == [(expected, covers)]


def test_shapes_of_scans() -> None:
    vertical = Label("scan", HOST, OTHER, shape="vertical")
    sweeps = [
        Label("scan", HOST, port=port, protocol="tcp", shape="horizontal") for port in (22, 80)
    ]
    where = capture(vertical, *sweeps, kind="scan")
    assert outcome(where, alarm("port_scans", dest=OTHER)) == [(TRUE, (0,))]
    assert outcome(where, alarm("host_sweeps", dest=None, port=22)) == [(TRUE, (1,))]
    assert outcome(where, alarm("host_sweeps", dest=None)) == [(TRUE, (1, 2))]
    assert outcome(where, alarm("scans", dest=None)) == [(TRUE, (0, 1, 2))]
    assert outcome(where, alarm("port_scans", dest=BAD)) == [(FALSE, ())]


def test_one_alarm_counts_once_and_finds_all() -> None:
    sweeps = [
        Label("scan", HOST, port=port, shape="horizontal", strength="sure")
        for port in (22, 80, 443)
    ]
    where = capture(*sweeps, kind="scan")
    judged = judge(where, [alarm("host_sweeps", dest=None)], NAMES.get)
    counts = Scored(where, "rule", 1, 2.0, judged).tally("scan")
    assert (counts.found, counts.wanted, counts.true, counts.false) == (3, 3, 1, 0)
    assert (counts.recall, counts.precision, counts.false_per_host_day) == (1.0, 1.0, 0.0)


def test_ignored_entries() -> None:
    entry = Label("beacon", dest=SERVER)
    where = capture(BEACON, ignore=(entry,))
    assert outcome(where, alarm("beacons", OTHER, SERVER)) == [(IGNORED, ())]
    assert outcome(where, alarm("uploads", OTHER, SERVER)) == [(FALSE, ())]
    everything = capture(BEACON, ignore=(Label(None, source=OTHER),))
    assert outcome(everything, alarm("uploads", OTHER, SERVER)) == [(IGNORED, ())]


def test_what_benign_captures_count() -> None:
    scanner = Label("scan", BAD, HOST, shape="vertical")
    where = capture(scanner, kind="benign", negative_for=frozenset({"beacon"}))
    assert outcome(where, alarm("beacons", dest=SERVER)) == [(FALSE, ())]
    assert outcome(where, alarm("port_scans", SERVER, HOST)) == [(FALSE, ())]
    assert outcome(where, alarm("uploads", dest=SERVER)) == [(UNSCORED, ())]
    assert outcome(where, alarm("rare_networks", dest=SERVER)) == [(FALSE, ())]
    assert outcome(where, alarm("port_mismatches", BAD, HOST)) == [(UNSCORED, ())]


def test_information_is_no_alarm_and_inbound_truth_is_no_miss() -> None:
    inbound = Label("beacon", SERVER, HOST, 80, "tcp", strength="sure")
    where = capture(BEACON, inbound)
    raised = [alarm("beacons", severity=0), alarm("beacons", HOST, SERVER, severity=0)]
    scored = Scored(where, "rule", 1, 1.0, judge(where, raised, NAMES.get))
    counts = total([scored], "beacon")
    assert (counts.found, counts.wanted, counts.true, counts.false) == (0, 1, 0, 0)
    assert inbound_beacons([scored]) == 0
    reported = Scored(where, "rule", 1, 1.0, [Judged(alarm("beacons", SERVER, HOST), TRUE, (1,))])
    assert inbound_beacons([reported]) == 1


def test_hard_lines_count_on_request() -> None:
    where = capture(BEACON, Label("beacon", HOST, SERVER, strength="hard"))
    scored = Scored(where, "rule", 1, 1.0, judge(where, [alarm("beacons")], NAMES.get))
    assert total([scored], "beacon").recall == 1.0
    assert total([scored], "beacon", hard=True).recall == 0.5


def test_findings_of_one_key_are_one_alarm() -> None:
    table = alarms.frame(
        {
            "detector": ["beacons", "retries", "uploads"],
            "severity": ["warning", "high", "information"],
            "score": [0.9, 0.8, 0.7],
            "source": [HOST] * 3,
            "dest": [BAD] * 3,
        }
    )
    kept = alarms.rows(table)
    assert [(each.detector, each.severity) for each in kept] == [("retries", 2), ("uploads", 0)]


def test_texts_lose_their_addresses() -> None:
    text = "10.1.2.3 called 2001:db8::7 at 12:30:05 in 1.5 s"
    assert alarms.without_addresses(text) == "‹address› called ‹address› at 12:30:05 in 1.5 s"
