"""Location of log files: path, glob, directory or URL."""

from __future__ import annotations

import errno
import glob
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Any
from urllib.parse import unquote

from flowtriage.errors import ArgumentError, FormatError, MissingExtraError
from flowtriage.humanize import sanitize
from flowtriage.inputs.arrow import Readable
from flowtriage.inputs.texts import path_argument

_MAX_NAME = 500
_PARTITION = re.compile(r"([A-Za-z_][\w-]*)=(.*)")
_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_HIDDEN = (".", "_")
"""Prefixes of names without data, such as `_SUCCESS`, by the convention of Hive."""


@dataclass(frozen=True)
class LogFile:
    """A log file, with a sanitized name for messages and the path of a local file.

    `owned` files are closed after reading, `found` ones were not requested by name but are in a
    requested directory, `hidden` ones have the name of a file without data, such as `_SUCCESS`.
    Partitions are those of Hive; a value may be null.
    """

    name: str
    open: Callable[[], Any]
    path: Path | None = None
    owned: bool = True
    found: bool = False
    hidden: bool = False
    partitions: Mapping[str, str | None] = field(default_factory=dict)


def locate(path: str | os.PathLike[str]) -> list[LogFile]:
    """Return the files of a path, glob, directory or URL of fsspec, ordered by name.

    A file whose name is exactly this string takes precedence over a glob.

    Raises
    ------
    FileNotFoundError
        If a glob matches nothing.
    FormatError
        If a directory contains no file.
    ArgumentError, MissingExtraError
        If the scheme of a URL is unknown or its library is not installed, or if the path is
        the root of a file system.

    Examples
    --------
    >>> [file.name for file in locate("conn.log")]
    ['conn.log']
    """
    text = os.path.expanduser(path_argument(path))  # noqa: PTH111
    path = Path(text)
    if path.is_dir():
        return _folder(path)
    if path.exists():
        return [_local(path)]
    if "://" in text:
        return _remote(text)
    if glob.has_magic(text):
        found = [Path(name) for name in sorted(glob.glob(text, recursive=True))]  # noqa: PTH207
        if not found:
            raise FileNotFoundError(errno.ENOENT, "no file matches", text)
        return [file for p in found for file in (_folder(p) if p.is_dir() else [_local(p)])]
    return [_local(path)]


def log_file_of(source: Readable) -> LogFile:
    """Return the log file of an open file; it is read from its current position."""
    name = getattr(source, "name", None)
    shown = name if isinstance(name, str) else type(source).__name__
    return LogFile(sanitize(shown, _MAX_NAME), lambda: source, owned=False)


def _local(path: Path) -> LogFile:
    return LogFile(
        sanitize(str(path), _MAX_NAME),
        lambda: path.open("rb", buffering=0),
        path,
        partitions=_partitions(path),
    )


def _partitions(path: PurePath) -> dict[str, str | None]:
    """Parse Hive partitions such as `y=2024` from the directories of a path."""
    found = [match for part in path.parts[:-1] if (match := _PARTITION.fullmatch(part))]
    values = {match[1]: unquote(match[2]) for match in found}
    return {name: None if value == _NULL_PARTITION else value for name, value in values.items()}


def _folder(path: Path) -> list[LogFile]:
    if path.resolve() == Path(path.resolve().anchor):
        shown = sanitize(str(path), _MAX_NAME)
        raise ArgumentError(f"{shown} is the root of a file system; give a directory of logs")
    files = sorted(file for file in _walk(path) if file.is_file())
    if not files:
        raise _empty(sanitize(str(path), _MAX_NAME))
    return [_found(_local(file), file.relative_to(path)) for file in files]


def _found(file: LogFile, path: PurePath) -> LogFile:
    """Mark a file of a directory, by its path there."""
    hidden = any(part.startswith(_HIDDEN) for part in path.parts)
    return replace(file, found=True, hidden=hidden)


def _empty(folder: str) -> FormatError:
    return FormatError(f"{folder}: the directory contains no file")


def _walk(path: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for folder, _, names in os.walk(path, onerror=fail):
        yield from (Path(folder, name) for name in names)


def _remote(url: str) -> list[LogFile]:
    shown = _redacted(url)
    try:
        import fsspec
    except ImportError:
        raise MissingExtraError(
            f'reading {shown} needs fsspec: pip install "flowtriage[remote]"'
        ) from None
    try:
        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise MissingExtraError(f"reading {shown} needs a library ({error})") from None
    except ValueError as error:
        raise ArgumentError(f"{shown}: {error}") from None

    def file(name: str) -> LogFile:
        return LogFile(
            _redacted(system.unstrip_protocol(name)),
            lambda: system.open(name, "rb"),
            partitions=_partitions(PurePosixPath(name)),
        )

    if system.isfile(path):
        return [file(path)]
    if system.isdir(path):
        names = sorted(system.find(path))
        if not names:
            raise _empty(shown)
        folder = PurePosixPath(path)
        return [_found(file(name), PurePosixPath(name).relative_to(folder)) for name in names]
    names = sorted(system.glob(path)) if glob.has_magic(path) else []
    if not names:
        raise FileNotFoundError(errno.ENOENT, "no such file", shown)
    return [file(name) for name in names if system.isfile(name)]


def _redacted(url: str) -> str:
    """Remove user, password and query from a URL."""
    return sanitize(re.sub(r"://[^/@]*@", "://", url.partition("?")[0]), _MAX_NAME)
