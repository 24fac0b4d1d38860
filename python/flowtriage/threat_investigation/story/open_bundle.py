"""Open a bundle: validate the archive, its manifest and its tables, which are untrusted."""

from __future__ import annotations

import os
import re
import struct
import zlib
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet, types

from flowtriage.errors import ArgumentError, FormatError, InputError
from flowtriage.humanize import sanitize
from flowtriage.inputs.timespan import impossible_time, parse_day
from flowtriage.threat_investigation.story import Story
from flowtriage.threat_investigation.story.bundle import (
    FORMAT,
    MANIFEST,
    REPORT,
    VERSION,
    json_files,
    json_names,
    table_file,
)
from flowtriage.threat_investigation.story.globe import Location
from flowtriage.threat_investigation.story.spot_files import safe_ip
from flowtriage.threat_investigation.story.story import TABLES, Input
from flowtriage.threat_investigation.story.text import parse_json

MAX_BYTES = 1 << 30
"""Default limit of the memory of a bundle: 1 GiB."""
_NAME_LENGTH = 120
_DAMAGE = (
    *(BadZipFile, zlib.error, struct.error, pa.ArrowException, OSError, EOFError),
    *(ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, MemoryError),
)
"""Errors of a damaged archive: `zipfile` follows its offsets and sizes without checks."""
_BYTES_PER_CELL = 8
_JSON_TYPES = {
    str: "a string",
    int: "an integer",
    float: "a number",
    dict: "an object",
    list: "an array",
}


