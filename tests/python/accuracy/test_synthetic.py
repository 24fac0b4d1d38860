"""The synthetic grid: its cells, and that flows are what the cells say."""

from __future__ import annotations

import itertools
from ipaddress import ip_address

import pytest

pl = pytest.importorskip("polars")
np = pytest.importorskip("numpy")

import flowtriage as ft  # noqa: E402
from accuracy import figures  # noqa: E402
from accuracy.synthetic import networks  # noqa: E402
from accuracy.synthetic.beacons import CLOUD, DIRECT, NAT, PROXY, Beacon, call_times  # noqa: E402
from accuracy.synthetic.draw import DAY, Draw  # noqa: E402
from accuracy.synthetic.site import BEACONS, CLEAN, site, sites  # noqa: E402

pytestmark = pytest.mark.extra


def test_the_grid_has_every_combination_once() -> None:
    cells = figures.cells()
    assert len(cells) == len(set(cells)) == 7 * 6 * 5 * 2 * 2 * 3
    assert set(figures.reduced_cells()) < set(cells)
    assert not set(figures.hard_cells()) & set(cells)


@pytest.mark.parametrize("jitter", [0.0, 0.3, 0.5])
def test_gaps_stay_within_the_jitter(jitter: float) -> None:
    times = call_times(Beacon(60, jitter, 0.0, False, False, DIRECT), Draw(3))
    gaps = np.diff(times)
    assert times.min() >= 0 and times.max() < DAY
    assert abs(len(times) - 1440) <= 30
    assert gaps.min() >= 60 * (1 - jitter) - 1e-6
    assert gaps.max() <= 60 * (1 + jitter) + 1e-6
    assert np.abs(gaps / 60 - 1).max() >= 0.9 * jitter


def test_calls_are_lost_and_hosts_sleep() -> None:
    lossy = call_times(Beacon(30, 0.1, 0.4, False, False, DIRECT), Draw(4))
    assert len(lossy) / 2880 == pytest.approx(0.6, abs=0.03)
    asleep = call_times(Beacon(30, 0.1, 0.0, True, False, DIRECT), Draw(4))
    assert asleep.min() >= 6 * 3600 and asleep.max() < 22 * 3600


def test_a_seed_gives_the_same_flows() -> None:
    cells = figures.reduced_cells()
    first, again = (next(sites(cells, 5)) for _ in range(2))
    other = next(sites(cells, 6))
    assert first.flows.equals(again.flows) and first.planted == again.planted
    assert not first.flows.equals(other.flows)
    assert len(first.planted) == BEACONS and first.hosts == BEACONS + CLEAN


def test_planted_calls_are_in_the_flows() -> None:
    cells = [Beacon(300, 0.2, 0.1, False, True, path) for path in (DIRECT, NAT, PROXY, CLOUD)]
    made = site(cells, 3, Draw(7))
    counted = made.flows.group_by(["src_ip", "dst_ip", "dst_port"]).aggregate([("flows", "sum")])
    flows = {(r["src_ip"], r["dst_ip"], r["dst_port"]): r["flows_sum"] for r in counted.to_pylist()}
    for each in made.planted:
        there = flows[each.source, each.dest, each.port]
        assert there > each.calls if each.beacon.path == PROXY else there == each.calls
    proxy = made.planted[2].dest
    assert ip_address(proxy).is_private
    assert len({each.source for each in made.planted}) == 4
    people = pl.DataFrame(made.flows).filter(pl.col("dst_port") == 993).group_by("src_ip").len()
    polls = dict(people.iter_rows())
    assert polls[made.planted[1].source] > 3 * polls[made.planted[0].source]


def test_controllers_have_networks_of_their_own() -> None:
    names = ft.AsnDatabase().lookup([f"{net}.7" for net in networks.HOSTING])
    assert names["asn"].null_count == 0
    assert len(set(names["asn"].to_pylist())) == len(networks.HOSTING) >= BEACONS
    visited = ft.AsnDatabase().lookup([f"{net}.7" for net in networks.POPULAR + networks.RARE])
    assert not set(names["asn"].to_pylist()) & set(visited["asn"].to_pylist())
    everything = [*networks.HOSTING, *networks.POPULAR, *networks.RARE, *networks.CLOUD]
    assert all(a != b for a, b in itertools.combinations(everything, 2))
