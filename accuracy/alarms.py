"""Alarms: the columns of a finding that the count needs, for every rule alike."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from accuracy.kinds import kind_of

SEVERITIES = ("information", "warning", "high")
WARNING = 1
"""Position of the lowest severity that is an alarm."""

SCHEMA = {
    "detector": pl.String,
    "severity": pl.String,
    "score": pl.Float64,
    "source": pl.String,
    "dest": pl.String,
    "dst_port": pl.Int64,
    "protocol": pl.String,
    "as_name": pl.String,
    "explanation": pl.String,
}
"""Columns of a table of alarms."""

_KEY = ("kind", "source", "dest", "dst_port", "protocol", "as_name")
_TOKEN = re.compile(r"[0-9A-Fa-f:.]*[0-9A-Fa-f:]")


@dataclass(frozen=True)
class Alarm:
    """One row of a table of alarms."""

    detector: str
    severity: int
    score: float | None
    source: str | None
    dest: str | None
    port: int | None
    protocol: str | None
    as_name: str | None
    explanation: str

    @property
    def kind(self) -> str:
        """The kind of behaviour."""
        return kind_of(self.detector)[0]

    @property
    def shape(self) -> str | None:
        """The shape of a scan."""
        return kind_of(self.detector)[1]


def frame(columns: Mapping[str, Any] | pl.DataFrame) -> pl.DataFrame:
    """Return a table of alarms; columns that are absent are null, severity is warning."""
    table = pl.DataFrame(columns)
    defaults = {"severity": pl.lit("warning"), "explanation": pl.lit("")}
    absent = [
        defaults.get(name, pl.lit(None)).alias(name) for name in SCHEMA if name not in table.columns
    ]
    return table.with_columns(absent).select(
        pl.col(name).cast(kind) for name, kind in SCHEMA.items()
    )


def distinct(alarms: pl.DataFrame) -> pl.DataFrame:
    """Return one alarm for each kind and key, that of the highest severity and score."""
    kinds = pl.col("detector").replace_strict(
        {name: kind_of(name)[0] for name in alarms["detector"].unique()}, return_dtype=pl.String
    )
    ranked = alarms.with_columns(
        kind=kinds,
        rank=pl.col("severity").replace_strict(
            {name: rank for rank, name in enumerate(SEVERITIES)}, return_dtype=pl.Int8
        ),
    ).sort("rank", "score", descending=True, nulls_last=True, maintain_order=True)
    return ranked.unique(list(_KEY), keep="first", maintain_order=True)


def rows(alarms: pl.DataFrame) -> Iterable[Alarm]:
    """Return the distinct alarms of a table."""
    columns = ("detector", "rank", "score", "source", "dest", "dst_port", "protocol")
    chosen = distinct(alarms).select(*columns, "as_name", "explanation")
    return [Alarm(*row) for row in chosen.iter_rows()]


def without_addresses(text: str) -> str:
    """Replace the addresses in a text."""
    return _TOKEN.sub(_hidden, text)


def _hidden(token: re.Match[str]) -> str:
    try:
        ipaddress.ip_address(token[0])
    except ValueError:
        return token[0]
    return "‹address›"
