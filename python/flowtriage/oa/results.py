"""Spot's ranked results: `flow_results.csv`, and the column mapping of `flow_conf.json`.

`ColumnMapping` maps results to the columns of `flow_scores`. `read` and `write` handle the file,
`as_results` converts ranked flows to its columns.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from flowtriage.atomic import replacing
from flowtriage.errors import ArgumentError, ConfigurationError, FormatError
from flowtriage.humanize import sanitize
from flowtriage.store.tables import SCORES

RESULTS = pa.schema(
    [
        ("treceived", pa.string()),
        *((name, pa.int32()) for name in ("tryear", "trmonth", "trday")),
        *((name, pa.int32()) for name in ("trhour", "trminute", "trsec")),
        ("tdur", pa.float64()),
        ("sip", pa.string()),
        ("dip", pa.string()),
        ("sport", pa.int32()),
        ("dport", pa.int32()),
        ("proto", pa.string()),
        *((name, pa.int64()) for name in ("ipkt", "ibyt", "opkt", "obyt")),
        ("score", pa.float64()),
        ("rank", pa.int32()),
    ]
)
"""Columns of `flow_results.csv` and `rank`; `treceived` is in UTC, `tdur` in seconds."""
FIELDS = {name: index for index, name in enumerate(RESULTS.names[:-1])}
"""Spot's default column mapping: `flow_results_fields` of its `flow_conf.json`."""
_RANK = "rank"
_NULLS = ["", "NULL", r"\N", "null"]
_REQUIRED = ("treceived", "sip", "dip", "score")


@dataclass(frozen=True)
class ColumnMapping:
    """Mapping of columns of `flow_results.csv` to columns of `flow_scores`.

    Parameters
    ----------
    results
        Index of each column of `flow_results.csv` (`flow_results_fields`).
    renamed
        Selected columns (`column_indexes_filter`) and their names in `flow_scores`
        (`flow_score_fields`).
    """

    results: dict[str, int]
    renamed: dict[str, str]

    def scores(self, results: pa.Table) -> pa.Table:
        """Return ranked results with the column names of `flow_scores` and ranks from 0.

        Additional columns of `flow_scores`, such as the parts of the score, are kept.
        """
        columns = {to: results[name] for name, to in self.renamed.items()}
        columns[_RANK] = pa.array(range(results.num_rows), pa.int32())
        extra = [
            name
            for name in results.column_names
            if name in SCORES.names and name not in columns and name not in self.results
        ]
        return pa.table(columns | {name: results[name] for name in extra})


DEFAULT = ColumnMapping(
    FIELDS,
    {
        "treceived": "tstart",
        "sip": "srcip",
        "dip": "dstip",
        **{name: name for name in ("sport", "dport", "proto", "ipkt", "ibyt", "opkt", "obyt")},
        "score": "score",
    },
)
"""Mapping in the `flow_conf.json` that Spot distributes."""


