"""The page of a story: totals, reproducibility, missing extras."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connection_sets import SCHEMA, connection_sets, peer
from flowtriage.threat_investigation.story.page import totals, write_story
from threat_story import story

ROWS = [
    peer("8.8.8.8", "outbound", connections=5, bytes=None, bytes_from_peer=None),
    peer("1.1.1.1", "outbound", connections=7, bytes=2**40, bytes_from_peer=1),
    peer("10.0.0.2", "two-way", bytes=None),
]


def naive(rows: list[dict[str, Any]], name: str) -> int | None:
    known = [row[name] for row in rows if row[name] is not None]
    return sum(known) if known or name.startswith("connections") else None


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], []])
def test_totals_are_those_of_all_peers(rows: list[dict[str, Any]]) -> None:
    found = totals(connection_sets(*rows)).to_pylist()
    assert [row["direction"] for row in found] == ["inbound", "outbound", "two-way", "all"]
    for row in found:
        mine = [one for one in rows if row["direction"] in (one["direction"], "all")]
        assert row["peers"] == len(mine)
        for name in ("connections", "connections_from_peer", "bytes", "bytes_from_peer"):
            assert row[name] == naive(mine, name), (row["direction"], name)
        assert row["first_seen"] == min((one["first_seen"] for one in mine), default=None)


def test_a_page_without_its_date_is_the_same_each_time(tmp_path: Path) -> None:
    pytest.importorskip("bokeh")
    made = story(peers=SCHEMA.empty_table())
    pages = [write_story(made, tmp_path / f"{at}.html", dated=False).read_bytes() for at in (1, 2)]
    assert pages[0] == pages[1]
    assert b"Written by flowtriage at" not in pages[0]
    assert b"Written by flowtriage at" in write_story(made, tmp_path / "3.html").read_bytes()


@pytest.mark.parametrize("library", ["bokeh", "jinja2"])
def test_error_names_the_missing_extra(library: str) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1] / "support")!r})
from threat_story import story
from flowtriage.errors import MissingExtraError
sys.modules[{library!r}] = None
from flowtriage.threat_investigation.story.page import write_story
try:
    write_story(story(), 'story.html')
except MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "flowtriage[notebook]"' in done.stdout
