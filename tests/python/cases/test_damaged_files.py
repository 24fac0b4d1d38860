"""Random damage to files that people or other programs write: an error that names the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import flowtriage as ft
from damage import mutated
from flowtriage.store.raw_flows import RawFlows
from small_logs import zeek

FEATURE = {
    "type": "Feature",
    "properties": {"location": "Oslo", "ip": "192.0.2.1", "type": 1},
    "geometry": {"type": "Point", "coordinates": [10.75, 59.9]},
}
BRANCH = {"name": "two way", "size": 1, "impact": 0, "children": [{"name": "x", "size": 1}]}
INDICATOR = {
    "type": "indicator",
    "id": "indicator--1",
    "pattern": "[ipv4-addr:value = '192.0.2.1']",
    "valid_until": "2999-01-01T00:00:00Z",
}
ATTRIBUTE = {"type": "ip-dst", "value": "192.0.2.1", "first_seen": "1577836800", "deleted": False}
FILES: dict[str, tuple[Any, str]] = {
    "globe.json": (
        {"type": "FeatureCollection", "sourceips": [FEATURE], "destips": []},
        "threat_investigation.story.spot_files.read_globe",
    ),
    "stats.json": (
        {"name": "10.0.0.1", "size": 1, "children": [BRANCH]},
        "threat_investigation.story.spot_files.read_stats",
    ),
    "dendrogram.json": (
        {"name": "10.0.0.1", "time": "", "children": [BRANCH]},
        "threat_investigation.story.spot_files.read_dendrogram",
    ),
    "iploc.csv": (
        "16843008,16843263,AU,Australia,Queensland,Brisbane,-27.4,153.0,Cloudflare,x.example\n" * 3,
        "enrich.geolocation.IpLocations",
    ),
    "context.csv": (
        "ip,name\n10.0.0.0/8,office\n10.1.0.1-10.1.0.9,lab\n",
        "enrich.network_context.read_context",
    ),
    "ipranges.csv": (
        "start,end,name\n10.0.0.0,10.0.0.255,a\n[fd00::]/8\n",
        "inputs.networks.parse_networks",
    ),
    "list.csv": (
        'first_seen,ip,severity\n"2024, ""x""",192.0.2.1,high\n,198.51.100.0/24,\n',
        "enrich.reputation.block_lists.BlockLists",
    ),
    "list.txt": (
        "# x\n192.0.2.1 a\n[2001:db8::1]:443\n",
        "enrich.reputation.block_lists.BlockLists",
    ),
    "stix.json": (
        {"type": "bundle", "objects": [INDICATOR]},
        "enrich.reputation.block_lists.BlockLists",
    ),
    "misp.json": (
        {"Event": {"info": "x", "Attribute": [ATTRIBUTE]}},
        "enrich.reputation.block_lists.BlockLists",
    ),
    "flow_conf.json": (
        {"flow_results_fields": {"a": 0}, "column_indexes_filter": [0], "flow_score_fields": {}},
        "oa.results.load_mapping",
    ),
    "flowtriage.toml": (
        "[ranking]\nlimit = 3\n[store]\nurl = 'x'\n",
        "configuration.load_settings",
    ),
}


def _function(path: str) -> str:
    module, _, name = path.rpartition(".")
    return f"__import__('flowtriage.{module}', fromlist=['x']).{name}"


@pytest.mark.parametrize("name", FILES)
def test_random_damage_is_an_error_of_the_project(tmp_path: Path, name: str) -> None:
    content, function = FILES[name]
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    quiet = f"(__import__('warnings').simplefilter('ignore'), {_function(function)})[1]"
    assert mutated(path, quiet) == []


@pytest.mark.extra
def test_random_damage_to_a_model_is_a_format_error(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from flowtriage.oa.feedback import FEEDBACK, as_flows
    from flowtriage.oa.model import ModelSettings, train
    from flowtriage.oa.words import bags
    from oa_work import sample_day

    flows = sample_day()[1].slice(0, 200)
    feedback = FEEDBACK.empty_table()
    model = train(bags(flows, as_flows(feedback), 1), ModelSettings(iterations=1, topics=3), 1)
    model.save(tmp_path / "model.parquet")
    assert mutated(tmp_path / "model.parquet", _function("oa.model.load_model"), 100) == []


def test_damaged_raw_flows_are_a_format_error(tmp_path: Path) -> None:
    raw = RawFlows(tmp_path / "flows")
    raw.ingest([zeek(tmp_path / "conn.log", {})])
    (day,) = raw.days()
    (flows,) = (tmp_path / "flows").glob("y=*/**/*.parquet")
    content = flows.read_bytes()
    flows.write_bytes(content[:50] + b"\xff" * 8 + content[58:-9] + b"\xff" * 9)
    with pytest.raises(ft.FormatError, match="raw flows"):
        raw.read(day)
    (record,) = (tmp_path / "flows" / "_sources").glob("*.json")
    for damaged in ("", "[]", "{}", '{"files": 3}', record.read_text()[:-3], "\xff" * 9):
        record.write_text(damaged, encoding="latin-1")
        with pytest.raises(ft.FormatError, match=record.name):
            raw.days()
