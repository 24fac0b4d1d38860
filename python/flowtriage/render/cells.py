"""Columns of a table as HTML cells, formatted by type and name.

The values are untrusted; this module escapes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from flowtriage.humanize import UNKNOWN, human_bytes, sanitize, thousands

LIST_SHOWN, LIST_FULL, LISTS_FULL = 5, 500, 10_000
LINE, TEXT_SHOWN, TEXT_FULL = 48, 160, 20_000
_NULL = f'<td class="ft-null">{UNKNOWN}</td>'
_NULL_NUMBER = f'<td class="ft-null ft-num">{UNKNOWN}</td>'
_BYTES = re.compile(r"(^|[_\s])bytes$|Bytes$|^bytes_(from|to)_")
_IDENTIFIER = re.compile(
    r"(?i:(^|_)((src|dst|s|d)?ports?|asn|pid|id|vlan|year))$|(Ports?|ASN|Id|ID)$"
)


@dataclass(frozen=True)
class HtmlColumn:
    """A column as ``<td>`` elements, right-aligned if numeric; the name is not escaped."""

    name: str
    unit: str
    numeric: bool
    cells: list[str]


def column(
    name: str, values: pa.ChunkedArray, folds: Mapping[int, Sequence[str]] = MappingProxyType({})
) -> HtmlColumn:
    """Format one column, whose name identifies numbers of bytes and identifiers.

    `folds` has, by position, the values that a text stands for.
    """
    if types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = values.type
    if types.is_floating(kind) and are_integers(values):
        values = values.cast(pa.int64())
        kind = values.type
    if types.is_integer(kind):
        return HtmlColumn(name, "", True, _integers(name, values))
    if types.is_floating(kind) or types.is_decimal(kind):
        return HtmlColumn(name, "", True, [_fraction(value) for value in values.to_pylist()])
    if types.is_timestamp(kind):
        cells = [_NULL if text is None else f"<td>{text}</td>" for text in time_texts(values)]
        return HtmlColumn(name, "UTC" if kind.tz else "", False, cells)
    if is_list(kind):
        lengths = pc.list_value_length(values).to_pylist()
        limit = min(LIST_FULL, max(LIST_SHOWN, LISTS_FULL // max(len(values), 1)))
        shown = pc.list_slice(values, 0, limit).to_pylist()
        pairs = zip(shown, lengths, strict=True)
        return HtmlColumn(name, "", False, [_list(items, length) for items, length in pairs])
    texts = values.to_pylist()
    cells = [
        _fold(text, folds[at]) if at in folds else _text(text) for at, text in enumerate(texts)
    ]
    return HtmlColumn(name, "", False, cells)


def is_list(kind: pa.DataType) -> bool:
    """Check whether values of a type are lists."""
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def are_integers(values: pa.ChunkedArray) -> bool:
    """Check whether all floats are exact integers, and at least one is not null."""
    finite = pc.and_(pc.is_finite(values), pc.less(pc.abs(values), 2.0**53))
    whole = pc.and_(finite, pc.equal(values, pc.trunc(values)))
    return values.null_count < len(values) and bool(pc.all(whole).as_py())


def _number(text: str | None, value: object, title: str | None = None) -> str:
    if text is None:
        return _NULL_NUMBER
    hint = "" if title is None else f' title="{escape(title)}"'
    return f'<td class="ft-num" data-sort="{escape(str(value))}"{hint}>{escape(text)}</td>'


def _integers(name: str, values: pa.ChunkedArray) -> list[str]:
    exact = values.to_pylist()
    if _BYTES.search(name):
        texts, full = human_bytes(values).to_pylist(), thousands(values).to_pylist()
        return [
            _number(text, value, f"{long} bytes")
            for text, value, long in zip(texts, exact, full, strict=True)
        ]
    plain = _IDENTIFIER.search(name) is not None
    texts = (pc.cast(values, pa.string()) if plain else thousands(values)).to_pylist()
    return [_number(text, value) for text, value in zip(texts, exact, strict=True)]


def _fraction(value: Any) -> str:
    if value is None or value != value:
        return _NULL_NUMBER
    if abs(value) in (float("inf"), 0.0):
        return _number("0" if not value else "∞" if value > 0 else "-∞", value)
    text = f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"
    return _number(text, value, str(value))


def time_texts(values: pa.ChunkedArray) -> list[str | None]:
    """Format timestamps with the fewest digits that show all of them exactly."""
    micros = pc.cast(values, pa.timestamp("us", values.type.tz), safe=False)
    naive = pc.cast(micros, pa.timestamp("us"))
    for unit in ("s", "ms", "us"):
        short = pc.cast(naive, pa.timestamp(unit), safe=False)
        if pc.all(pc.equal(pc.cast(short, pa.timestamp("us")), naive)).as_py() is not False:
            break
    texts: list[str | None] = pc.strftime(short, "%Y-%m-%d %H:%M:%S").to_pylist()
    return texts


def _list(items: list[Any] | None, length: int | None) -> str:
    if items is None or length is None:
        return _NULL
    texts = [UNKNOWN if item is None else sanitize(_item(item), TEXT_SHOWN) for item in items]
    start = escape(", ".join(texts[:LIST_SHOWN]))
    if length <= LIST_SHOWN:
        return f'<td class="ft-wrap" data-sort="{length}">{start}</td>'
    more = "".join(f"<li>{escape(text)}</li>" for text in texts)
    if length > len(texts):
        more += f"<li>… {length - len(texts):,} more</li>"
    return (
        f'<td class="ft-wrap" data-sort="{length}"><details><summary>{start} '
        f"<em>… {length - LIST_SHOWN:,} more</em></summary><ul>{more}</ul></details></td>"
    )


def _item(item: Any) -> str:
    if isinstance(item, dict):
        return " ".join(f"{name}: {value}" for name, value in item.items() if value is not None)
    return str(item)


def _fold(text: str, members: Sequence[str]) -> str:
    listed = "".join(f"<li>{escape(sanitize(one, TEXT_SHOWN))}</li>" for one in members)
    more = "<li>…</li>" if len(members) >= LIST_FULL else ""
    return (
        f'<td class="ft-wrap"><details><summary>{escape(sanitize(text))}</summary>'
        f"<ul>{listed}{more}</ul></details></td>"
    )


def _text(value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return "<td>yes</td>" if value else "<td>no</td>"
    text = sanitize(value.hex() if isinstance(value, bytes) else str(value), multiline=True)
    if len(text) <= LINE and "\n" not in text:
        return f"<td>{escape(text)}</td>"
    if len(text) <= TEXT_SHOWN:
        return f'<td class="ft-wrap">{escape(text)}</td>'
    start, full = escape(text[:TEXT_SHOWN]), escape(sanitize(text, TEXT_FULL, multiline=True))
    return f'<td class="ft-wrap"><details><summary>{start}<em>…</em></summary>{full}</details></td>'
