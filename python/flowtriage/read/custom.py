"""A format made on the spot, from the columns that somebody names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeAlias, cast, get_args

from flowtriage.errors import ArgumentError
from flowtriage.formats.canonical import CANONICAL
from flowtriage.formats.declaration import Endpoints, FieldMapping, Format, Unit
from flowtriage.schema import ENDPOINTS

Columns: TypeAlias = Mapping[str, str | tuple[str, str]]
"""Canonical names and the columns of a source; times that are numbers with their unit."""
_DURATION = FieldMapping("end_time", "duration", unit="s")
_DECLARED = {column.target: column for column in CANONICAL.columns} | {"duration": _DURATION}
_AWS_FIELD = re.compile(r"\$\{\s*([^}\s]+)\s*\}")
_NULLS = ("-", "nan", "NaN", "None", "null", "NULL")


def mapped(columns: Columns) -> Format:
    """Make a format from a mapping.

    Parameters
    ----------
    columns
        For each canonical column its column in the source. For a time that is a number, a pair
        of the column and the unit (s, ms or us), as in `("epoch", "ms")`; numbers without a unit
        are seconds. `duration` may be given in place of `end_time`. Both addresses are needed;
        without `flows`, every record is one flow.

    Raises
    ------
    ArgumentError
        If a canonical name or a unit is not known, or an address is missing.

    Examples
    --------
    >>> mapped({"src_ip": "client", "dst_ip": "server", "start_time": ("epoch", "ms")}).name
    'columns'
    """
    given = {
        target: (place, None) if isinstance(place, str) else tuple(place)
        for target, place in columns.items()
    }
    for target, (_, unit) in given.items():
        _check(target, unit)
    for target in ENDPOINTS:
        if target not in given:
            raise ArgumentError(f"columns= names no column for {target}; both addresses are needed")
    if {"duration", "end_time"} <= set(given):
        raise ArgumentError("columns= names both duration and end_time; give one of them")
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
        title="columns named by the caller",
        signature=tuple(name for name, _ in given.values()),
        endpoints=(Endpoints(source, dest),),
        columns=tuple(declared),
        nulls=_NULLS,
        counters=None,
    )


def field_names(columns: str | Iterable[str]) -> tuple[str, ...]:
    """Read the names of the fields of a text without a header, in order.

    Parameters
    ----------
    columns
        Names, or a text of them: between spaces or commas, or as AWS writes the format of a log.

    Raises
    ------
    ArgumentError
        If there is none, or one is there twice.

    Examples
    --------
    >>> field_names("${version} ${srcaddr} ${dstaddr}")
    ('version', 'srcaddr', 'dstaddr')
    """
    if isinstance(columns, str):
        names = _AWS_FIELD.findall(columns) or columns.replace(",", " ").split()
    else:
        names = [str(name).strip() for name in columns]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice or not all(names) or not names:
        wrong = f"{twice[0]!r} twice" if twice else "no field" if not names else "a field no name"
        raise ArgumentError(f"columns= names {wrong}; name each field of the text once, in order")
    return tuple(names)


def _column(declaration: FieldMapping, name: str, unit: str | None) -> FieldMapping:
    chosen = cast("Unit", unit) if unit else declaration.unit
    return FieldMapping(declaration.target, declaration.kind, (name,), unit=chosen)


def _check(target: str, unit: str | None) -> None:
    known = [*ENDPOINTS, *_DECLARED]
    if target not in known:
        near = get_close_matches(target, known, n=3) or known
        raise ArgumentError(
            f"columns= names {target!r}, which is no canonical column; "
            f"did you mean {' or '.join(near)}?"
        )
    if unit is None:
        return
    if target in ENDPOINTS or _DECLARED[target].unit is None:
        raise ArgumentError(f"columns= gives a unit for {target}, which is no time")
    if unit not in get_args(Unit):
        raise ArgumentError(
            f"unit {unit!r} of {target} is not known; choose one of {', '.join(get_args(Unit))}"
        )
