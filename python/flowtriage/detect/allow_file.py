"""Files of allow-lists: TOML and CSV."""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

from flowtriage.atomic import replacing
from flowtriage.detect.allow_entry import COLUMNS, AllowEntry, parse_entry
from flowtriage.errors import ArgumentError, FormatError
from flowtriage.humanize import did_you_mean, sanitize, spreadsheet_safe, spreadsheet_value

SUFFIXES = (".toml", ".csv")
_TABLE = re.compile(r"^[ \t]*\[\[[ \t]*(?:allow|\"allow\"|'allow')[ \t]*\]\]", re.MULTILINE)
_KEY = "allow"
_MAX_SHOWN = 80
_Record: TypeAlias = tuple[str, Mapping[str, Any] | str]
"""Position and values of an entry, or what is wrong with it."""


def read_entries(path: Path) -> tuple[list[AllowEntry], list[str]]:
    """Return the entries of a file, and its bad lines with position and reason.

    Raises
    ------
    ArgumentError
        If the name does not end in `.toml` or `.csv`.
    FormatError
        If the file has another form.
    OSError
        If it cannot be read.
    """
    _check_suffix(path)
    return _entries(path, _text_of(path))


def append_entries(path: Path, entries: Sequence[AllowEntry]) -> None:
    """Add those entries that a file lacks at its end, or create it; what it has is kept.

    Raises
    ------
    ArgumentError, FormatError
        As for `read_entries`; also if entries cannot follow its last line.
    OSError
        If it cannot be written; it is unchanged then.
    """
    _check_suffix(path)
    text = _text_of(path) if path.exists() else ""
    present, _ = _entries(path, text) if text.strip() else ([], [])
    known = set(present)
    missing = [entry for entry in dict.fromkeys(entries) if entry not in known]
    if not missing and path.exists():
        return
    text = _with_toml(text, missing) if _is_toml(path) else _with_csv(path, text, missing)
    if missing and _entries(path, text)[0][-len(missing) :] != missing:
        raise FormatError(
            f"{_shown(path)}: entries cannot be added at its end; use tables [[allow]] for entries"
        )
    with replacing(path) as file:
        file.write(text.encode())


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise ArgumentError(f"{_shown(path)} is no allow-list; its name must end in .toml or .csv")


def _is_toml(path: Path) -> bool:
    return path.suffix.lower() == ".toml"


def _text_of(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise FormatError(f"{_shown(path)} is not UTF-8 ({error}); save it as UTF-8") from None


def _entries(path: Path, text: str) -> tuple[list[AllowEntry], list[str]]:
    entries, problems = [], []
    for position, values in _toml(path, text) if _is_toml(path) else _csv(path, text):
        if isinstance(values, str):
            problems.append(f"{position}: {values}")
            continue
        try:
            entries.append(parse_entry(values, position))
        except ArgumentError as error:
            problems.append(f"{position}: {error}")
    return entries, problems


def _toml(path: Path, text: str) -> Iterator[_Record]:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FormatError(f"{_shown(path)} is not valid TOML: {error}") from None
    tables = document.pop(_KEY, [])
    if document or not isinstance(tables, list):
        found = next(iter(document), _KEY)
        raise FormatError(f"{_shown(path)}: {sanitize(found)!r} is no entry; write [[allow]]")
    lines = [text.count("\n", 0, found.start()) + 1 for found in _TABLE.finditer(text)]
    for number, values in enumerate(tables):
        exact = len(lines) == len(tables)
        where = f"line {lines[number]}" if exact else f"entry {number + 1}"
        position = f"{_shown(path)}, {where}"
        yield position, values if isinstance(values, dict) else "not a table; write [[allow]]"


def _csv(path: Path, text: str) -> Iterator[_Record]:
    header: list[str] | None = None
    reader = _reader(text)
    line = 1
    while True:
        position = f"{_shown(path)}, line {line}"
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            break
        except csv.Error as error:
            yield position, f"not CSV ({error}); nothing after it is read"
            break
        line = reader.line_num + 1
        if not any(cells) or cells[0].startswith("#"):
            continue
        if header is None:
            header = _header(path, cells)
        elif any(cells[len(header) :]):
            yield position, f"{len(cells)} cells, but the header has {len(header)}"
        else:
            yield position, dict(zip(header, map(spreadsheet_value, cells), strict=False))
    if header is None:
        raise FormatError(f"{_shown(path)} has no header; its columns may be {', '.join(COLUMNS)}")


def _reader(text: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)


def _delimiter(text: str) -> str:
    """Return the separator in the header; some spreadsheets write semicolons."""
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    header = next(lines, "")
    return ";" if ";" in header and "," not in header else ","


def _header(path: Path, cells: Sequence[str]) -> list[str]:
    names = [cell.lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if unknown := [name for name in names if name not in COLUMNS]:
        near = did_you_mean(unknown[0], COLUMNS)
        raise FormatError(
            f"{_shown(path)}: unknown column {sanitize(unknown[0], _MAX_SHOWN)!r}{near}"
        )
    if len(set(names)) < len(names):
        raise FormatError(f"{_shown(path)}: a column is there twice; give each one once")
    return names


def _with_toml(text: str, entries: Sequence[AllowEntry]) -> str:
    """Return the text of a file with further entries."""
    blocks = ("\n".join(["[[allow]]", *_assignments(entry), ""]) for entry in entries)
    gap = "" if not text.strip() else "\n" if text.endswith("\n") else "\n\n"
    return text + gap + "\n".join(blocks)


def _assignments(entry: AllowEntry) -> Iterator[str]:
    for name, value in _values(entry).items():
        is_text = isinstance(value, str)
        shown = json.dumps(value, ensure_ascii=False) if is_text else str(value)
        yield f"{name} = {shown}".replace("\x7f", r"\u007f")


def _with_csv(path: Path, text: str, entries: Sequence[AllowEntry]) -> str:
    """Return the text of a file with further entries, and with the columns that they need."""
    newline = "\r\n" if "\r\n" in text else "\n"
    separator = _delimiter(text)
    if not text.strip():
        text = ",".join(COLUMNS) + newline
    used = {name for entry in entries for name in _values(entry)}
    lines = list(io.StringIO(text, newline=""))
    at, header = _find_header(path, text)
    if missing := [name for name in COLUMNS if name in used and name not in header]:
        end = lines[at][len(lines[at].rstrip("\r\n")) :]
        lines[at] = separator.join([lines[at].rstrip("\r\n"), *missing]) + end
        header += missing
    if lines[-1].rstrip("\r\n") == lines[-1]:
        lines[-1] += newline
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator=newline)
    for entry in entries:
        cells = [_values(entry).get(name, "") for name in header]
        writer.writerow([spreadsheet_safe(c) if isinstance(c, str) else c for c in cells])
    return "".join(lines) + out.getvalue()


def _find_header(path: Path, text: str) -> tuple[int, list[str]]:
    """Return the index of the line with the header, and its columns."""
    reader = _reader(text)
    for cells in reader:
        if any(cells) and not cells[0].startswith("#"):
            break
    return reader.line_num - 1, _header(path, [cell.strip() for cell in cells])


def _values(entry: AllowEntry) -> dict[str, str | int | date]:
    values = {name: getattr(entry, name) for name in COLUMNS}
    return {name: value for name, value in values.items() if value is not None}


def _shown(path: Path) -> str:
    return sanitize(str(path))