def open_bundle(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Story:
    """Open a bundle that `write_bundle` wrote, after validating all of its members.

    Extracts nothing to disk and executes nothing from the bundle.

    Parameters
    ----------
    path
        The file.
    max_bytes
        Maximum size of the bundle in memory.

    Returns
    -------
    Story
        The story as it was written, with a redacted configuration.

    Raises
    ------
    FileNotFoundError, PermissionError
        If the file cannot be opened.
    FormatError
        If the file is not a bundle, is damaged, has a later version, or exceeds `max_bytes`; the
        message names the member and the problem.
    """
    path = Path(path)
    shown = sanitize(str(path), _NAME_LENGTH)
    with path.open("rb") as file:
        try:
            with ZipFile(file) as archive:
                return _read_story(archive, shown, max_bytes)
        except FormatError:
            raise
        except _DAMAGE as error:
            raise FormatError(f"{shown} is damaged or not a bundle: {error}") from None


def _read_story(archive: ZipFile, shown: str, max_bytes: int) -> Story:
    entries = _entries(archive, shown, max_bytes)
    if MANIFEST not in entries:
        raise FormatError(f"{shown} is not a bundle: {MANIFEST} is missing")
    fields, hashes = _parse_manifest(archive.read(entries[MANIFEST]), f"{shown}: {MANIFEST}")
    expected = {REPORT, *map(table_file, TABLES), *json_names(fields["ip"])}
    if unexpected := sorted({*entries, *hashes} - expected - {MANIFEST}):
        raise FormatError(f"{shown}: unexpected member {_shown_name(unexpected[0])}")
    contents = {}
    for name in sorted(expected):
        if name not in entries or name not in hashes:
            raise FormatError(f"{shown}: {name} is missing")
        contents[name] = archive.read(entries[name])
        if hashes[name] != sha256(contents[name]).hexdigest():
            raise FormatError(f"{shown}: {name} does not match its hash in the manifest")
    tables = {
        name: _read_table(contents[table_file(name)], f"{shown}: {table_file(name)}", max_bytes)
        for name in TABLES
    }
    story = Story(**fields, **tables)
    try:
        derived = json_files(story)
    except (InputError, pa.ArrowException):
        raise FormatError(f"{shown}: {table_file('peers')} is not a table of peers") from None
    for name, content in derived.items():
        if contents[name] != content:
            raise FormatError(f"{shown}: {name} does not match {table_file('peers')}")
    return story


def _entries(archive: ZipFile, shown: str, max_bytes: int) -> dict[str, ZipInfo]:
    """Return the members by name; reject archive features that `write_bundle` does not use."""
    entries: dict[str, ZipInfo] = {}
    for entry in archive.infolist():
        name = entry.filename
        if name in entries:
            raise FormatError(f"{shown}: duplicate member {_shown_name(name)}")
        if entry.flag_bits & 1 or entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise FormatError(
                f"{shown}: {_shown_name(name)} is encrypted or has an unsupported compression"
            )
        entries[name] = entry
    size = sum(entry.file_size for entry in entries.values())
    if size > max_bytes:
        raise FormatError(f"{shown} has {size:,} bytes uncompressed; max_bytes is {max_bytes:,}")
    return entries


def _shown_name(name: str) -> str:
    return sanitize(repr(name), _NAME_LENGTH)


def _parse_manifest(content: bytes, where: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the arguments of `Story` except its tables, and the SHA-256 of each member."""
    document = parse_json(content, where)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise FormatError(f'{where} is not a manifest: its format is not "{FORMAT}"')
    version = _value(document, "version", int, where)
    if version != VERSION:
        raise FormatError(
            f"{where} has version {version}; this flowtriage reads version {VERSION}, open the "
            "bundle with a later one"
        )
    fields = _value(document, "story", dict, where)
    inputs = _value(document, "inputs", list, where)
    story = {
        "ip": _address(fields, where),
        "day": _day(fields, where),
        "title": _value(fields, "title", str, where),
        "text": _value(fields, "text", str, where),
        "origin": _origin(fields, where),
        "credits": _credits(fields, where),
        "configuration": _value(document, "configuration", dict, where),
        "inputs": tuple(_input(one, f"{where}: inputs[{at}]") for at, one in enumerate(inputs)),
    }
    return story, _value(document, "members", dict, where)


def _value(document: dict[str, Any], key: str, kind: type, where: str) -> Any:
    value = document.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):
        raise FormatError(f"{where}: {key} is not {_JSON_TYPES[kind]}")
    return value


def _address(fields: dict[str, Any], where: str) -> str:
    ip: str = _value(fields, "ip", str, where)
    try:
        safe_ip(ip)
    except ArgumentError as error:
        raise FormatError(f"{where}: {error}") from None
    return ip


def _day(fields: dict[str, Any], where: str) -> date | None:
    if fields.get("day") is None:
        return None
    try:
        return parse_day(_value(fields, "day", str, where))
    except ValueError:
        raise FormatError(f"{where}: day is not a date such as 2026-03-02") from None


def _origin(fields: dict[str, Any], where: str) -> Location | None:
    """Read the location of the address, whose key is `home`."""
    if fields.get("home") is None:
        return None
    home = _value(fields, "home", dict, where)
    kinds = {"ip": str, "longitude": float, "latitude": float, "location": str}
    return Location(
        **{key: _value(home, key, kind, f"{where}: home") for key, kind in kinds.items()}
    )


def _credits(fields: dict[str, Any], where: str) -> dict[str, str]:
    credits: dict[str, str] = _value(fields, "credits", dict, where)
    if not all(isinstance(link, str) and link.startswith("https://") for link in credits.values()):
        raise FormatError(f"{where}: credits contains a link that does not start with https://")
    return credits


def _input(value: Any, where: str) -> Input:
    if not isinstance(value, dict):
        raise FormatError(f"{where} is not an object")
    kinds = {"name": str, "sha256": str, "size": int}
    made = Input(**{key: _value(value, key, kind, where) for key, kind in kinds.items()})
    if not re.fullmatch("[0-9a-f]{64}", made.sha256):
        raise FormatError(f"{where}: sha256 is not 64 hexadecimal digits")
    return made


def _read_table(content: bytes, where: str, max_bytes: int) -> pa.Table:
    """Read a Parquet file of at most `max_bytes` in memory, checked before it is decoded."""
    try:
        schema = parquet.read_schema(pa.BufferReader(content))
        strings = [field.name for field in schema if types.is_string(field.type)]
        with parquet.ParquetFile(pa.BufferReader(content), read_dictionary=strings) as file:
            _check_layout(file.metadata, schema, where, max_bytes)
            table = file.read()
        table.validate(full=True)
        size = sum(_decoded_size(table[name]) for name in strings)
        if size > max_bytes:
            raise _too_large(where, max_bytes)
        if column := impossible_time(table):
            raise FormatError(f"{where}, column {column}: a time is not within the years 1 to 9999")
        return table.cast(schema)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise FormatError(f"{where} is damaged: {error}") from None


def _check_layout(metadata: Any, schema: pa.Schema, where: str, max_bytes: int) -> None:
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    rows = max(metadata.num_rows, sum(group.num_rows for group in groups))
    if rows * len(schema) * _BYTES_PER_CELL > max_bytes:
        raise _too_large(where, max_bytes)
    compressed = {
        group.column(at).compression for group in groups for at in range(group.num_columns)
    } - {"UNCOMPRESSED"}
    if compressed or any(types.is_nested(field.type) for field in schema):
        raise FormatError(f"{where} is compressed or has nested columns")


def _decoded_size(column: pa.ChunkedArray) -> int:
    """Return the bytes of a dictionary-encoded string column after decoding."""
    lengths = (pc.binary_length(chunk.dictionary).take(chunk.indices) for chunk in column.chunks)
    return sum(pc.sum(each.cast(pa.int64()), min_count=0).as_py() for each in lengths)


def _too_large(where: str, max_bytes: int) -> FormatError:
    return FormatError(f"{where} is too large; max_bytes is {max_bytes:,}")
