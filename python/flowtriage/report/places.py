"""The places on a folium map, as a table: a map itself needs a tile server to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pyarrow as pa

from flowtriage.report.arrowed import is_table


def is_map(content: object) -> bool:
    """Tell whether this is a folium map, or msticpy's class around one."""
    return any(base.__module__.split(".")[0] == "folium" for base in type(_map(content)).__mro__)


def map_places(content: object) -> Any:
    """List the places on a map.

    Parameters
    ----------
    content
        A folium map, or an object that has one as ``folium_map``. It may bring its own list, a
        table named ``places``; otherwise its markers are read, and where it has none the
        coordinates in its ``locations``.

    Returns
    -------
    pyarrow.Table or the table named ``places``
        Columns ``Place`` (text of the tooltip), ``Latitude`` and ``Longitude``.
    """
    places = getattr(content, "places", None)
    if is_table(places):
        return places
    rows = [(_tooltip(marker), *marker.location) for marker in _markers(_map(content))]
    if not rows:
        rows = [(None, *point) for point in getattr(content, "locations", [])]
    names, latitudes, longitudes = zip(*rows, strict=True) if rows else ([], [], [])
    return pa.table(
        {
            "Place": pa.array(names, pa.string()),
            "Latitude": pa.array(latitudes, pa.float64()),
            "Longitude": pa.array(longitudes, pa.float64()),
        }
    )


def _map(content: Any) -> Any:
    return getattr(content, "folium_map", content)


def _markers(element: Any) -> Iterator[Any]:
    for child in element._children.values():
        location = getattr(child, "location", None)
        if isinstance(location, list | tuple) and len(location) == 2:
            yield child
        yield from _markers(child)


def _tooltip(marker: Any) -> str | None:
    texts = (getattr(child, "text", None) for child in marker._children.values())
    text = next((text for text in texts if isinstance(text, str)), None)
    if text is None:
        return None
    reader = _TextOnly()
    reader.feed(text)
    reader.close()
    return " ".join("".join(reader.parts).split())


class _TextOnly(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("br", "div", "p", "tr", "li"):
            self.parts.append("\n")
