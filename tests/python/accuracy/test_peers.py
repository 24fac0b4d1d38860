"""The rules of other tools, on flows whose outcome is known or computed by naive Python."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pytest

pytest.importorskip("polars")

from accuracy.rules.elastic import ELASTIC
from accuracy.rules.gap_share import GAP_SHARE
from accuracy.rules.rita import RITA
from accuracy.rules.rule import Rule
from accuracy.rules.scans import WALK, ZEEK
from accuracy.rules.sentinel import SENTINEL
from flowtriage.sample import SCHEMA

pytestmark = pytest.mark.extra

START = 1_772_409_600
HOST = "10.0.0.1"
Row = tuple[float, str, str, int, str]


def flows(rows: Iterable[Row], size: int = 600) -> pa.Table:
    """Build flows from times, addresses, ports and states."""
    time, source, dest, port, state = zip(*sorted(rows), strict=True)
    micros = [round((START + each) * 1e6) for each in time]
    answered = [0 if each == "S0" else 900 for each in state]
    given = {
        "start_time": micros,
        "end_time": micros,
        "src_ip": source,
        "dst_ip": dest,
        "dst_port": port,
        "protocol": ["tcp"] * len(time),
        "src_bytes": [size] * len(time),
        "dst_bytes": answered,
        "dst_packets": [min(each, 3) for each in answered],
        "flows": [1] * len(time),
        "state": state,
    }
    columns = [
        pa.array(given[field.name]).cast(field.type)
        if field.name in given
        else pa.nulls(len(time), field.type)
        for field in SCHEMA
    ]
    return pa.table(columns, schema=SCHEMA)


def found(rule: Rule, table: pa.Table) -> set[tuple[str, str | None, str | None, int | None]]:
    raised = rule.run(table, ["10.0.0.0/8"])
    return set(raised.select("detector", "source", "dest", "dst_port").iter_rows())


def called(dest: str, times: Iterable[float], port: int = 443) -> list[Row]:
    return [(each, HOST, dest, port, "SF") for each in times]


def clock(period: float, count: int, jitter: float = 0, seed: int = 1) -> list[float]:
    roll = random.Random(seed)
    gaps = (period * (1 + jitter * (2 * roll.random() - 1)) for _ in range(count))
    return list(itertools.accumulate(gaps))


def share_of_gaps(times: Sequence[float]) -> tuple[int, float]:
    """Return calls and share of gaps by the definition of the gap share."""
    ordered = sorted(times)
    gaps = [b - a for a, b in itertools.pairwise(ordered)]
    limit = max(1.0, statistics.median(gaps) / 10)
    kept = [ordered[0]] + [b for a, b in itertools.pairwise(ordered) if b - a >= limit]
    gaps = [b - a for a, b in itertools.pairwise(kept)]
    middle = statistics.median(gaps)
    return len(kept), statistics.mean(abs(gap / middle - 1) <= 0.3 for gap in gaps)


@pytest.mark.parametrize("seed", range(5))
def test_the_gap_share_is_that_of_its_definition(seed: int) -> None:
    roll = random.Random(seed)
    groups = {}
    for number in range(40):
        times = clock(20 + 300 * roll.random(), 10 + number, roll.random(), number)
        bursts = [each + 0.4 for each in times if roll.random() < 0.3]
        groups[f"192.0.2.{number}"] = [round(each, 3) for each in times + bursts]
    table = flows(row for dest, times in groups.items() for row in called(dest, times))
    expected = set()
    for dest, times in groups.items():
        calls, share = share_of_gaps(times)
        if calls >= 12 and share >= 0.6:
            expected.add(("beacons", HOST, dest, 443))
    assert 5 < len(expected) < 35
    assert found(GAP_SHARE, table) == expected


def test_sentinel_wants_equal_seconds() -> None:
    table = flows(
        [
            *called("192.0.2.1", clock(60, 40)),
            *called("192.0.2.2", clock(60, 40, 0.2)),
            *called("192.0.2.3", clock(9, 300)),
            *called("192.0.2.4", clock(300, 40)),
            *called("10.0.0.9", clock(60, 40)),
        ]
    )
    assert found(SENTINEL, table) == {("beacons", HOST, "192.0.2.1", 443)}


def test_elastic_wants_a_rhythm_and_equal_bytes() -> None:
    regular = called("192.0.2.1", clock(300, 100))
    restless = called("192.0.2.2", [30_000 * random.Random(i).random() for i in range(100)])
    assert found(ELASTIC, flows([*regular, *restless])) == {("beacons", HOST, "192.0.2.1", 443)}
    varied = flows(regular).set_column(
        SCHEMA.get_field_index("src_bytes"), "src_bytes", pa.array([100 * i for i in range(100)])
    )
    assert found(ELASTIC, varied) == set()


def test_rita_scores_a_clock_high_and_a_burst_low() -> None:
    day = [*called("192.0.2.1", clock(300, 280)), *called("192.0.2.2", [5, 6, 8, 30, 31, 900])]
    inbound = [(each, "192.0.2.3", HOST, 443, "SF") for each in clock(300, 280)]
    for rule in RITA:
        assert found(rule, flows([*day, *inbound])) == {("beacons", HOST, "192.0.2.1", None)}
    scores = RITA[0].run(flows(day), None)["score"].to_list()
    assert scores == [pytest.approx(1.0, abs=0.05)]


def test_zeek_counts_failed_hosts_and_ports_in_five_minutes() -> None:
    sweep = [(i, HOST, f"192.0.2.{i}", 22, "S0") for i in range(25)]
    slow = [(60 * i, "10.0.0.2", f"192.0.2.{i}", 22, "S0") for i in range(25)]
    answered = [(i, "10.0.0.3", f"192.0.2.{i}", 22, "SF") for i in range(25)]
    ports = [(i, "10.0.0.4", "192.0.2.1", 100 + i, "S0") for i in range(15)]
    fewer = [(i, "10.0.0.5", "192.0.2.1", 100 + i, "S0") for i in range(14)]
    assert found(ZEEK, flows([*sweep, *slow, *answered, *ports, *fewer])) == {
        ("host_sweeps", HOST, None, 22),
        ("port_scans", "10.0.0.4", "192.0.2.1", None),
    }


def test_the_random_walk_ends_at_its_limits() -> None:
    least = math.floor(math.log(99) / math.log(4)) + 1
    enough = [(i, HOST, f"192.0.2.{i}", 22, "S0") for i in range(least)]
    fewer = [(i, "10.0.0.2", f"192.0.2.{i}", 22, "S0") for i in range(least - 1)]
    again = [(i, "10.0.0.3", "192.0.2.1", 22, "S0") for i in range(50)]
    cleared = [(i, "10.0.0.4", f"192.0.2.{i}", 22, "SF") for i in range(least)]
    cleared += [(100 + i, "10.0.0.4", f"192.0.2.{100 + i}", 22, "S0") for i in range(3 * least)]
    assert found(WALK, flows([*enough, *fewer, *again, *cleared])) == {("scans", HOST, None, None)}
