"""Column mapping: Spot's own `flow_conf.json`, and files with other columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flowtriage.errors import ConfigurationError
from flowtriage.oa.results import DEFAULT, load_mapping
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
"""Parts of the `flow_conf.json` that Spot distributes."""


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
    ("conf", "message"),
    [
        ([], "expected a JSON object"),
        ({}, "flow_results_fields must give every column a unique index"),
        (change("flow_results_fields", {"sip": 1, "dip": 1}), "a unique index"),
        (change("flow_results_fields", {"sip": "1"}), "a unique index"),
        (
            change("column_indexes_filter", [0, 99]),
            "column_indexes_filter must be a list of indices",
        ),
        (change("column_indexes_filter", [0]), "give the 1 columns"),
        (change("flow_score_fields", {"tstart": 0, "rank": 5}), "and rank the last one"),
        (
            change("flow_score_fields", {**SPOT["flow_score_fields"], "rank": 0, "tstart": 11}),
            "and rank the last one",
        ),
    ],
)
def test_mappings_that_cannot_be(tmp_path: Path, conf: Any, message: str) -> None:
    file = tmp_path / "flow_conf.json"
    file.write_text(json.dumps(conf))
    with pytest.raises(ConfigurationError, match=message) as error:
        load_mapping(file)
    assert str(error.value).startswith(str(file))


def test_a_mapping_with_unknown_columns(tmp_path: Path) -> None:
    file = tmp_path / "flow_conf.json"
    fields = {{"score": "points"}.get(k, k): v for k, v in SPOT["flow_score_fields"].items()}
    file.write_text(json.dumps(change("flow_score_fields", fields)))
    with pytest.raises(ConfigurationError, match="unknown column 'points' in flow_score_fields"):
        load_mapping(file)
    places = {{"sip": "source"}.get(k, k): v for k, v in SPOT["flow_results_fields"].items()}
    file.write_text(json.dumps(change("flow_results_fields", places)))
    with pytest.raises(ConfigurationError, match="unknown column 'source' in flow_results_fields"):
        load_mapping(file)
