"""Format quantities and untrusted text for people."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

import pyarrow as pa
import pyarrow.compute as pc

NAME_LENGTH = 80
UNKNOWN = "\N{EN DASH}"
_NEAREST = 3
_COMPARED = 200
"""Number of names that are suggested for a wrong one, and of characters that are compared."""
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_FORMULA = re.compile(r"'*[ ]*[=+\-@\t\r\n＝＋－＠]")
"""How a text starts that a spreadsheet calculates, or that is already escaped."""
_THOUSANDS = r"^(-?\d+)(\d{3})((?:,\d{3})*)$"


def thousands(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Format integers with thousands separators; null stays null.

    Examples
    --------
    >>> thousands(pa.array([999, 1234567, None])).to_pylist()
    ['999', '1,234,567', None]
    """
    text = pc.cast(values, pa.string())
    for _ in range(6):
        text = pc.replace_substring_regex(text, _THOUSANDS, r"\1,\2\3")
    return text


def counted(count: int, one: str, several: str = "") -> str:
    """Format a number of things, with the words for one or for several.

    Examples
    --------
    >>> counted(1, "flow"), counted(1200, "flow"), counted(0, "query", "queries")
    ('1 flow', '1,200 flows', '0 queries')
    """
    words = one if count == 1 else several or (one and f"{one}s")
    return f"{count:,} {words}".rstrip()


def human_bytes(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Format byte counts with decimal units: 1 kB is 1,000 bytes; null stays null.

    Examples
    --------
    >>> human_bytes(pa.array([0, 999, 1500, 999_950, None])).to_pylist()
    ['0 B', '999 B', '1.5 kB', '1 MB', None]
    """
    value = pc.cast(values, pa.float64(), safe=False)
    size = pc.abs(value)
    step = pc.cast(pc.greater_equal(size, 1000.0), pa.int8())
    for power in range(2, len(_UNITS)):
        # With one decimal, the next unit starts where rounding would give 1000.0.
        enough = pc.greater_equal(size, 0.99995 * 1000.0**power)
        step = pc.add(step, pc.cast(enough, pa.int8()))
    scale = pc.power(pa.scalar(1000.0), pc.cast(step, pa.float64()))
    scaled = pc.cast(pc.round(pc.divide(value, scale), 1), pa.string())
    number = pc.if_else(pc.equal(step, 0), pc.cast(values, pa.string()), scaled)
    unit = pc.take(pa.array(_UNITS), step)
    return pc.binary_join_element_wise(number, unit, " ")


def sanitize(text: str, limit: int | None = None, *, multiline: bool = False) -> str:
    r"""Escape control and format characters, such as bidirectional overrides.

    HTML is not escaped. Text longer than `limit` is cut and ends with an ellipsis; `multiline`
    keeps tabs and line feeds.

    Examples
    --------
    >>> sanitize("invoice\u202egpj.exe")
    'invoice\\u202egpj.exe'
    >>> sanitize("a-very-long-name", limit=7)
    'a-very…'
    """
    if not text.isprintable():
        allowed = "\t\n" if multiline else ""
        text = "".join(c if c.isprintable() or c in allowed else _escape(c) for c in text)
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    return text


def sanitize_array(names: pa.ChunkedArray) -> pa.Array:
    """Sanitize each distinct name once and limit its length to `NAME_LENGTH`."""
    distinct = pc.unique(names).drop_null()
    safe = [sanitize(name, NAME_LENGTH) for name in distinct.to_pylist()]
    indices = pc.index_in(names, value_set=distinct).combine_chunks()
    return pa.array(safe, pa.string()).take(indices)


def spreadsheet_safe(text: str) -> str:
    """Return a text that spreadsheets do not take for a formula: an apostrophe precedes it.

    Examples
    --------
    >>> spreadsheet_safe("=1+1"), spreadsheet_safe("10.0.0.1")
    ("'=1+1", '10.0.0.1')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def spreadsheet_safe_array(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as `spreadsheet_safe`; null stays null."""
    return pc.replace_substring_regex(texts, f"^({_FORMULA.pattern})", r"'\1")


def spreadsheet_value(text: str) -> str:
    """Return the text that `spreadsheet_safe` was given.

    Examples
    --------
    >>> spreadsheet_value("'=1+1"), spreadsheet_value("'quoted'")
    ('=1+1', "'quoted'")
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def joined(*parts: str | pa.ChunkedArray) -> pa.ChunkedArray:
    """Concatenate strings and columns row by row; null where any part is null."""
    return pc.binary_join_element_wise(*parts, "")


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def quoted(value: object) -> str:
    """Return a value as in source code, sanitized and cut after `NAME_LENGTH` characters.

    Examples
    --------
    >>> quoted("colour"), quoted(5)
    ("'colour'", '5')
    """
    return sanitize(repr(value), NAME_LENGTH)


def did_you_mean(given: object, known: Iterable[object]) -> str:
    """Return the end of an error message: the three known names nearest to a wrong one.

    They are named in order, however far they are. A name is as near as its nearest word; case is
    ignored.

    Examples
    --------
    >>> "unknown format" + did_you_mean("nfdmp", ["zeek", "nfdump", "argus", "suricata"])
    'unknown format; did you mean nfdump, zeek or argus?'
    """
    wanted = str(given)[:_COMPARED].casefold()

    def likeness(name: str) -> float:
        words = {name[:_COMPARED].casefold(), *name[:_COMPARED].casefold().split()}
        return max(SequenceMatcher(None, wanted, word).ratio() for word in words)

    nearest = sorted(dict.fromkeys(map(str, known)), key=likeness, reverse=True)[:_NEAREST]
    names = [sanitize(name, NAME_LENGTH) for name in nearest]
    if len(names) < 2:
        return f"; did you mean {names[0]}?" if names else ""
    return f"; did you mean {', '.join(names[:-1])} or {names[-1]}?"
