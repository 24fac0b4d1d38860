"""Spot's `flow_conf.json`: which column of its results is which, and what becomes of it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from flowtriage.errors import ConfigurationError
from flowtriage.report.text import visible
from flowtriage.store.tables import SCORES

_FIELDS = (
    "treceived",
    "tryear",
    "trmonth",
    "trday",
    "trhour",
    "trminute",
    "trsec",
    "tdur",
    "sip",
    "dip",
    "sport",
    "dport",
    "proto",
    "ipkt",
    "ibyt",
    "opkt",
    "obyt",
    "score",
)
_RANK = "rank"


@dataclass(frozen=True)
class ColumnMapping:
    """What becomes of the columns of ranked results.

    Parameters
    ----------
    results
        Names of the columns of `flow_results.csv` and where each stands (`flow_results_fields`).
    renamed
        Those that are kept (`column_indexes_filter`), and their names in `flow_scores`
        (`flow_score_fields`).
    """

    results: dict[str, int]
    renamed: dict[str, str]

    def scores(self, results: pa.Table) -> pa.Table:
        """Return ranked results under the names of `flow_scores`, with their rank from 0.

        Parameters
        ----------
        results
            Columns of `flow_results.csv`, most suspicious first; columns that `flow_scores` has
            too, such as the parts of the score, are kept.
        """
        columns = {to: results[name] for name, to in self.renamed.items()}
        columns[_RANK] = pa.array(range(results.num_rows), pa.int32())
        more = [
            name
            for name in results.column_names
            if name in SCORES.names and name not in columns and name not in self.results
        ]
        return pa.table(columns | {name: results[name] for name in more})


DEFAULT = ColumnMapping(
    {name: index for index, name in enumerate(_FIELDS)},
    {
        "treceived": "tstart",
        "sip": "srcip",
        "dip": "dstip",
        **{name: name for name in ("sport", "dport", "proto", "ipkt", "ibyt", "opkt", "obyt")},
        "score": "score",
    },
)
"""The mapping that Spot ships."""


def load_mapping(path: str | os.PathLike[str]) -> ColumnMapping:
    """Read Spot's `flow_conf.json`.

    Raises
    ------
    FileNotFoundError, PermissionError
        As the operating system says.
    ConfigurationError
        If the file is no such configuration; the message says which of its parts and why.
    """
    shown = visible(os.fspath(path))
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{shown} is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{shown}: it is no JSON object")
    results = _indices(document, "flow_results_fields", shown)
    scores = _indices(document, "flow_score_fields", shown)
    kept = document.get("column_indexes_filter")
    names = {index: name for name, index in results.items()}
    if not isinstance(kept, list) or not all(_is_index(i) and i in names for i in kept):
        raise ConfigurationError(
            f"{shown}: column_indexes_filter is no list of indices in flow_results_fields"
        )
    if wrong := [names[index] for index in kept if names[index] not in _FIELDS]:
        raise ConfigurationError(
            f"{shown}: flow_results_fields names {visible(wrong[0])!r}, which is no column of "
            f"flow_results.csv; it has {', '.join(_FIELDS)}"
        )
    ordered = [name.casefold() for name in sorted(scores, key=scores.__getitem__)]
    if sorted(scores.values()) != list(range(len(kept) + 1)) or ordered[-1] != _RANK:
        raise ConfigurationError(
            f"{shown}: flow_score_fields has to name the {len(kept)} columns of "
            "column_indexes_filter by 0, 1, 2, … and rank after them"
        )
    if wrong := [name for name in ordered if name not in SCORES.names]:
        raise ConfigurationError(
            f"{shown}: flow_score_fields names {visible(wrong[0])!r}, which is no column of "
            f"flow_scores; it has {', '.join(SCORES.names)}"
        )
    renamed = {names[index]: to for index, to in zip(kept, ordered[:-1], strict=True)}
    if missing := [to for to in DEFAULT.renamed.values() if to not in renamed.values()]:
        raise ConfigurationError(f"{shown}: flow_score_fields lacks {', '.join(missing)}")
    return ColumnMapping(results, renamed)


def _indices(document: dict[str, Any], part: str, shown: str) -> dict[str, int]:
    found = document.get(part)
    if (
        not isinstance(found, dict)
        or not found
        or not all(_is_index(index) for index in found.values())
        or len(set(found.values())) < len(found)
    ):
        raise ConfigurationError(f"{shown}: {part} does not give every column an index of its own")
    return found


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
