"""Elements of a flow map for folium."""

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


class MarkerLayer(MarkerCluster):  # type: ignore[misc, unused-ignore]
    """Markers of addresses, created in the browser.

    Rows have `latitude`, `longitude`, `kind`, and the columns of `facts`, which are labels of a
    popup; a tooltip has the first three.
    """

    _template = Template(
        """{% macro script(this, kwargs) %}
        var {{ this.get_name() }} = flowtriageMap.layer({{ this.script_arguments }});
        {{ this.get_name() }}.addTo({{ this._parent.get_name() }});
        {% endmacro %}"""
    )

    def __init__(self, rows: pa.Table, facts: dict[str, str], *, clustered: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self._name = "MarkerLayer"
        self.default_js, self.default_css = [], []
        self.rows = rows
        labels = {"kind": "", **facts}
        columns = [_coded(label, rows[name]) for name, label in labels.items()]
        arguments = (self.points, columns, clustered)
        self.script_arguments = ", ".join(map(script_json, arguments))

    @property
    def points(self) -> list[tuple[float, float]]:
        """Latitude and longitude of each marker."""
        axes = (self.rows[axis].to_pylist() for axis in ("latitude", "longitude"))
        return list(zip(*axes, strict=True))


class View(MacroElement):  # type: ignore[misc, unused-ignore]
    """The initial view of a map: all its markers, at least one, beside the note."""

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
    """HTML that is written unchanged; folium renders any other as a template."""

    def __init__(self, html: str) -> None:
        super().__init__("{{ this.finished_html }}")
        self.finished_html = html


def script_json(value: Any) -> str:
    r"""Write numbers, strings and lists as JSON that is safe in a script, HTML and folium.

    folium renders a finished script as a Jinja template again, so untrusted text in braces would
    run as Python. All special characters are escaped, which is valid as long as there are no JSON
    objects.

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
