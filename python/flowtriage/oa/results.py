"""Ranked flows as Spot writes them: `flow_results.csv`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

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
"""The columns of `flow_results.csv`, and `rank`. `treceived` is in UTC, `tdur` in seconds."""
FIELDS = {name: at for at, name in enumerate(RESULTS.names[:-1])}
"""Spot's own mapping of columns, `flow_results_fields` of its `flow_conf.json`."""
_NULLS = ["", "NULL", r"\N", "null"]
_NEEDED = ("treceived", "sip", "dip", "score")
_FLOW_SCORES = {"treceived": "tstart", "sip": "srcip", "dip": "dstip"}


def read(
    path: str | os.PathLike[str],
    mapping: Mapping[str, int] | None = None,
    limit: int | None = None,
) -> pa.Table:
    """Read the first rows of Spot's ranked results.

    Parameters
    ----------
    path
        `flow_results.csv`: tab separated, without a heading, the most suspicious first.
    mapping
        Place of each column, from 0, as `flow_results_fields` of Spot's `flow_conf.json`; None
        takes Spot's own. Columns of other names than Spot's are left aside.
    limit
        Most rows to read; None reads all.

    Returns
    -------
    pyarrow.Table
        The columns of `RESULTS`; those that the mapping lacks are null. `rank` counts from 0.

    Raises
    ------
    FileNotFoundError, PermissionError
        As the operating system says.
    FormatError
        If a line has fewer columns than the mapping names, or a value is not of its type.
    ArgumentError
        If the mapping lacks treceived, sip, dip or score, or the limit is not positive.
    """
    from pyarrow import csv

    places = dict(FIELDS if mapping is None else mapping)
    if lacking := [name for name in _NEEDED if name not in places]:
        raise ArgumentError(f"flow_results_fields lacks {', '.join(lacking)}")
    if limit is not None and limit < 1:
        raise ArgumentError(f"the limit is {limit}; 1 is the least")
    text = _first_lines(Path(path), limit)
    width = len(text.partition(b"\n")[0].split(b"\t")) if text else max(places.values()) + 1
    if any(not 0 <= place < width for place in places.values()):
        raise FormatError(
            f"{path}: line 1 has {width} columns, and flow_results_fields names one at place "
            f"{max(places.values())}; is the file tab separated?"
        )
    of_place = {place: name for name, place in places.items() if name in FIELDS}
    names = [of_place.get(place, f"column {place}") for place in range(width)]
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
    except pa.ArrowInvalid as error:
        raise FormatError(f"{path} is not Spot's flow_results.csv: {error}") from None
    ranked = table.append_column("rank", pa.array(range(table.num_rows), pa.int32()))
    columns = [
        ranked[field.name]
        if field.name in ranked.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in RESULTS
    ]
    return pa.table(columns, schema=RESULTS)


def _first_lines(path: Path, limit: int | None) -> bytes:
    with path.open("rb") as file:
        return b"".join(islice(file, limit)) if limit else file.read()


def write(results: pa.Table, path: str | os.PathLike[str]) -> None:
    """Write ranked flows as Spot's `flow_results.csv`: tab separated, without a heading.

    Raises
    ------
    OSError
        As the operating system says.
    """
    from pyarrow import csv

    from flowtriage.atomic import replacing

    options = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    with replacing(Path(path)) as file:
        csv.write_csv(results.select(list(FIELDS)), file, options)


def as_results(flows: pa.Table, score: pa.Array) -> pa.Table:
    """Return flows, in the order of their rank, with the columns of `RESULTS`.

    Parameters
    ----------
    flows
        In the canonical schema.
    score
        Of each flow.
    """
    import pyarrow.compute as pc

    start, end = flows["start_time"], flows["end_time"]
    seconds = pc.floor_temporal(start, unit="second").cast(pa.timestamp("s", "UTC"))
    parts = {
        "tryear": pc.year,
        "trmonth": pc.month,
        "trday": pc.day,
        "trhour": pc.hour,
        "trminute": pc.minute,
        "trsec": pc.second,
    }
    elapsed = pc.subtract(end.cast(pa.int64()), start.cast(pa.int64()))
    columns: dict[str, Any] = {
        "treceived": pc.strftime(seconds, format="%Y-%m-%d %H:%M:%S"),
        **{name: part(seconds) for name, part in parts.items()},
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


def as_flow_scores(results: pa.Table) -> pa.Table:
    """Return ranked flows with the names that the table `flow_scores` has for their columns.

    The parts of `treceived`, and `tdur`, are left out, as `column_indexes_filter` of Spot's
    `flow_conf.json` does.
    """
    left_out = {"tryear", "trmonth", "trday", "trhour", "trminute", "trsec", "tdur"}
    kept = [name for name in results.column_names if name not in left_out]
    return results.select(kept).rename_columns([_FLOW_SCORES.get(name, name) for name in kept])


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
    shown = sanitize(os.fspath(path))
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
            f"{shown}: flow_results_fields names {sanitize(wrong[0])!r}, which is no column of "
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
            f"{shown}: flow_score_fields names {sanitize(wrong[0])!r}, which is no column of "
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
