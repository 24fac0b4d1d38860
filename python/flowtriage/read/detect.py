"""Detection of the format of a log from its content."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any, Literal

from flowtriage.errors import ArgumentError, FormatError
from flowtriage.formats import FORMATS
from flowtriage.formats.declaration import Binding, Format
from flowtriage.formats.layout import TextLayout
from flowtriage.humanize import NAME_LENGTH, did_you_mean, quoted, sanitize

_DELIMITERS = (",", "\t", ";", "|", " ")
_MAX_OBJECTS = 200
_MAX_DEPTH = 4
_ARRAY = re.compile(rb'\s*(?:\{\s*"records"\s*:\s*)?\[\s*(?=\{)', re.IGNORECASE)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?$")
_DECODER = json.JSONDecoder()
_BINARY_HEAD = 1024
_BEFORE_JSON = b" \t\r\n\x0b\f\x1e"
"""Spaces, and the record separator of JSON text sequences (RFC 7464)."""
_NO_COLUMN = re.compile("[\0\ud800-\udfff]")
"""Characters that no name of an Arrow column may have."""


@dataclass(frozen=True)
class Detected:
    """Format and layout of a log, detected from its first bytes."""

    format: Format
    binding: Binding
    container: Literal["text", "parquet", "arrow"]
    layout: TextLayout | None = None
    header: int = 0
    """Number of bytes before the first record."""
    header_lines: int = 0


def by_name(name: str) -> Format:
    """Return the format of a short name."""
    formats = {candidate.name: candidate for candidate in FORMATS}
    if not isinstance(name, str) or name not in formats:
        raise ArgumentError(f"unknown format {quoted(name)}{did_you_mean(name, formats)}")
    return formats[name]


def match(names: Iterable[str], source: str, wanted: Format | None = None) -> Format:
    """Return the format, of all or only the wanted one, whose signature is among the columns.

    Raises
    ------
    FormatError
        If no format matches; the message lists the candidates and their missing columns.
    """
    names = list(names)
    candidates = (wanted,) if wanted else FORMATS
    missing = {candidate: candidate.missing(names) for candidate in candidates}
    for candidate, lacks in missing.items():
        if not lacks:
            return candidate
    lines = [f"{f.name} lacks {', '.join(map(_shown, lacks))}" for f, lacks in missing.items()]
    shown = ", ".join(quoted(n) for n in names[:12]) + (", …" if len(names) > 12 else "")
    near = ""
    if wanted:
        near = (_near if wanted in FORMATS else _three_nearest)(missing[wanted], names)
    raise FormatError(
        f"{source}: the format is not recognised. Columns found: {shown or 'none'}. "
        f"Candidates: {'; '.join(lines)}.{near}"
    )


def _shown(name: str) -> str:
    return sanitize(name, NAME_LENGTH)


def _three_nearest(lacks: list[str], names: list[str]) -> str:
    """Suggest existing columns for those of a mapping."""
    near = {lack: did_you_mean(lack, names).removeprefix("; ") for lack in lacks}
    return "".join(
        f" For {quoted(lack)} {text}" for lack, text in near.items() if text and " and " not in lack
    )


def _near(lacks: list[str], names: list[str]) -> str:
    """Suggest existing columns for missing ones."""
    found = {name.casefold(): name for name in names[:1000]}
    near = [get_close_matches(lack.casefold(), found, n=1) for lack in lacks]
    similar = [f"{found[n[0]]!r} for {lack!r}" for n, lack in zip(near, lacks, strict=True) if n]
    return f" Did you mean {', '.join(similar)}?" if similar else ""


def container_of(head: bytes) -> Literal["text", "parquet", "arrow"]:
    """Return whether the first bytes are text or a binary table format."""
    if head.startswith(b"PAR1"):
        return "parquet"
    return "arrow" if head.startswith(b"ARROW1") else "text"


def detect_text(
    head: bytes, source: str, wanted: Format | None = None, names: Sequence[str] = ()
) -> Detected:
    """Detect the format of a text log from its first bytes, decompressed.

    `names` are the fields that the caller gives for a log without a header.

    Raises
    ------
    FormatError
        If the log is empty, not text, or of no known format.
    """
    bom = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    body = head[bom:]
    if not body or body.isspace():
        raise FormatError(f"{source}: the file is empty; there are no flows to read")
    if b"\0" in body[:_BINARY_HEAD]:
        raise FormatError(
            f"{source}: unknown binary data; give a text log "
            "(plain, gzip or zstd), a Parquet file or an Arrow file"
        )
    if names:
        return _headerless(body, bom, source, wanted, names)
    if body.startswith(b"#"):
        return _zeek_tsv(body, bom, source, wanted)
    if body.lstrip(_BEFORE_JSON).startswith((b"{", b"[")):
        return _json(body, bom, source, wanted)
    return _delimited(body, bom, source, wanted)


def _zeek_tsv(body: bytes, bom: int, source: str, wanted: Format | None) -> Detected:
    lines = list(_comment_lines(body))
    directives = dict(_directive(line) for line in lines)
    if "fields" not in directives:
        raise FormatError(
            f"{source}: the log starts with comments but has no #fields line; "
            "is the top of a Zeek log missing?"
        )
    separator = _separator(directives.get("separator", r"\x09"), source)
    names = directives["fields"].strip("\r\n").split(separator)
    chosen = match(names, source, wanted)
    return Detected(
        chosen,
        chosen.bind(names),
        "text",
        TextLayout(names, delimiter=separator, quoted=False, comment="#"),
        header=bom + sum(map(len, lines)),
        header_lines=len(lines),
    )


def _comment_lines(body: bytes) -> Iterator[bytes]:
    for line in io.BytesIO(body):
        if not line.startswith(b"#"):
            return
        yield line


def _directive(line: bytes) -> tuple[str, str]:
    text = line.decode("utf-8", "replace")[1:].rstrip("\r\n")
    name = text.split(maxsplit=1)[0] if text.strip() else ""
    return name, text[len(name) + 1 :]


def _separator(text: str, source: str) -> str:
    try:
        separator = codecs.decode(text.strip(" ") or text, "unicode_escape")
    except UnicodeDecodeError:
        separator = ""
    if len(separator) != 1 or not separator.isascii():
        raise FormatError(f"{source}: #separator {text!r} is not a single character")
    return separator


def _json(body: bytes, bom: int, source: str, wanted: Format | None) -> Detected:
    start = _first_of_array(body)
    names = _json_paths(body)
    if not names:
        raise FormatError(
            f"{source}: this looks like JSON, but does not start with a complete object; "
            "JSON logs have one object per line, or one array of objects"
        )
    chosen = match(names, source, wanted)
    tuples = chosen.tuples if chosen.tuples and chosen.tuples.path in names else None
    objects = start is not None or next(_objects_of_lines(body), None) is None
    layout = TextLayout([], quoted=False, objects=objects, tuples=tuples)
    binding = chosen.bind(names, sparse=True)
    header = start or 0
    lines = body.count(b"\n", 0, header)
    return Detected(chosen, binding, "text", layout, header=bom + header, header_lines=lines)


def json_names(body: bytes) -> list[str]:
    """Return the names of the values, not of objects and arrays, in the first bytes of JSON.

    Names that no Arrow column may have are excluded.
    """
    names = _json_paths(body)
    objects = {name[:dot] for name in names for dot, c in enumerate(name) if c == "."}
    columns = (name for name in names if name not in objects and "[]" not in name)
    return [name for name in columns if not _NO_COLUMN.search(name)]


def _first_of_array(body: bytes) -> int | None:
    """Return the position of the first object, if the objects are in one array."""
    found = _ARRAY.match(body)
    return found.end() if found else None


def _objects_of_lines(body: bytes) -> Iterator[dict[str, Any]]:
    for line in islice(io.BytesIO(body), _MAX_OBJECTS):
        try:
            value = json.loads(line.strip(_BEFORE_JSON))
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value


def _objects_of_array(body: bytes, start: int) -> Iterator[dict[str, Any]]:
    text = body.decode("utf-8", "replace")
    position = len(body[:start].decode("utf-8", "replace"))
    for _ in range(_MAX_OBJECTS):
        position = text.find("{", position)
        if position < 0:
            return
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            return
        yield value


def _json_paths(body: bytes) -> dict[str, None]:
    """Return the names in the first JSON objects; none if there is no complete object."""
    start = _first_of_array(body)
    names: dict[str, None] = {}
    if start is None:
        for value in _objects_of_lines(body):
            names.update(dict.fromkeys(_paths(value)))
    if not names:
        for value in _objects_of_array(body, start or 0):
            names.update(dict.fromkeys(_paths(value)))
    return names


def _paths(value: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, inner in value.items():
        yield prefix + key
        if prefix.count(".") >= _MAX_DEPTH:
            continue
        if isinstance(inner, dict):
            yield from _paths(inner, f"{prefix}{key}.")
        elif isinstance(inner, list):
            yield f"{prefix}{key}[]"
            for item in islice((item for item in inner if isinstance(item, dict)), 1):
                yield from _paths(item, f"{prefix}{key}[].")


def _delimited(body: bytes, bom: int, source: str, wanted: Format | None) -> Detected:
    skipped = len(body) - len(body.lstrip(b"\r\n"))
    first = io.BytesIO(body[skipped:]).readline()
    try:
        text = first.decode("utf-8").rstrip("\r\n")
        headers = {d: next(csv.reader([text], delimiter=d), []) or [""] for d in _DELIMITERS}
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{source}: the first line is not a header ({error})") from None
    for candidate in (wanted,) if wanted else FORMATS:
        for form in candidate.headerless:
            if re.match(form.line, text):
                names = list(form.names)
                layout = TextLayout(names, delimiter=form.delimiter, quoted=False)
                lines = body.count(b"\n", 0, skipped)
                return Detected(
                    candidate, candidate.bind(names), "text", layout, bom + skipped, lines
                )
    best = max(_DELIMITERS, key=lambda d: len(headers[d]))
    if (wanted is None or wanted.name == "zeek") and _is_time(headers["\t"][0]):
        raise FormatError(
            f"{source}: tab-separated records without a #fields line; "
            "the top of a Zeek log is missing"
        )
    for delimiter, names in headers.items():
        if any(not f.missing(names) for f in ((wanted,) if wanted else FORMATS)):
            best = delimiter
            break
    names = headers[best]
    chosen = match(names, source, wanted)
    return Detected(
        chosen,
        chosen.bind(names),
        "text",
        TextLayout(names, delimiter=best),
        header=bom + skipped + len(first),
        header_lines=body.count(b"\n", 0, skipped) + 1,
    )


def _headerless(
    body: bytes, bom: int, source: str, wanted: Format | None, names: Sequence[str]
) -> Detected:
    """Bind the field names that the caller gives for a log without a header."""
    skipped = len(body) - len(body.lstrip(b"\r\n"))
    first = io.BytesIO(body[skipped:]).readline().decode("utf-8", "replace").rstrip("\r\n")
    for delimiter in _DELIMITERS:
        values = first.split(delimiter)
        # CloudWatch prefixes each record with its ingestion time.
        stamped = len(values) == len(names) + 1 and _TIMESTAMP.match(values[0])
        if stamped or len(values) == len(names):
            break
    else:
        counts = ", ".join(f"{len(first.split(d))} split at {d!r}" for d in _DELIMITERS)
        raise FormatError(
            f"{source}: columns= has {len(names)} fields, but the first line has {counts}"
        )
    named = ["@timestamp", *names] if stamped else list(names)
    chosen = match(named, source, wanted)
    layout = TextLayout(named, delimiter=delimiter, quoted=delimiter in ",;")
    lines = body.count(b"\n", 0, skipped)
    return Detected(chosen, chosen.bind(named), "text", layout, bom + skipped, lines)


def _is_time(text: str) -> bool:
    whole, _, fraction = text.partition(".")
    return len(whole) >= 9 and whole.isdigit() and fraction.isdigit()
