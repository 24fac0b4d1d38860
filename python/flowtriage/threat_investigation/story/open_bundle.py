"""Manifest and tables of a bundle, read with suspicion."""

from __future__ import annotations

import os
import re
import zlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet, types

from flowtriage.errors import ArgumentError, FormatError, InputError
from flowtriage.humanize import sanitize
from flowtriage.inputs.timespan import parse_day
from flowtriage.threat_investigation.story import Story
from flowtriage.threat_investigation.story.bundle import (
    FORMAT,
    MANIFEST,
    REPORT,
    VERSION,
    digest,
    json_files,
    json_names,
    table_file,
)
from flowtriage.threat_investigation.story.globe import Location
from flowtriage.threat_investigation.story.spot_files import safe_ip
from flowtriage.threat_investigation.story.story import TABLES, Input
from flowtriage.threat_investigation.story.text import parsed

_CELL = 8


@dataclass(frozen=True)
class Manifest:
    """What a manifest says.

    Attributes
    ----------
    story
        Arguments of `Story` except its tables.
    members
        SHA-256 of each member, in hexadecimal, by its name.
    """

    story: dict[str, Any]
    members: dict[str, str]


def read_manifest(content: bytes, where: str) -> Manifest:
    """Read `manifest.json`.

    Parameters
    ----------
    content
        Its bytes.
    where
        What an error calls it.

    Raises
    ------
    FormatError
        If it is damaged, something else, or from a later version.
    """
    document = parsed(content, where)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise FormatError(f'{where} is no manifest: its format is not "{FORMAT}"')
    version = _part(document, "version", int, where)
    if version != VERSION:
        raise FormatError(
            f"{where} is of version {version}, and this flowtriage reads version {VERSION}: "
            "open it with a later one"
        )
    told = _part(document, "story", dict, where)
    inputs = _part(document, "inputs", list, where)
    story = {
        "ip": _address(told, where),
        "day": _day(told, where),
        "title": _part(told, "title", str, where),
        "text": _part(told, "text", str, where),
        "home": _home(told, where),
        "credits": _credits(told, where),
        "configuration": _part(document, "configuration", dict, where),
        "inputs": tuple(_input(one, f"{where}: inputs[{at}]") for at, one in enumerate(inputs)),
    }
    return Manifest(story, _part(document, "members", dict, where))


def read_table(content: bytes, where: str, max_bytes: int) -> pa.Table:
    """Read a table that `write_bundle` wrote.

    Parameters
    ----------
    content
        The Parquet file.
    where
        What an error calls it.
    max_bytes
        Most bytes that the table may have in memory.

    Raises
    ------
    FormatError
        If it is damaged, written in another way, or too large.
    """
    try:
        schema = parquet.read_schema(pa.BufferReader(content))
        texts = [field.name for field in schema if types.is_string(field.type)]
        with parquet.ParquetFile(pa.BufferReader(content), read_dictionary=texts) as file:
            _check_layout(file.metadata, schema, where, max_bytes)
            table = file.read()
        size = sum(_size(table[name]) for name in texts)
        if size > max_bytes:
            raise _too_large(where, max_bytes)
        return table.cast(schema)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise FormatError(f"{where} is damaged: {error}") from None


def _check_layout(metadata: Any, schema: pa.Schema, where: str, max_bytes: int) -> None:
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    if max(metadata.num_rows, sum(g.num_rows for g in groups)) * len(schema) * _CELL > max_bytes:
        raise _too_large(where, max_bytes)
    packed = {
        group.column(at).compression for group in groups for at in range(group.num_columns)
    } - {"UNCOMPRESSED"}
    if packed or any(types.is_nested(field.type) for field in schema):
        raise FormatError(f"{where} is packed, or has lists in it; a bundle has neither")


def _size(column: pa.ChunkedArray) -> int:
    """Return how many bytes of text a column stands for, without writing it out."""
    lengths = (pc.binary_length(chunk.dictionary).take(chunk.indices) for chunk in column.chunks)
    return sum(pc.sum(each.cast(pa.int64()), min_count=0).as_py() for each in lengths)


def _too_large(where: str, max_bytes: int) -> FormatError:
    return FormatError(f"{where} is too large; max_bytes allows {max_bytes:,}")


_KINDS = {str: "text", int: "a whole number", float: "a number", dict: "an object", list: "a list"}


def _part(document: dict[str, Any], key: str, kind: type, where: str) -> Any:
    value = document.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):
        raise FormatError(f"{where}: {key} is not {_KINDS[kind]}")
    return value


def _address(told: dict[str, Any], where: str) -> str:
    ip: str = _part(told, "ip", str, where)
    try:
        safe_ip(ip)
    except ArgumentError as error:
        raise FormatError(f"{where}: {error}") from None
    return ip


