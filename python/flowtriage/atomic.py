"""Files that are there whole, or not at all."""

from __future__ import annotations

import errno
import gzip
import os
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
def full_disk_named(path: Path) -> Iterator[None]:
    """Say where there was no room, which the operating system does not."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `path` once all of it is written.

    Until then it stands beside it under a hidden name; if anything goes wrong, it is removed and
    what was there before stays.

    Raises
    ------
    IsADirectoryError, PermissionError, OSError
        As the operating system says.
    ArgumentError
        If `path` is something else than an ordinary file.
    """
    target = path.resolve()
    if target.is_dir():
        raise IsADirectoryError(f"{sanitize(str(path))} is a folder; name a file in it")
    if target.exists() and not target.is_file():
        raise ArgumentError(f"{sanitize(str(path))} is no ordinary file; write to one")
    beside = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with full_disk_named(path), beside.open("xb") as file:
            yield file
        if target.exists():
            shutil.copymode(target, beside)
        os.replace(beside, target)  # noqa: PTH105
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextmanager
def packed(file: IO[bytes], path: Path) -> Iterator[Any]:
    """Pack what is written by gzip or zstd if the ending of `path` says so."""
    if path.suffix == ".gz":
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as out:
            yield out
    elif path.suffix in (".zst", ".zstd"):
        with pa.CompressedOutputStream(pa.PythonFile(file, mode="w"), "zstd") as out:
            yield out
    else:
        yield file
