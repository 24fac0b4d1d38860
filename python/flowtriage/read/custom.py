"""Formats from columns that the caller names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast, get_args

from flowtriage.errors import ArgumentError
from flowtriage.formats.canonical import CANONICAL
from flowtriage.formats.declaration import Endpoints, FieldMapping, Format, Unit
from flowtriage.humanize import did_you_mean, quoted
from flowtriage.schema import ENDPOINTS

Columns: TypeAlias = Mapping[str, str | tuple[str, str]]
"""Canonical names and the columns of a source; numeric times with their unit."""
_DURATION = FieldMapping("end_time", "duration", unit="s")
_DECLARED = {column.target: column for column in CANONICAL.columns} | {"duration": _DURATION}
_AWS_FIELD = re.compile(r"\$\{\s*([^}\s]+)\s*\}")
_NULLS = ("-", "nan", "NaN", "None", "null", "NULL")


def custom_format(columns: Columns) -> Format:
    """Return a format for a mapping of columns, as in `read_flows`.

    Examples
    --------
    >>> custom_format({"src_ip": "client", "dst_ip": "server", "start_time": ("epoch", "ms")}).name
    'columns'
    """
    given = {target: _with_unit(target, column) for target, column in columns.items()}
    for target, (_, unit) in given.items():
        _check(target, unit)
    for target in ENDPOINTS:
        if target not in given:
            raise ArgumentError(f"columns= has no column for {target}; give src_ip and dst_ip")
    if {"duration", "end_time"} <= set(given):
        raise ArgumentError("columns= has both duration and end_time; give one of them")
    declared = [
        _column(declaration, *given[target])
        for target, declaration in _DECLARED.items()
        if target in given
    ]
    if "flows" not in given:
        declared.append(FieldMapping("flows", "one"))
    source, dest = (given[target][0] for target in ENDPOINTS)
    return Format(
        name="columns",
        title="custom columns",
        signature=tuple(name for name, _ in given.values()),
        endpoints=(Endpoints(source, dest),),
        columns=tuple(declared),
        nulls=_NULLS,
        counters=None,
    )


def field_names(columns: str | Iterable[str]) -> tuple[str, ...]:
    """Parse the field names of a text log without a header, in order.

    One string has names separated by spaces or commas, or in the notation of AWS.

    Examples
    --------
    >>> field_names("${version} ${srcaddr} ${dstaddr}")
    ('version', 'srcaddr', 'dstaddr')
    """
    if isinstance(columns, str):
        names = _AWS_FIELD.findall(columns) or columns.replace(",", " ").split()
    else:
        names = [str(name).strip() for name in columns]
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    if duplicates or not all(names) or not names:
        wrong = (
            f"{duplicates[0]!r} twice" if duplicates else "an empty name" if names else "no name"
        )
        raise ArgumentError(f"columns= has {wrong}; name each field once, in order")
    return tuple(names)


def _with_unit(target: str, column: Any) -> tuple[str, str | None]:
    if isinstance(column, str):
        return column, None
    if isinstance(column, (tuple, list)) and len(column) == 2 and isinstance(column[0], str):
        return column[0], column[1]
    raise ArgumentError(
        f"columns= has {quoted(column)} for {quoted(target)}; give the name of a column, or a pair "
        "of name and unit"
    )


def _column(declaration: FieldMapping, name: str, unit: str | None) -> FieldMapping:
    chosen = cast("Unit", unit) if unit else declaration.unit
    return FieldMapping(declaration.target, declaration.kind, (name,), unit=chosen)


def _check(target: str, unit: str | None) -> None:
    known = [*ENDPOINTS, *_DECLARED]
    if target not in known:
        near = did_you_mean(target, known)
        raise ArgumentError(f"columns= has {quoted(target)}, which is not a canonical column{near}")
    if unit is None:
        return
    if target in ENDPOINTS or _DECLARED[target].unit is None:
        raise ArgumentError(f"columns= has a unit for {target}, which is not a time")
    if unit not in get_args(Unit):
        raise ArgumentError(
            f"unknown unit {quoted(unit)} of {target}; give one of {', '.join(get_args(Unit))}"
        )