def _day(told: dict[str, Any], where: str) -> date | None:
    if told.get("day") is None:
        return None
    try:
        return parse_day(_part(told, "day", str, where))
    except ValueError:
        raise FormatError(f"{where}: day is no date such as 2026-03-02") from None


def _home(told: dict[str, Any], where: str) -> Location | None:
    if told.get("home") is None:
        return None
    home = _part(told, "home", dict, where)
    kinds = {"ip": str, "longitude": float, "latitude": float, "location": str}
    return Location(
        **{key: _part(home, key, kind, f"{where}: home") for key, kind in kinds.items()}
    )


def _credits(told: dict[str, Any], where: str) -> dict[str, str]:
    credits: dict[str, str] = _part(told, "credits", dict, where)
    if not all(isinstance(link, str) and link.startswith("https://") for link in credits.values()):
        raise FormatError(f"{where}: credits has a link that does not begin with https://")
    return credits


def _input(one: Any, where: str) -> Input:
    if not isinstance(one, dict):
        raise FormatError(f"{where} is not an object")
    kinds = {"name": str, "sha256": str, "size": int}
    made = Input(**{key: _part(one, key, kind, where) for key, kind in kinds.items()})
    if not re.fullmatch("[0-9a-f]{64}", made.sha256):
        raise FormatError(f"{where}: sha256 is no hash of 64 hexadecimal digits")
    return made


MAX_BYTES = 1 << 30
"""Most bytes that a bundle may have in memory: 1 GiB."""
_SHOWN = 120


def open_bundle(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Story:
    """Open what `write_bundle` wrote, once all of it is found to be whole.

    Nothing is unpacked to the disk, and nothing of the bundle is run.

    Parameters
    ----------
    path
        The file.
    max_bytes
        Most bytes that it may have in memory.

    Returns
    -------
    Story
        The story as it was written, its configuration without secrets.

    Raises
    ------
    FileNotFoundError, PermissionError
        As the operating system says.
    FormatError
        If the file is damaged, something else, from a later version, or too large; the message
        says which member and why.
    """
    shown = sanitize(str(path), _SHOWN)
    try:
        with Path(path).open("rb") as file, ZipFile(file) as archive:
            return _open(archive, shown, max_bytes)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise FormatError(f"{shown} is no bundle, or a damaged one: {error}") from None


def _open(archive: ZipFile, shown: str, max_bytes: int) -> Story:
    entries = _entries(archive, shown, max_bytes)
    if MANIFEST not in entries:
        raise FormatError(f"{shown} is no bundle: it has no {MANIFEST}")
    manifest = read_manifest(archive.read(entries[MANIFEST]), f"{shown}: {MANIFEST}")
    expected = {REPORT, *map(table_file, TABLES), *json_names(manifest.story["ip"])}
    if foreign := sorted({*entries, *manifest.members} - expected - {MANIFEST}):
        raise FormatError(f"{shown}: {_named(foreign[0])} is no part of a bundle")
    contents = {}
    for name in sorted(expected):
        if name not in entries or name not in manifest.members:
            raise FormatError(f"{shown}: {name} is missing")
        contents[name] = archive.read(entries[name])
        if manifest.members[name] != digest(contents[name]):
            raise FormatError(f"{shown}: {name} is not the one of its manifest")
    tables = {
        name: read_table(contents[table_file(name)], f"{shown}: {table_file(name)}", max_bytes)
        for name in TABLES
    }
    story = Story(**manifest.story, **tables)
    try:
        own = json_files(story)
    except (InputError, pa.ArrowException):
        raise FormatError(f"{shown}: {table_file('peers')} is no table of peers") from None
    for name, content in own.items():
        if contents[name] != content:
            raise FormatError(f"{shown}: {name} does not fit {table_file('peers')}")
    return story


def _entries(archive: ZipFile, shown: str, max_bytes: int) -> dict[str, ZipInfo]:
    """Return the members by name; refuse what `write_bundle` does not do."""
    entries: dict[str, ZipInfo] = {}
    for entry in archive.infolist():
        name = entry.filename
        if name in entries:
            raise FormatError(f"{shown}: {_named(name)} is there twice")
        if entry.flag_bits & 1 or entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise FormatError(f"{shown}: {_named(name)} is encrypted, or packed in another way")
        entries[name] = entry
    size = sum(entry.file_size for entry in entries.values())
    if size > max_bytes:
        raise FormatError(
            f"{shown} has {size:,} bytes when unpacked; max_bytes allows {max_bytes:,}"
        )
    return entries


def _named(name: str) -> str:
    return sanitize(repr(name), _SHOWN)
