"""The story of an investigation, from a log to a bundle on another machine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest

import flowtriage as ft
from flowtriage.errors import ArgumentError
from flowtriage.threat_investigation import open_bundle
from threat_work import IP, TWO_WAY, flow, settings_in, table

pytestmark = [
    pytest.mark.extra,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
HOSTILE = "</title><script>alert(1)</script>'; --"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    flows = table(
        flow(IP, "8.8.8.8"), flow(IP, TWO_WAY), flow(TWO_WAY, IP), flow("1.1.1.1", TWO_WAY)
    )
    path = tmp_path / "flows.parquet"
    ft.write_flows(flows, path, format="parquet")
    return path


def test_story_has_search_result_and_saved_text(tmp_path: Path, log: Path) -> None:
    context = tmp_path / "context.csv"
    context.write_text("ip,name\n8.8.8.0/24,resolver\n")
    settings = settings_in(tmp_path, network_context=context)
    nb = ft.FlowThreatInvestigation(str(log), configuration=settings, silent=True)
    with pytest.raises(ArgumentError, match="no address searched"):
        nb.story()
    nb.search(IP)
    assert nb.story().heading == f"Story of {IP}"
    nb.save("Earlier", "")
    nb.save(HOSTILE, "Seen twice.")
    made = nb.story()
    assert (made.title, made.text) == (HOSTILE, "Seen twice.")
    assert made.history["title"].to_pylist() == [HOSTILE, "Earlier"]
    assert made.peers["peer"].to_pylist() == ["8.8.8.8", TWO_WAY]
    assert [branch.peers for branch in made.stats.branches] == [0, 1, 1]
    assert made.stats.branches[1].branches[0].name == "resolver"
    files = {one.name: (one.sha256, one.size) for one in made.inputs[1:]}
    assert files == {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
        for path in (log, context)
    }
    opened = open_bundle(made.write_bundle(tmp_path / "story.zip"))
    assert opened.tables == made.tables
    assert opened.inputs == made.inputs
    assert opened.configuration["oa"]["ranking"]["limit"] == settings.ranking.limit
    page = opened.write_html(tmp_path / "story.html").read_text()
    assert "<script>alert" not in page and "DB-IP" in page


def test_bundle_has_no_directories_of_the_machine(tmp_path: Path, log: Path) -> None:
    settings = settings_in(tmp_path, network_context=tmp_path / "networks.csv")
    (tmp_path / "networks.csv").write_text("ip,name\n8.8.8.0/24,resolver\n")
    settings = replace(settings, source=tmp_path / "flowtriage.toml")
    store = f"duckdb:///{tmp_path}/flows.duckdb"
    ft.FlowStore(store)
    nb = ft.FlowThreatInvestigation(str(log), configuration=settings, store=store, silent=True)
    nb.search(IP)
    nb.save("Beacon", "")
    with ZipFile(nb.story().write_bundle(tmp_path / "story.zip")) as archive:
        for name in archive.namelist():
            assert str(tmp_path).encode() not in archive.read(name), name
        manifest = json.loads(archive.read("manifest.json"))
    assert [one["name"] for one in manifest["inputs"][1:]] == ["flows.parquet", "networks.csv"]
    assert manifest["configuration"]["oa"]["store"]["url"] == "duckdb:///flows.duckdb"
    assert manifest["configuration"]["oa"]["folders"]["data"] == "data"


def test_the_same_search_makes_the_same_bundle(tmp_path: Path, log: Path) -> None:
    made = []
    for name in ("one.zip", "two.zip"):
        nb = ft.FlowThreatInvestigation(str(log), configuration=settings_in(tmp_path), silent=True)
        nb.search(IP)
        made.append(nb.story().write_bundle(tmp_path / name).read_bytes())
    assert made[0] == made[1]
