"""Where countries are, and how the addresses of one are spread."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import pytest

pytest.importorskip("msticpy")
pytest.importorskip("maxminddb")

import maxminddb

import flowtriage
from flow_map import GOOGLE, GOOGLE_2, HOST, draw, layers, row

pytestmark = pytest.mark.extra

DATA = Path(flowtriage.__file__).parent / "data"


def countries() -> list[dict[str, str]]:
    with (DATA / "countries.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_country_of_the_embedded_database_has_a_point() -> None:
    with maxminddb.open_database(DATA / "country.mmdb") as reader:
        known = {record["country_code"] for _, record in reader}
    codes = [country["code"] for country in countries()]
    assert codes == sorted(set(codes))
    assert set(codes) == known
    assert len(set(codes) - {"AN", "XK"}) == 249


def test_the_points_of_countries_are_where_they_should_be() -> None:
    rows = {country["code"]: country for country in countries()}
    places = {c: (float(r["latitude"]), float(r["longitude"])) for c, r in rows.items()}
    for code, written in rows.items():
        assert re.fullmatch(r"-?\d+(\.\d\d?)?", written["latitude"]), code
        assert re.fullmatch(r"-?\d+(\.\d\d?)?", written["longitude"]), code
        assert -85 < places[code][0] < 85 and -180 <= places[code][1] <= 180, code
    corners = {
        "US": (26, 49, -124, -67),
        "NA": (-29, -17, 12, 25),
        "NO": (58, 71, 5, 31),
        "BR": (-33, 5, -73, -35),
        "JP": (31, 45, 130, 145),
        "NZ": (-47, -34, 166, 179),
        "SG": (1.2, 1.5, 103.6, 104.1),
    }
    for code, (south, north, west, east) in corners.items():
        assert south < places[code][0] < north and west < places[code][1] < east, code
    assert rows["NA"]["name"] == "Namibia"


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
