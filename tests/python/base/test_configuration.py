"""The configuration: one TOML file, the environment over it, Spot's own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flowtriage.errors import ConfigurationError
from flowtriage.oa.configuration import SECTIONS, Settings, keys, load
from flowtriage.oa.mapping import DEFAULT, load_mapping
from flowtriage.store.tables import SCORES

SPOT = {
    "flow_results_fields": {
        "treceived": 0,
        "tryear": 1,
        "trmonth": 2,
        "trday": 3,
        "trhour": 4,
        "trminute": 5,
        "trsec": 6,
        "tdur": 7,
        "sip": 8,
        "dip": 9,
        "sport": 10,
        "dport": 11,
        "proto": 12,
        "ipkt": 13,
        "ibyt": 14,
        "opkt": 15,
        "obyt": 16,
        "score": 17,
    },
    "column_indexes_filter": [0, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
    "flow_score_fields": {
        "tstart": 0,
        "srcIP": 1,
        "dstIP": 2,
        "sport": 3,
        "dport": 4,
        "proto": 5,
        "ipkt": 6,
        "ibyt": 7,
        "opkt": 8,
        "obyt": 9,
        "score": 10,
        "rank": 11,
    },
}
"""The parts of the `flow_conf.json` that Spot ships."""


def write(folder: Path, text: str) -> Path:
    path = folder / "flowtriage.toml"
    path.write_text(text)
    return path


def test_without_anything_there_are_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(environment={}) == Settings()


def test_a_file_is_read_and_its_paths_are_beside_it(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        [store]
        url = "postgresql://hunter@db/flows"
        wait = 2
        [folders]
        data = "out"
        flows = "/var/flows"
        [ranking]
        limit = 250
        threshold = 1e-6
        [context]
        iploc = ""
        mmdb = ["city.mmdb", "/usr/share/asn.mmdb"]
        [reputation]
        msticpy = ["OTX"]
        """,
    )
    settings = load(file, {})
    assert settings.store.url == "postgresql://hunter@db/flows"
    assert settings.store.wait == 2.0
    assert settings.folders.data == tmp_path / "out"
    assert settings.folders.flows == Path("/var/flows")
    assert settings.ranking.limit == 250
    assert settings.ranking.threshold == 1e-6
    assert settings.context.iploc is None
    assert settings.context.mmdb == (tmp_path / "city.mmdb", Path("/usr/share/asn.mmdb"))
    assert settings.reputation.msticpy == ("OTX",)
    assert settings.source == file
    assert "ranking.limit" in settings.given
    assert "ranking.seed" not in settings.given


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "[ranking]\nlimit = 250\nseed = 3\n")
    other = tmp_path / "other.toml"
    other.write_text("[ranking]\nlimit = 99\n")
    monkeypatch.chdir(tmp_path)
    assert load(environment={}).ranking.limit == 250
    environment = {
        "FLOWTRIAGE_RANKING_LIMIT": "7",
        "FLOWTRIAGE_RANKING_FEEDBACK_DAYS": "30",
        "FLOWTRIAGE_STORE_WAIT": "0.5",
        "FLOWTRIAGE_CONTEXT_MMDB": "a.mmdb:b.mmdb",
        "FLOWTRIAGE_BENCH_DATA": "of something else",
    }
    settings = load(environment=environment)
    assert (settings.ranking.limit, settings.ranking.seed) == (7, 3)
    assert settings.ranking.feedback_days == 30
    assert settings.store.wait == 0.5
    assert settings.context.mmdb == (tmp_path / "a.mmdb", tmp_path / "b.mmdb")
    assert load(environment={"FLOWTRIAGE_CONFIG": str(other)}).ranking.limit == 99


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[store", "is no TOML"),
        ("[database]\nurl = 'x'", "database is unknown; there are store, folders"),
        ("store = 'x'", "store is a section; write it as [store]"),
        ("[store]\nurll = 'x'", "store.urll is unknown; [store] has url, wait"),
        ("[store]\nurl = 3", "store.url is 3; give a text"),
        ("[ranking]\nlimit = 'ten'", "ranking.limit is 'ten'; give a whole number"),
        ("[ranking]\nlimit = 2.5", "ranking.limit is 2.5; give a whole number"),
        ("[ranking]\nlimit = true", "ranking.limit is True; give a whole number"),
        ("[ranking]\nlimit = 0", "ranking.limit is 0; it cannot be less than 1"),
        ("[ranking]\nthreshold = nan", "ranking.threshold is nan"),
        ("[folders]\ndata = ''", "folders.data is ''; give a path"),
        ("[context]\nmmdb = 'a.mmdb'", "context.mmdb is 'a.mmdb'; give a list of texts"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as error:
        load(file, {})
    assert str(error.value).startswith(str(file))
    assert told in str(error.value)


def test_a_variable_that_is_wrong_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"FLOWTRIAGE_RANKING_LIMIT: ranking.limit is 'x'"):
        load(environment={"FLOWTRIAGE_RANKING_LIMIT": "x"})
    with pytest.raises(FileNotFoundError):
        load("absent.toml", {})


def test_every_key_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
    for section in SECTIONS:
        for name, key in keys(section).items():
            row = next(line for line in page.splitlines() if f"`{section}.{name}`" in line)
            assert key.metadata["about"] in row
            assert f"`FLOWTRIAGE_{section.upper()}_{name.upper()}`" in page


def test_spots_own_mapping_is_the_default(tmp_path: Path) -> None:
    file = tmp_path / "flow_conf.json"
    file.write_text(json.dumps(SPOT))
    assert load_mapping(file) == DEFAULT


def test_other_columns_are_mapped(tmp_path: Path) -> None:
    conf = json.loads(json.dumps(SPOT))
    conf["flow_results_fields"]["sip"], conf["flow_results_fields"]["dip"] = 9, 8
    conf["column_indexes_filter"][1:3] = [9, 8]
    file = tmp_path / "flow_conf.json"
    file.write_text(json.dumps(conf))
    mapping = load_mapping(file)
    assert mapping.results["sip"] == 9
    columns = {name: [name] for name in mapping.results}
    scores = mapping.scores(pa.table({**columns, "src_word": ["word"], "else": ["x"]}))
    assert scores.to_pylist() == [
        {
            "tstart": "treceived",
            "srcip": "sip",
            "dstip": "dip",
            **{name: name for name in ("sport", "dport", "proto", "ipkt", "ibyt", "opkt", "obyt")},
            "score": "score",
            "rank": 0,
            "src_word": "word",
        }
    ]
    assert set(scores.column_names) <= set(SCORES.names)


def change(part: str, value: Any) -> dict[str, Any]:
    return {**SPOT, part: value}


@pytest.mark.parametrize(
    ("conf", "told"),
    [
        ([], "no JSON object"),
        ({}, "flow_results_fields does not give every column an index"),
        (change("flow_results_fields", {"sip": 1, "dip": 1}), "an index of its own"),
        (change("flow_results_fields", {"sip": "1"}), "an index of its own"),
        (change("column_indexes_filter", [0, 99]), "column_indexes_filter is no list of indices"),
        (change("column_indexes_filter", [0]), "name the 1 columns"),
        (change("flow_score_fields", {"tstart": 0, "rank": 5}), "and rank after them"),
        (
            change("flow_score_fields", {**SPOT["flow_score_fields"], "rank": 0, "tstart": 11}),
            "and rank after them",
        ),
    ],
)
def test_mappings_that_cannot_be(tmp_path: Path, conf: Any, told: str) -> None:
    file = tmp_path / "flow_conf.json"
    file.write_text(json.dumps(conf))
    with pytest.raises(ConfigurationError, match=told) as error:
        load_mapping(file)
    assert str(error.value).startswith(str(file))


def test_a_mapping_of_unknown_names(tmp_path: Path) -> None:
    file = tmp_path / "flow_conf.json"
    fields = {{"score": "points"}.get(k, k): v for k, v in SPOT["flow_score_fields"].items()}
    file.write_text(json.dumps(change("flow_score_fields", fields)))
    with pytest.raises(ConfigurationError, match="names 'points', which is no column"):
        load_mapping(file)
    places = {{"sip": "source"}.get(k, k): v for k, v in SPOT["flow_results_fields"].items()}
    file.write_text(json.dumps(change("flow_results_fields", places)))
    with pytest.raises(ConfigurationError, match="names 'source', which is no column"):
        load_mapping(file)
