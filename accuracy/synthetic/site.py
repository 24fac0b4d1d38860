"""One day of a synthetic site: hosts with one beacon each, and clean hosts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa

from accuracy.synthetic import background, networks
from accuracy.synthetic.beacons import (
    BUSY_PROXY,
    CLOUD,
    NAT,
    PROXY,
    TWO_BEHIND_NAT,
    Beacon,
    call_times,
    calls,
)
from accuracy.synthetic.draw import Draw
from accuracy.synthetic.flows import Batch, table

BEACONS = 42
"""Beacons of a site, each to a network of its own."""

CLEAN = 14
"""Hosts without a beacon."""

BEHIND_NAT = 4
"""People behind a gateway."""

INTERNAL = ("10.0.0.0/8",)


@dataclass(frozen=True)
class Planted:
    """A beacon, its addresses, and how many of its calls are in the log."""

    beacon: Beacon
    source: str
    dest: str
    port: int
    calls: int


@dataclass(frozen=True)
class Site:
    """A day of a site; `hosts` is the number of internal addresses."""

    flows: pa.Table
    planted: list[Planted]
    hosts: int


def sites(cells: Sequence[Beacon], seed: int) -> Iterator[Site]:
    """Yield sites until every cell is planted, in random order."""
    draw = Draw(seed)
    order = [cells[position] for position in draw.order(len(cells))]
    for number, first in enumerate(range(0, len(order), BEACONS)):
        yield site(order[first : first + BEACONS], number, draw)


def site(beacons: Sequence[Beacon], number: int, draw: Draw) -> Site:
    """Return one site."""
    addresses, office, controllers = _plan(beacons, number, draw)
    batches: list[Batch] = list(background.background(office, draw))
    planted = []
    for host, (beacon, controller) in enumerate(zip(beacons, controllers, strict=True)):
        copies = 2 if beacon.path == TWO_BEHIND_NAT else 1
        times = [call_times(beacon, draw) for _ in range(copies)]
        both = np.sort(np.concatenate(times))
        batch = calls(beacon, both, host, controller, office.proxy, draw)
        batches.append(batch)
        dest = office.proxy if beacon.path in (PROXY, BUSY_PROXY) else controller
        planted.append(Planted(beacon, addresses[host], addresses[dest], batch.port, len(times[0])))
    return Site(table(batches, addresses, draw), planted, len(beacons) + CLEAN)


def _plan(
    beacons: Sequence[Beacon], number: int, draw: Draw
) -> tuple[list[str], background.Office, list[int]]:
    """Return all addresses, who uses them, and the positions of the controllers."""
    hosts = len(beacons) + CLEAN
    paths = [beacon.path for beacon in beacons] + [""] * CLEAN
    people = [BEHIND_NAT if path in (NAT, TWO_BEHIND_NAT) else 1 for path in paths]
    person = np.repeat(np.arange(hosts), people)
    prefix = f"10.{number % 250}"
    inside = [f"{prefix}.{1 + host // 200}.{20 + host % 200}" for host in range(hosts)]
    servers = [f"{prefix}.0.{last}" for last in (10, 20, 30)]
    clocks = ["162.159.200.123", "193.79.237.14"]
    popular = [f"{net}.{last}" for net in networks.POPULAR for last in (10, 40, 90)]
    rare = [f"{networks.RARE[i % len(networks.RARE)]}.{5 + i // 15}" for i in range(len(person))]
    hosting = draw.order(len(networks.HOSTING))
    controllers = [
        f"{_controller_network(beacon.path, hosting[i], i)}.{20 + i}"
        for i, beacon in enumerate(beacons)
    ]
    groups = [inside, servers, clocks, popular, rare, controllers]
    begins = np.cumsum([0, *map(len, groups)])
    resolver, mail, proxy = range(begins[1], begins[2])
    sessions = [background.QUIET_SESSIONS if path == PROXY else background.SESSIONS
                for path in paths]  # fmt: skip
    proxied = [path in (PROXY, BUSY_PROXY) for path in paths]
    office = background.Office(
        person, np.repeat(sessions, people), np.repeat(proxied, people),
        np.arange(begins[4], begins[5]), np.arange(begins[3], begins[4]), int(resolver),
        int(mail), int(proxy), np.arange(begins[2], begins[3]),
    )  # fmt: skip
    return list(chain.from_iterable(groups)), office, list(range(begins[5], begins[6]))


def _controller_network(path: str, hosting: int, position: int) -> str:
    if path == CLOUD:
        return networks.CLOUD[position % len(networks.CLOUD)]
    return networks.HOSTING[hosting]
