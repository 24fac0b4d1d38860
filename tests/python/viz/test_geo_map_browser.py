"""A flow map in a real Chromium that cannot reach the network."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

pytest.importorskip("msticpy")
pytest.importorskip("playwright")


from flow_map import GOOGLE, HOST, RIPE, draw, page, row

pytestmark = [pytest.mark.extra, pytest.mark.browser]

ADDRESS = "http://map.example/"
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "`);alert(1);(`",
    "${1+1}",
]
BLUE, PURPLE, GREEN, RED = (
    *("rgb(0, 114, 178)", "rgb(170, 68, 153)", "rgb(34, 139, 85)", "rgb(193, 18, 31)"),
)
MARKERS = """
[...Object.keys(window)].filter((name) => name.startsWith("marker_layer_"))
  .flatMap((name) => window[name].getLayers())
"""


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    """A page without a network; no dialog may open, and no error may occur."""
    tab, trouble = browser.new_page(viewport={"width": 900, "height": 500}), []
    tab.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    tab.on("pageerror", lambda error: trouble.append(str(error)))
    tab.route("**/*", lambda route: route.abort())
    yield tab
    tab.close()
    assert trouble == []


def show(tab: Any, drawn: Any) -> None:
    tab.route(ADDRESS, lambda route: route.fulfill(body=page(drawn), content_type="text/html"))
    tab.goto(ADDRESS)


def lines(tab: Any, where: str) -> list[str]:
    tab.locator(f"{where} .ft-facts").wait_for()
    return tab.locator(f"{where} .ft-facts > *").all_inner_texts()


def fill(tab: Any, kind: str) -> str:
    return tab.locator(f".ft-marker.ft-{kind}").evaluate(
        "(one) => getComputedStyle(one.querySelector('svg') ?? one)"
        "[one.querySelector('svg') ? 'fill' : 'backgroundColor']"
    )


def test_hovering_shows_few_facts_and_a_click_all(visit: Any) -> None:
    show(visit, draw(row(HOST, GOOGLE, "O", src_bytes=None), hosts=[HOST, RIPE]))
    brief = ["Address", GOOGLE, "Country", "United States", "Flows", "1"]
    visit.locator(".ft-marker.ft-outbound").hover()
    assert lines(visit, ".leaflet-tooltip") == brief
    visit.locator(".ft-marker.ft-outbound").click()
    full = lines(visit, ".leaflet-popup")
    assert full[:6] == brief
    assert full[6:8] == ["Network", "AS15169 Google LLC"]
    assert "Bytes to host" in full and "Bytes from host" not in full
    visit.locator(".leaflet-tooltip").wait_for(state="detached")
    visit.locator(".ft-marker.ft-host").hover()
    assert lines(visit, ".leaflet-tooltip")[:4] == ["Host", RIPE, "Country", "Netherlands"]


def test_four_colours_stand_for_four_kinds(visit: Any) -> None:
    far = {"outbound": GOOGLE, "inbound": "1.1.1.1", "threat": "200.160.2.3"}
    rows = [row(HOST, far["outbound"], "O"), row(far["inbound"], HOST, "I")]
    known = pa.table({"address": [far["threat"]], "severity": ["high"], "threat": ["drop: SBL1"]})
    drawn = draw(*rows, row(HOST, far["threat"], "O"), hosts=[RIPE, HOST], threats=known)
    show(visit, drawn)
    colours = [fill(visit, kind) for kind in ("outbound", "inbound", "host", "threat")]
    assert colours == [BLUE, PURPLE, GREEN, RED]
    visit.locator(".ft-marker.ft-threat").click()
    full = lines(visit, ".leaflet-popup")
    assert full[full.index("Known as") + 1] == "drop: SBL1"


def test_untrusted_text_is_shown_and_not_run(visit: Any) -> None:
    peers = [f"8.8.8.{at}" for at in range(len(ATTACKS))]
    known = pa.table({"address": peers, "severity": ["high"] * len(peers), "threat": ATTACKS})
    rows = zip(peers, ATTACKS, strict=True)
    flows = [row(HOST, one, "O", L7Protocol=text) for one, text in rows]
    show(visit, draw(*flows, threats=known))
    for label in ("Protocols", "Known as"):
        shown = visit.evaluate(
            f"""{MARKERS}.map((marker) => {{
              const list = marker.getPopup().getContent()(marker);
              document.body.append(list);
              const terms = [...list.children].map((line) => line.innerText);
              return terms[terms.indexOf("{label}") + 1];
            }})"""
        )
        assert sorted(shown) == sorted(ATTACKS)
    assert visit.locator("dl img, dl script").count() == 0


def test_a_ring_shows_counts_by_kind(visit: Any) -> None:
    show(
        visit,
        draw(
            row(HOST, "8.8.8.1", "O"),
            row(HOST, "8.8.8.2", "O"),
            row("8.8.8.2", HOST, "I"),
            row("8.8.8.3", HOST, "I"),
            row("8.8.8.4", HOST, "I"),
        ),
    )
    # While the map moves to its bounds, the ring is there twice.
    visit.wait_for_function("document.querySelectorAll('.ft-ring').length === 1")
    face = visit.locator(".ft-ring").first
    assert face.inner_text() == "4"
    assert face.get_attribute("title") == "4 addresses: 1 outbound, 1 two-way, 2 inbound"
    ring = face.evaluate("(one) => getComputedStyle(one).backgroundImage")
    assert ring.count(BLUE) == 4 and ring.count(PURPLE) == 2
    assert ring.index(BLUE) < ring.index(PURPLE)
    face.click()
    visit.locator(".ft-marker.ft-both").wait_for()
    assert visit.locator(".ft-marker").count() == 4


@pytest.mark.parametrize(("width", "is_open", "room"), [(900, True, 255), (400, False, 5)])
def test_the_note_leaves_a_narrow_map_free(
    visit: Any, width: int, is_open: bool, room: int
) -> None:
    visit.set_viewport_size({"width": width, "height": 400})
    show(visit, draw(row(HOST, GOOGLE, "O")))
    note = visit.locator(".ft-note")
    assert note.evaluate("(one) => one.open") == is_open
    assert "country level" in note.inner_text()
    padding = f"{MARKERS}[0].getPopup().options.autoPanPaddingTopLeft[0]"
    assert visit.evaluate(padding) == room
    box = note.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["y"] >= 0


def test_ten_thousand_addresses_stay_usable(visit: Any) -> None:
    peers = [f"{8 + at % 150}.{at // 150}.7.1" for at in range(10_000)]
    drawn = draw(*(row(HOST, one, "O") for one in peers))
    started = time.monotonic()
    show(visit, drawn)
    visit.locator(".ft-ring").first.wait_for()
    assert time.monotonic() - started < 10
    assert visit.evaluate(f"{MARKERS}.length") == len(drawn.places) > 9_000
    assert visit.locator(".leaflet-marker-icon").count() < 300
    started = time.monotonic()
    count = visit.locator(".ft-ring").count()
    visit.locator(".ft-ring").first.click(force=True)
    visit.wait_for_function(f"document.querySelectorAll('.ft-ring').length !== {count}")
    assert time.monotonic() - started < 5
