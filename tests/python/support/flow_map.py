"""Drawing a map of few flows, and reading it as a browser will."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

import pyarrow as pa

from flowtriage import AsnDatabase
from flowtriage.viz.maps.geo_map import geo_map

HOST = "10.0.0.5"
GOOGLE, GOOGLE_2, RIPE = "8.8.8.8", "8.8.4.4", "193.0.6.139"
START = dt.datetime(2026, 3, 2, 8, 0, 0, 999_999, dt.UTC)
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("source", "dest", "L7Protocol", "FlowDirection")),
        *((name, pa.int64()) for name in ("TotalAllowedFlows", "denied_flows")),
        *((name, pa.int64()) for name in ("src_bytes", "dst_bytes")),
        *((name, pa.timestamp("us", "UTC")) for name in ("first_seen", "last_seen")),
    ]
)


def row(source: str | None, dest: str | None, direction: str, **facts: Any) -> dict[str, Any]:
    """One row of an index; what is not given is usual."""
    usual = {"L7Protocol": "ssl", "TotalAllowedFlows": 1, "denied_flows": 0, "src_bytes": 1}
    times = {"dst_bytes": 1, "first_seen": START, "last_seen": START}
    ends = {"source": source, "dest": dest, "FlowDirection": direction}
    return {**ends, **usual, **times, **facts}


def draw(
    *rows: dict[str, Any], hosts: Sequence[str] = (HOST,), asn: Any = None, **more: Any
) -> Any:
    index = pa.Table.from_pylist(list(rows), SCHEMA)
    return geo_map(index, host_addresses=hosts, asn=asn or AsnDatabase(), **more)


def page(drawn: Any) -> str:
    return drawn.folium_map.get_root().render()


def layers(drawn: Any) -> list[list[dict[str, Any]]]:
    """Read the markers of peers and of hosts out of the page, as the browser will."""
    found = re.findall(r"= flowtriageMap\.layer\((.*)\);", page(drawn))
    read = []
    for arguments in found:
        points, columns, _ = json.loads(f"[{arguments}]")
        labels, values, codes = zip(*columns, strict=True)
        rows = [
            [None if code is None else known[code] for known, code in zip(values, row, strict=True)]
            for row in zip(*codes, strict=True)
        ]
        read.append(
            [
                {"point": point, **dict(zip(labels, facts, strict=True))}
                for point, facts in zip(points, rows, strict=True)
            ]
        )
    return read


def peer(drawn: Any) -> dict[str, Any]:
    (only,) = layers(drawn)[0]
    return only


class Text(HTMLParser):
    """Text of the note, and every tag of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.note = ""
        self._inside = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._inside |= ("class", "ft-note") in attrs

    def handle_endtag(self, tag: str) -> None:
        self._inside &= tag != "details"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.note += data + "\n"


def note(drawn: Any) -> str:
    return Text(page(drawn)).note
