"""How the addresses of a country are spread around its point."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("msticpy")

from flow_map import GOOGLE, GOOGLE_2, HOST, draw, layers, row

pytestmark = pytest.mark.extra


def test_addresses_of_a_country_are_spread_close_to_its_point() -> None:
    def points(count: int) -> list[tuple[float, float]]:
        peers = [f"8.8.{at // 250}.{at % 250 + 1}" for at in range(count)]
        drawn = draw(*(row(HOST, address, "O", TotalAllowedFlows=2) for address in peers[::-1]))
        again = draw(*(row(HOST, address, "O", TotalAllowedFlows=2) for address in peers))
        assert layers(drawn) == layers(again)
        return [(y, x) for y, x in (known["point"] for known in layers(drawn)[0])]

    def reach(places: list[tuple[float, float]]) -> tuple[float, float]:
        narrowing = math.cos(math.radians(39.5))
        north, east = ([place[axis] for place in places] for axis in (0, 1))
        return max(north) - 39.5, (max(east) + 98.4) * narrowing

    few, many = points(9), points(6000)
    assert few[0] == many[0] == (39.5, -98.4)
    assert (len(set(few)), len(set(many))) == (9, 6000)
    assert all(0.03 < side < 0.1 for side in reach(few))
    assert all(1.9 < side < 2.01 for side in reach(many))


def test_the_busiest_address_of_a_country_is_in_the_middle() -> None:
    drawn = draw(row(HOST, GOOGLE_2, "O"), row(HOST, GOOGLE, "O", TotalAllowedFlows=2))
    middle = next(known for known in layers(drawn)[0] if known["point"] == [39.5, -98.4])
    assert middle["Address"] == GOOGLE
