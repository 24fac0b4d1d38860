"""The point of each country, beside the bundled database."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

pytest.importorskip("maxminddb")

import maxminddb

import flowtriage

pytestmark = pytest.mark.extra

DATA = Path(flowtriage.__file__).parent / "data"


def countries() -> list[dict[str, str]]:
    with (DATA / "countries.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_country_of_the_bundled_database_has_a_point() -> None:
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
