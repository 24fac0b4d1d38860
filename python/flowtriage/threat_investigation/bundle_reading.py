"""Opening a bundle that came from somebody else."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import pyarrow as pa

from flowtriage.errors import FormatError, InputError
from flowtriage.report.text import visible
from flowtriage.threat_investigation.bundle import (
    MANIFEST,
    REPORT,
    digest,
    json_files,
    json_names,
    table_file,
)
from flowtriage.threat_investigation.bundle_parts import read_manifest, read_table
from flowtriage.threat_investigation.story import TABLES, Story

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
    shown = visible(str(path), _SHOWN)
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
    return visible(repr(name), _SHOWN)
