"""The page of a map: Leaflet, markers, and a note with their key."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape
from pathlib import Path

from msticpy.vis.foliummap import FoliumMap

from flowtriage.viz.colours import DENIED, DIRECTIONS, UNKNOWN
from flowtriage.viz.maps.layer import FinishedHtml, MarkerLayer, View

_HERE = Path(__file__).parent
_LEAFLET = _HERE.parents[1] / "data" / "leaflet"
_COLOURS = {
    "threat": DENIED,
    "outbound": DIRECTIONS["O"],
    "both": DIRECTIONS["O"],
    "inbound": DIRECTIONS["I"],
    "other": UNKNOWN,
    "host": DIRECTIONS["L"],
}
_KEY = {
    "outbound": "Outbound",
    "inbound": "Inbound",
    "both": "Two-way",
    "other": "Other direction",
    "host": "Host",
    "threat": "Threat",
}


def draw_map(
    layers: Sequence[MarkerLayer],
    summary: str,
    kinds: Collection[str],
    lines: Sequence[str],
    credits: Mapping[str, str],
) -> FoliumMap:
    """Draw layers of markers and a note, whose key has `kinds`, on a map that includes Leaflet."""
    result = FoliumMap(location=[20, 0], zoom_start=2)
    drawing = result.folium_map
    drawing.control_scale = False  # distances have no meaning at country level
    drawing.default_js = [link for link in drawing.default_js if link[0] != "leaflet"]
    drawing.default_css = [link for link in drawing.default_css if link[0] != "leaflet_css"]
    for layer in layers:
        layer.add_to(drawing)
        result.locations.extend(layer.points)
    if result.locations:
        View(result.locations).add_to(drawing)
    page = drawing.get_root()
    page.header.add_child(FinishedHtml(_style_and_script()))
    page.html.add_child(FinishedHtml(_note(summary, kinds, lines, credits)))
    return result


def _style_and_script() -> str:
    colours = "".join(f"--ft-{kind}:{colour};" for kind, colour in _COLOURS.items())
    styles = (_LEAFLET / "leaflet.css", _LEAFLET / "markercluster.css", _HERE / "geo_map.css")
    scripts = (_LEAFLET / "leaflet.js", _LEAFLET / "markercluster.js", _HERE / "geo_map.js")
    style, script = ("\n".join(map(_text, files)) for files in (styles, scripts))
    return f"<style>:root{{{colours}}}\n{style}</style>\n<script>\n{script}</script>"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _note(
    summary: str, kinds: Collection[str], lines: Sequence[str], credits: Mapping[str, str]
) -> str:
    key = "".join(
        f'<li><span class="ft-swatch ft-{kind}"></span>{label}</li>'
        for kind, label in _KEY.items()
        if kind in kinds
    )
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    sources = ", ".join(
        f'<a href="{link}" target="_blank" rel="noopener">{source}</a>'
        for source, link in credits.items()
    )
    return (
        f'<details class="ft-note" open><summary>{escape(summary)}</summary><ul>{key}</ul>{text}'
        f"<p><small>{sources}</small></p></details>"
    )
