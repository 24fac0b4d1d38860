"""Atomic file writes: a reader sees the whole new file or the previous one."""

from __future__ import annotations

import errno
import gzip
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from flowtriage.errors import ArgumentError
from flowtriage.humanize import sanitize

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def report_full_disk(path: Path) -> Iterator[None]:
    """Add the path to errors about a full disk, where the operating system omits it."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that replaces `path` when the block ends.

    The temporary file has a hidden name in the same directory. On an error it is removed, and
    an existing file at `path` is unchanged.

    Raises
    ------
    OSError
        If the file cannot be written or `path` is a directory.
    ArgumentError
        If `path` exists and is not a regular file.
    """
    target = path.resolve()
    if target.is_dir():
        raise IsADirectoryError(f"{sanitize(str(path))} is a directory; give the path of a file")
    if target.exists() and not target.is_file():
        raise ArgumentError(f"{sanitize(str(path))} is not a regular file; give another path")
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with report_full_disk(path), temporary.open("xb") as file:
            yield file
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def move_files(staging: Path, folder: Path) -> list[str]:
    """Move files to the same relative paths in another folder, each one atomically.

    Parameters
    ----------
    staging
        Folder of complete files, on the same file system as `folder`.
    folder
        Target folder; existing files of the same names are replaced.

    Returns
    -------
    list of str
        Relative paths of the files, sorted.
    """
    names = sorted(str(file.relative_to(staging)) for file in staging.rglob("*") if file.is_file())
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (staging / name).replace(target)
    return names


@contextmanager
def compressed(file: IO[bytes], path: Path) -> Iterator[Any]:
    """Compress output with gzip or zstd, as the suffix of `path` requires."""
    if path.suffix == ".gz":
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as out:
            yield out
    elif path.suffix in (".zst", ".zstd"):
        with pa.CompressedOutputStream(pa.PythonFile(file, mode="w"), "zstd") as out:
            yield out
    else:
        yield file