def load_mapping(path: str | os.PathLike[str]) -> ColumnMapping:
    """Read Spot's `flow_conf.json`."""
    shown = sanitize(os.fspath(path))
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{shown} is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{shown}: expected a JSON object")
    results = _indices(document, "flow_results_fields", shown)
    scores = _indices(document, "flow_score_fields", shown)
    kept = document.get("column_indexes_filter")
    names = {index: name for name, index in results.items()}
    if not isinstance(kept, list) or not all(_is_index(i) and i in names for i in kept):
        raise ConfigurationError(
            f"{shown}: column_indexes_filter must be a list of indices from flow_results_fields"
        )
    if wrong := [names[index] for index in kept if names[index] not in FIELDS]:
        raise ConfigurationError(
            f"{shown}: unknown column {sanitize(wrong[0])!r} in flow_results_fields; "
            f"flow_results.csv has {', '.join(FIELDS)}"
        )
    ordered = [name.casefold() for name in sorted(scores, key=scores.__getitem__)]
    if sorted(scores.values()) != list(range(len(kept) + 1)) or ordered[-1] != _RANK:
        raise ConfigurationError(
            f"{shown}: flow_score_fields must give the {len(kept)} columns of "
            "column_indexes_filter the indices 0, 1, 2, … and rank the last one"
        )
    if wrong := [name for name in ordered if name not in SCORES.names]:
        raise ConfigurationError(
            f"{shown}: unknown column {sanitize(wrong[0])!r} in flow_score_fields; "
            f"flow_scores has {', '.join(SCORES.names)}"
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
        raise ConfigurationError(f"{shown}: {part} must give every column a unique index")
    return found


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def read(
    path: str | os.PathLike[str], mapping: Mapping[str, int] | None = None, limit: int | None = None
) -> pa.Table:
    """Read Spot's ranked results: tab-separated, no header, most suspicious first.

    Parameters
    ----------
    path
        Path of `flow_results.csv`.
    mapping
        Index of each column (see `ColumnMapping.results`); None uses `FIELDS`. Columns with other
        names are ignored, missing ones are null.
    limit
        Maximum number of rows; None reads all.

    Raises
    ------
    FormatError
        If a line has fewer columns than the mapping, or a value has the wrong type.
    ArgumentError
        If the mapping lacks treceived, sip, dip or score, or the limit is below 1.
    """
    from pyarrow import csv

    indices = dict(FIELDS if mapping is None else mapping)
    if missing := [name for name in _REQUIRED if name not in indices]:
        raise ArgumentError(f"flow_results_fields lacks {', '.join(missing)}")
    if limit is not None and limit < 1:
        raise ArgumentError(f"limit must be 1 or more, got {limit}")
    text = _first_lines(Path(path), limit)
    width = len(text.partition(b"\n")[0].split(b"\t")) if text else max(indices.values()) + 1
    if any(not 0 <= index < width for index in indices.values()):
        raise FormatError(
            f"{path}: line 1 has {width} columns, but flow_results_fields contains index "
            f"{max(indices.values())}; check that the file is tab-separated"
        )
    by_index = {index: name for name, index in indices.items() if name in FIELDS}
    names = [by_index.get(index, f"column {index}") for index in range(width)]
    wanted = [name for name in names if name in FIELDS]
    types = {name: RESULTS.field(name).type for name in wanted}
    if not text:
        return RESULTS.empty_table()
    try:
        table = csv.read_csv(
            pa.BufferReader(text),
            read_options=csv.ReadOptions(column_names=names, use_threads=False),
            parse_options=csv.ParseOptions(delimiter="\t", quote_char=False),
            convert_options=csv.ConvertOptions(
                column_types=types,
                include_columns=wanted,
                null_values=_NULLS,
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowException as error:
        raise FormatError(f"{path} is not a valid flow_results.csv: {error}") from None
    ranked = table.append_column("rank", pa.array(range(table.num_rows), pa.int32()))
    return pa.concat_tables([RESULTS.empty_table(), ranked], promote_options="default")


def _first_lines(path: Path, limit: int | None) -> bytes:
    with path.open("rb") as file:
        return b"".join(islice(file, limit)) if limit else file.read()


def write(results: pa.Table, path: str | os.PathLike[str]) -> None:
    """Write ranked flows as Spot's `flow_results.csv`: tab-separated, no header."""
    from pyarrow import csv

    options = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    with replacing(Path(path)) as file:
        # pyarrow 26 writes garbage for an empty first chunk.
        csv.write_csv(results.select(list(FIELDS)).combine_chunks(), file, options)


def as_results(flows: pa.Table, score: pa.Array) -> pa.Table:
    """Convert flows in order of rank, and their scores, to the columns of `RESULTS`."""
    import pyarrow.compute as pc

    start, end = flows["start_time"], flows["end_time"]
    seconds = pc.floor_temporal(start, unit="second").cast(pa.timestamp("s", "UTC"))
    elapsed = pc.subtract(end.cast(pa.int64()), start.cast(pa.int64()))
    columns: dict[str, Any] = {
        "treceived": pc.strftime(seconds, format="%Y-%m-%d %H:%M:%S"),
        "tryear": pc.year(seconds),
        "trmonth": pc.month(seconds),
        "trday": pc.day(seconds),
        "trhour": pc.hour(seconds),
        "trminute": pc.minute(seconds),
        "trsec": pc.second(seconds),
        "tdur": pc.divide(elapsed.cast(pa.float64()), 1e6),
        "sip": flows["src_ip"],
        "dip": flows["dst_ip"],
        "sport": flows["src_port"],
        "dport": flows["dst_port"],
        "proto": flows["protocol"],
        "ipkt": flows["src_packets"],
        "ibyt": flows["src_bytes"],
        "opkt": flows["dst_packets"],
        "obyt": flows["dst_bytes"],
        "score": score,
        "rank": pa.array(range(flows.num_rows), pa.int32()),
    }
    return pa.table({field.name: columns[field.name].cast(field.type) for field in RESULTS})
