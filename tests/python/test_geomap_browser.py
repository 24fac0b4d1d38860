"""The script of a flow map in a real Chromium, over a stand-in for Leaflet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
LEAFLET = """
const drawn = [];
class Layer {
  constructor(point, options) { Object.assign(this, { point, options }); }
  bindTooltip(text) { this.tooltip = text; return this; }
  bindPopup(text, options) { this.popup = text; this.room = options; return this; }
  on() { return this; }
  addTo() { drawn.push(this); return this; }
  addLayers(markers) { this.markers = markers; return this; }
  fitBounds() { return this; }
}
const L = {
  CRS: {},
  map: () => new Layer(),
  tileLayer: () => new Layer(),
  divIcon: (options) => options,
  marker: (point, options) => new Layer(point, options),
  markerClusterGroup: (options) => new Layer(null, options),
  layerGroup: (markers) => new Layer().addLayers(markers),
};
"""
GROUPS = "[...new Set(drawn)].filter((one) => one.markers)"
CLUSTER = f"""(() => {{
  const [group] = {GROUPS};
  const icon = group.options.iconCreateFunction({{
    getAllChildMarkers: () => group.markers,
    getChildCount: () => group.markers.length,
  }});
  document.body.append(icon.html);
  return [icon.html.innerText, icon.html.title, getComputedStyle(icon.html).backgroundImage];
}})()"""


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    """A page over the stand-in; no dialog may open, and no error may occur."""
    tab, trouble = browser.new_page(viewport={"width": 900, "height": 500}), []
    tab.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    tab.on("pageerror", lambda error: trouble.append(str(error)))
    tab.route("**/*", lambda route: route.abort())
    tab.route("**/leaflet.js", lambda route: route.fulfill(body=LEAFLET))
    yield tab
    tab.close()
    assert trouble == []


def show(tab: Any, drawn: Any) -> None:
    tab.route(ADDRESS, lambda route: route.fulfill(body=page(drawn), content_type="text/html"))
    tab.goto(ADDRESS)


def facts(tab: Any, group: int, text: str) -> list[list[str]]:
    """Open the tooltip or popup of each marker of a group, and read its lines."""
    return tab.evaluate(
        f"""{GROUPS}[{group}].markers.map((marker) => {{
          const shown = marker.{text}();
          document.body.append(shown);
          return [...shown.children].map((line) => line.innerText);
        }})"""
    )


def test_hovering_tells_little_and_a_click_all(visit: Any) -> None:
    show(visit, draw(row(HOST, GOOGLE, "O", src_bytes=None), hosts=[HOST, RIPE]))
    brief = ["Address", GOOGLE, "Country", "United States", "Flows", "1"]
    assert facts(visit, 0, "tooltip") == [brief]
    (full,) = facts(visit, 0, "popup")
    assert full[:6] == brief
    assert full[6:8] == ["Network", "AS15169 Google LLC"]
    assert "Bytes to host" in full and "Bytes from host" not in full
    assert facts(visit, 1, "tooltip")[0][:4] == ["Host", RIPE, "Country", "Netherlands"]


def test_foreign_text_is_shown_and_not_run(visit: Any) -> None:
    peers = [f"8.8.8.{at}" for at in range(len(ATTACKS))]
    rows = zip(peers, ATTACKS, strict=True)
    show(visit, draw(*(row(HOST, one, "O", L7Protocol=text) for one, text in rows)))
    shown = [lines[lines.index("Protocols") + 1] for lines in facts(visit, 0, "popup")]
    assert sorted(shown) == sorted(ATTACKS)
    assert visit.locator("img").count() == 0


def test_a_ring_tells_how_many_and_which(visit: Any) -> None:
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
    text, title, ring = visit.evaluate(CLUSTER)
    assert text == "4"
    assert title == "4 addresses: 1 outbound, 1 both ways, 2 inbound"
    blue, purple = "rgb(0, 114, 178)", "rgb(170, 68, 153)"
    assert ring.count(blue) == 4 and ring.count(purple) == 2
    assert ring.index(blue) < ring.index(purple)


@pytest.mark.parametrize(("width", "is_open", "room"), [(900, True, 255), (400, False, 5)])
def test_the_note_leaves_a_narrow_map_free(
    visit: Any, width: int, is_open: bool, room: int
) -> None:
    visit.set_viewport_size({"width": width, "height": 400})
    show(visit, draw(row(HOST, GOOGLE, "O")))
    note = visit.locator(".ft-note")
    assert note.evaluate("(one) => one.open") == is_open
    assert "country level" in note.inner_text()
    assert visit.evaluate(f"{GROUPS}[0].markers[0].room.autoPanPaddingTopLeft[0]") == room
    box = note.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["y"] >= 0
