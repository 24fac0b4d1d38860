"""Location of addresses: Spot's file, and files in MaxMind's format."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from flowtriage.enrich.geolocation import IpLocations, MaxMindLocations
from flowtriage.errors import FormatError
from spot_files import iploc, written

GOOGLE, QUAD9 = "8.8.8.8", "9.9.9.9"


def test_locations_from_spots_file(tmp_path: Path) -> None:
    places = IpLocations(iploc(tmp_path))
    assert places.unusable == 1
    found = places.find(pa.array([GOOGLE, QUAD9, "8.8.9.0", "2001:db8::1", None])).to_pylist()
    nothing = dict.fromkeys(("geoloc", "domain", "latitude", "longitude"))
    google = {
        "geoloc": 'California;Mountain, View Google "LLC"',
        "domain": "google.com",
        "latitude": 37.4,
        "longitude": -122.1,
    }
    assert found == [google, nothing, nothing, nothing, nothing]
    with pytest.raises(FormatError, match="ten columns"):
        IpLocations(written(tmp_path / "bad.csv", "1,2,3\n"))


def test_locations_from_maxmind_databases(shared: Path) -> None:
    city = shared / "mmdb" / "maxmind-test" / "GeoIP2-City-Test.mmdb"
    if not city.exists():
        pytest.skip("no city file")
    found = MaxMindLocations([city]).find(pa.array(["81.2.69.142", "10.0.0.1"])).to_pylist()
    assert found == [
        {"geoloc": "GB;London", "domain": None, "latitude": 51.5142, "longitude": -0.0931},
        dict.fromkeys(("geoloc", "domain", "latitude", "longitude")),
    ]
