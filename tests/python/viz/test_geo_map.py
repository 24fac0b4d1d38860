"""The map of a host's peers: locations, facts, and escaping."""

from __future__ import annotations

import re
import sys
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

pytest.importorskip("msticpy")

from msticpy.vis.foliummap import FoliumMap

import flowtriage
from flow_map import GOOGLE, HOST, RIPE, Text, draw, layers, note, page, peer, row
from flowtriage import AsnDatabase
from flowtriage.errors import InputError, MissingExtraError

pytestmark = pytest.mark.extra

DATA = Path(flowtriage.__file__).parent / "data"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "</script a=",
    "<!-- <script ",
    "`);alert(1);(`",
    "${1+1}",
    "{{ 7 * 7 }}",
    "{% for one in (1, 2) %}again{% endfor %}",
    "{# unseen #}",
    "\\u003cb\\u003e'\"&amp;",
]


def test_the_map_is_that_of_msticpy_with_its_locations() -> None:
    drawn = draw(row(HOST, GOOGLE, "O"), row(HOST, RIPE, "O"))
    assert isinstance(drawn, FoliumMap)
    united_states, netherlands = (39.5, -98.4), (52.2, 5.6)
    assert sorted(drawn.locations) == [united_states, netherlands]
    assert page(drawn).count("flowtriageMap.fit(") == 1


def test_the_locations_are_listed_for_a_page() -> None:
    drawn = draw(row(HOST, RIPE, "O"), row(HOST, GOOGLE, "O", TotalAllowedFlows=2))
    assert drawn.places["Address"].to_pylist() == [GOOGLE, RIPE]
    assert drawn.places["Country"].to_pylist() == ["United States", "Netherlands"]


def test_addresses_without_a_location_are_counted() -> None:
    drawn = draw(
        row(HOST, GOOGLE, "O"),
        *(row(HOST, address, "O") for address in ("10.9.9.9", "224.0.0.251", "fe80::1")),
        row(HOST, None, "O"),
    )
    assert peer(drawn)["Address"] == GOOGLE
    assert "1 address in 1 country; 3 without a location" in note(drawn)
    assert "country level, from the bundled database" in note(drawn)


def test_an_empty_map_is_a_map() -> None:
    drawn = draw()
    assert layers(drawn) == [[], []]
    assert drawn.locations == []
    assert "flowtriageMap.fit(" not in page(drawn)
    assert "0 addresses in 0 countries" in note(drawn)


def test_a_public_host_is_on_the_map_and_a_private_one_in_the_note() -> None:
    drawn = draw(row(HOST, GOOGLE, "O"), hosts=[HOST, f"::ffff:{RIPE}", RIPE])
    (host,) = layers(drawn)[1]
    assert (host[""], host["Host"], host["Country"]) == ("host", RIPE, "Netherlands")
    assert f"Host without a location: {HOST}\n" in note(drawn)
    private = [f"10.0.0.{at}" for at in range(5)]
    assert "10.0.0.0, 10.0.0.1, 10.0.0.2 and 2 more\n" in note(draw(hosts=private))
    with pytest.raises(InputError):
        draw(hosts=["not an address"])


class HostileNames(AsnDatabase):
    """Names every network as an attacker might."""

    def lookup(self, addresses: Any) -> pa.Table:
        known = super().lookup(addresses)
        names = [HOSTILE[at % len(HOSTILE)] for at in range(len(known))]
        return known.set_column(2, "as_name", pa.array(names, pa.string()))


def test_untrusted_text_is_data_to_every_reader() -> None:
    peers = [f"8.8.8.{100 + at}" for at in range(len(HOSTILE))]
    drawn = draw(
        *(row(HOST, one, "O", L7Protocol=HOSTILE[at]) for at, one in enumerate(peers)),
        hosts=[HOST, RIPE],
        asn=HostileNames(),
    )
    html = page(drawn)
    known = sorted(layers(drawn)[0], key=lambda marker: str(marker["Address"]))
    assert [marker["Network"] for marker in known] == [f"AS15169 {text}" for text in HOSTILE]
    assert [marker["Protocols"] for marker in known] == HOSTILE
    assert not [text for text in HOSTILE[:-1] if text in html]
    calm = page(draw(row(HOST, GOOGLE, "O"), hosts=[HOST, RIPE]))
    assert Text(html).tags == Text(calm).tags


THREATS = {
    "address": [GOOGLE],
    "severity": ["high"],
    "threat": ["drop: SBL1\nOTX: <script>alert(1)</script>"],
}


def test_threats_are_red_whatever_their_direction() -> None:
    rows = [row(HOST, GOOGLE, "O"), row(RIPE, HOST, "I")]
    drawn = draw(*rows, threats=pa.table(THREATS))
    known = {marker["Address"]: marker for marker in layers(drawn)[0]}
    assert (known[GOOGLE][""], known[RIPE][""]) == ("threat", "inbound")
    assert (known[GOOGLE]["Threat"], known[GOOGLE]["Known as"]) == ("high", THREATS["threat"][0])
    assert known[RIPE]["Threat"] is None
    assert known[GOOGLE]["Direction"] == "outbound"
    assert "1 address is known as a threat\n" in note(drawn)
    assert "<script>alert" not in page(drawn)
    clean = draw(*rows, threats=pa.table(THREATS).slice(0, 0))
    assert "Threat" in note(clean)
    assert "0 addresses are known as a threat\n" in note(clean)
    assert "hreat" not in note(draw(*rows))


def test_only_the_addresses_chosen_are_shown() -> None:
    rows = [row(HOST, GOOGLE, "O"), row(RIPE, HOST, "I"), row(HOST, "10.9.9.9", "L")]
    drawn = draw(*rows, only=pa.array([RIPE, "10.9.9.9"]))
    assert peer(drawn)["Address"] == RIPE
    assert "1 address in 1 country; 1 without a location" in note(drawn)


def test_a_notebook_shows_the_same_page() -> None:
    drawn = draw(row(HOST, GOOGLE, "O"))
    (inner,) = re.findall(r'srcdoc="([^"]*)"', drawn._repr_html_())
    shown, saved = unescape(inner), page(drawn)
    calls = re.findall(r"= flowtriageMap\.layer\(.*\);", shown)
    assert len(calls) == 2
    assert all(call in saved for call in calls)
    assert Text(shown).note == Text(saved).note != ""


def test_a_database_of_the_user_is_not_credited_to_others() -> None:
    own = AsnDatabase(DATA / "country.mmdb")
    drawn = draw(row(HOST, GOOGLE, "O"), asn=own)
    assert "from the given database" in note(drawn)
    assert "DB-IP" not in note(drawn)
    assert "IP Geolocation by DB-IP" in note(draw())
    assert peer(drawn)["Network"] == "No ASN record"


@pytest.mark.parametrize("library", ["msticpy.vis.foliummap", "folium"])
def test_a_missing_library_is_reported(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = [name for name in sys.modules if name.startswith((library, "msticpy.vis.foliummap"))]
    own = [f"flowtriage.viz.maps.{part}" for part in ("layer", "page")]
    for name in [*gone, *own]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r'pip install "flowtriage\[notebook\]"'):
        draw()
