"""Telling files apart by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from contextlib import closing
from typing import Any

from flowtriage.formats.sources import LogFile

_BLOCK = 1 << 20


def digests(file: LogFile, sizes: Collection[int]) -> dict[int, str]:
    """Digest the whole content of a file, last, and before it the beginnings of certain sizes."""
    digest = hashlib.sha256()
    found: dict[int, str] = {}
    size = 0
    with closing(file.open()) as opened:
        for stop in sorted(sizes):
            size += _digest(opened, digest, stop - size)
            if size == stop:
                found[size] = digest.hexdigest()
        size += _digest(opened, digest, None)
    found.pop(size, None)
    return found | {size: digest.hexdigest()}


def _digest(opened: Any, digest: Any, most: int | None) -> int:
    done = 0
    while block := opened.read(_BLOCK if most is None else min(_BLOCK, most - done)):
        digest.update(block)
        done += len(block)
    return done
