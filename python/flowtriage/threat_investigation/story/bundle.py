"""Write a story as a .zip archive (a bundle) for other analysts."""

from __future__ import annotations

import json
import os
import tempfile
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pyarrow as pa
from pyarrow import parquet

from flowtriage.atomic import replacing
from flowtriage.threat_investigation.story.page import write_story
from flowtriage.threat_investigation.story.spot_files import story_files
from flowtriage.threat_investigation.story.story import StoryData
from flowtriage.threat_investigation.story.text import check_text, redact

FORMAT = "flowtriage threat story"
VERSION = 1
MANIFEST = "manifest.json"
REPORT = "report.html"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_bundle(story: StoryData, path: str | os.PathLike[str]) -> Path:
    """Write a story as a .zip archive.

    It contains the tables as Parquet, the three JSON files, the report, and `manifest.json` with
    the other fields of the story and the hash of each member. The configuration is redacted. A
    bundle is reproducible: the same story gives the same bytes.

    Parameters
    ----------
    story
        The story.
    path
        The file; an existing one is replaced atomically.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ArgumentError
        If the address of the story is invalid, or title or text contain a NUL character or an
        unpaired surrogate.
    InputError
        If a table of the story lacks columns.
    MissingExtraError
        If bokeh or jinja2 is not installed.
    OSError
        If the file cannot be written.
    """
    path = Path(path)
    check_text("title", story.title)
    check_text("text", story.text)
    members = {
        **json_files(story),
        **{table_file(name): _parquet(table) for name, table in story.tables.items()},
        REPORT: _report(story),
    }
    manifest = json.dumps(_manifest(story, members), indent=1, sort_keys=True).encode()
    with replacing(path) as file, ZipFile(file, "w") as archive:
        for name, content in {MANIFEST: manifest, **members}.items():
            entry = ZipInfo(name, _ZIP_EPOCH)
            entry.compress_type = ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content, compresslevel=6)
    return path


def table_file(name: str) -> str:
    """Return the member name of a table."""
    return f"tables/{name}.parquet"


def json_names(ip: str) -> list[str]:
    """Return the member names of the JSON files: globe, stats, dendrogram."""
    return [path.name for path in vars(story_files("", ip)).values()]


def json_files(story: StoryData) -> dict[str, bytes]:
    """Return the three JSON files of a story by member name."""
    parts = (story.globe, story.stats, story.dendrogram)
    texts = (part.to_json().encode() for part in parts)
    return dict(zip(json_names(story.ip), texts, strict=True))


def _manifest(story: StoryData, members: dict[str, bytes]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "flowtriage": version("flowtriage"),
        "story": {
            "ip": story.ip,
            "day": story.day.isoformat() if story.day else None,
            "title": story.title,
            "text": story.text,
            "home": vars(story.origin) if story.origin else None,
            "credits": dict(story.credits),
        },
        "configuration": redact(story.configuration),
        "inputs": [vars(one) | {"name": redact(one.name)} for one in story.inputs],
        "members": {name: sha256(content).hexdigest() for name, content in members.items()},
    }


def _parquet(table: pa.Table) -> bytes:
    """Write a table uncompressed; the archive compresses it and declares its size."""
    sink = pa.BufferOutputStream()
    table = table.replace_schema_metadata(None).combine_chunks()
    parquet.write_table(table, sink, compression="none", use_dictionary=False, store_schema=False)
    return bytes(sink.getvalue())


def _report(story: StoryData) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_story(story, Path(folder) / REPORT, dated=False).read_bytes()
