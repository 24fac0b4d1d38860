"""Finding the log files that a path, a glob, a folder or a URL stands for."""

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

_NAME = 500
_PARTITION = re.compile(r"([A-Za-z_][\w-]*)=(.*)")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_NOT_DATA = (".", "_")
"""Beginnings of names, such as `_SUCCESS`, that hold no data by the convention of Hive."""


@dataclass(frozen=True)
class LogFile:
    """A file to read.

    Parameters
    ----------
    name
        What to call it, safe to show.
    open
        Opens it: an object with `read`.
    path
        Its path, if it is on this machine.
    owned
        Whether what `open` returns is to be closed after reading.
    found
        Whether it was found in a folder that was asked for, and not asked for itself.
    hidden
        Whether its name there says that it holds no data, such as `_SUCCESS`.
    partitions
        Names and values of the Hive partitions that it lies in; a value may be missing.
    """

    name: str
    open: Callable[[], Any]
    path: Path | None = None
    owned: bool = True
    found: bool = False
    hidden: bool = False
    partitions: Mapping[str, str | None] = field(default_factory=dict)


def locate(place: str | os.PathLike[str]) -> list[LogFile]:
    """Find the files that a path stands for, in the order of their names.

    Parameters
    ----------
    place
        Path of a file or folder, a glob, or a URL that fsspec knows. What exists under exactly
        that name is taken, whatever characters are in it.

    Raises
    ------
    FileNotFoundError
        If a glob matches nothing.
    FormatError
        If a folder holds no file.
    ArgumentError, MissingExtraError
        If a URL is of no known kind, or the library for it is not installed; if the path is the
        root of a file system, which holds much more than logs.

    Examples
    --------
    >>> [file.name for file in locate("conn.log")]
    ['conn.log']
    """
    text = os.path.expanduser(os.fspath(place))  # noqa: PTH111
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


def handle(source: Any) -> LogFile:
    """Describe an open file or anything with `read`; it is read from where it stands."""
    name = getattr(source, "name", None)
    shown = name if isinstance(name, str) else type(source).__name__
    return LogFile(sanitize(shown, _NAME), lambda: source, owned=False)


def _local(path: Path) -> LogFile:
    return LogFile(
        sanitize(str(path), _NAME),
        lambda: path.open("rb", buffering=0),
        path,
        partitions=_partitions(path),
    )


def _partitions(path: PurePath) -> dict[str, str | None]:
    """Read the names of folders such as `y=2024`, as Hive writes them."""
    found = [match for part in path.parts[:-1] if (match := _PARTITION.fullmatch(part))]
    values = {match[1]: unquote(match[2]) for match in found}
    return {name: None if value == _NO_VALUE else value for name, value in values.items()}


def _folder(path: Path) -> list[LogFile]:
    if path.resolve() == Path(path.resolve().anchor):
        shown = sanitize(str(path), _NAME)
        raise ArgumentError(f"{shown}: is the root of a file system; name a folder of logs in it")
    files = sorted(file for file in _walk(path) if file.is_file())
    if not files:
        raise _empty(sanitize(str(path), _NAME))
    return [
        replace(_local(file), found=True, hidden=_is_hidden(file.relative_to(path)))
        for file in files
    ]


def _is_hidden(path: PurePath) -> bool:
    return any(part.startswith(_NOT_DATA) for part in path.parts)


def _empty(folder: str) -> FormatError:
    return FormatError(f"{folder}: there is no file in this folder")


def _walk(path: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise error

    for folder, _, names in os.walk(path, onerror=refuse):
        yield from (Path(folder, name) for name in names)


def _remote(url: str) -> list[LogFile]:
    shown = _without_secrets(url)
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
            _without_secrets(system.unstrip_protocol(name)),
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
        return [
            replace(
                file(name), found=True, hidden=_is_hidden(PurePosixPath(name).relative_to(folder))
            )
            for name in names
        ]
    names = sorted(system.glob(path)) if glob.has_magic(path) else []
    if not names:
        raise FileNotFoundError(errno.ENOENT, "no such file", shown)
    return [file(name) for name in names if system.isfile(name)]


def _without_secrets(url: str) -> str:
    """Leave out of a URL what may be a password or a signature."""
    return sanitize(re.sub(r"://[^/@]*@", "://", url.partition("?")[0]), _NAME)
