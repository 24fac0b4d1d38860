"""The parts of a flow map which folium draws."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from branca.element import MacroElement
from folium import Element
from folium.plugins import MarkerCluster
from jinja2 import Template


class PlaceLayer(MarkerCluster):  # type: ignore[misc, unused-ignore]
    """Markers of places, made in the browser.

    Parameters
    ----------
    places
        Columns `latitude`, `longitude`, `kind`, and those of `facts`.
    facts
        Label of each column that a popup shows; a tooltip shows the first three.
    clustered
        Whether markers close to one another are drawn as one.
    """

    _template = Template(
        """{% macro script(this, kwargs) %}
        var {{ this.get_name() }} = flowtriageMap.layer({{ this.script_arguments }});
        {{ this.get_name() }}.addTo({{ this._parent.get_name() }});
        {% endmacro %}"""
    )

    def __init__(self, places: pa.Table, facts: dict[str, str], *, clustered: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self._name = "PlaceLayer"
        self.default_js, self.default_css = [], []
        self.places = places
        labels = {"kind": "", **facts}
        columns = [_coded(label, places[name]) for name, label in labels.items()]
        arguments = (self.points, columns, clustered)
        self.script_arguments = ", ".join(map(script_json, arguments))

    @property
    def points(self) -> list[tuple[float, float]]:
        """Latitude and longitude of each marker."""
        axes = (self.places[axis].to_pylist() for axis in ("latitude", "longitude"))
        return list(zip(*axes, strict=True))


class View(MacroElement):  # type: ignore[misc, unused-ignore]
    """What a map shows at first: all its markers, beside the note.

    Parameters
    ----------
    points
        Latitude and longitude of each marker; at least one.
    """

    _template = Template(
        """{% macro script(this, kwargs) %}
        flowtriageMap.fit({{ this._parent.get_name() }}, {{ this.corners }});
        {% endmacro %}"""
    )

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        axes = list(zip(*points, strict=True))
        self.corners = script_json([[end(axis) for axis in axes] for end in (min, max)])


class FinishedHtml(Element):  # type: ignore[misc, unused-ignore]
    """HTML that is written as it is: folium reads any other as a template.

    Parameters
    ----------
    html
        What to write.
    """

    def __init__(self, html: str) -> None:
        super().__init__("{{ this.finished_html }}")
        self.finished_html = html


def script_json(value: Any) -> str:
    r"""Write numbers, text and lists of them so that they survive a script, HTML and folium.

    folium renders a finished script as a Jinja template once more, so what foreign text has
    between braces would be run in Python. All that means something to one of these readers is
    written as an escape, which is sound as long as there are no JSON objects.

    Examples
    --------
    >>> print(script_json(["{{ 1 }}", "</script>"]))
    ["\u007b\u007b 1 \u007d\u007d","\u003c/script\u003e"]
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&{}%#$`']", lambda found: f"\\u{ord(found[0]):04x}", text)


def _coded(label: str, column: pa.ChunkedArray) -> list[Any]:
    coded = column.combine_chunks().dictionary_encode("encode")
    return [label, coded.dictionary.to_pylist(), coded.indices.to_pylist()]
