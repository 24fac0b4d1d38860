"""Byte streams of logs: decompressed, and text as UTF-8 with line feeds."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import stat
import tempfile
import zlib
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import chain
from typing import Any

import pyarrow as pa

from flowtriage.errors import FormatError
from flowtriage.read.locate import LogFile

BLOCK = 8 << 20
"""Bytes per block."""
_PIECE = 1 << 17
"""Bytes per decompression step."""
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Log:
    """An open log.

    `size` is the compressed size in bytes when the log was opened, if known: only this many bytes
    are read of a growing log. `damage` is the reason why reading stopped early, if it did.
    """

    def __init__(self, file: LogFile, source: Any) -> None:
        self.name = file.name
        self.size = _size(source)
        self.damage: str | None = None
        self._path = file.path
        self._source = source
        self._seekable = _seekable(source)
        self._raw = _Bytes(source, self.size, self.name)
        self._stream, self._compression = _decompressed(io.BufferedReader(self._raw, 1 << 20))

    @property
    def done(self) -> int:
        """Number of bytes read of the file."""
        return self._raw.done

    @property
    def grew(self) -> bool:
        """Whether the file has grown since it was opened."""
        return self._compression is None and self.size is not None and bool(_size(self._source))

    def close(self) -> None:
        """Close the stream; a file that the caller opened stays open."""
        self._stream.close()

    def blocks(self) -> Generator[bytes]:
        """Yield all bytes, decompressed; stop at damage and set `damage`.

        Blocks end at a line end if they contain one. The next block of a local file is read in
        the background.
        """
        return self._blocks() if self.size is None else _read_ahead(self._blocks())

    def _blocks(self) -> Generator[bytes]:
        buffer = bytearray(BLOCK)
        view = memoryview(buffer)
        filled, empty = 0, True
        while read := self._read(view[filled:]):
            filled += read
            empty = False
            if filled == BLOCK:
                end = buffer.rfind(b"\n") + 1 or BLOCK
                yield bytes(view[:end])
                filled -= end
                view[:filled] = view[end:]
        if filled:
            yield bytes(view[:filled])
        if self.damage and empty:
            raise FormatError(f"{self.name}: {self.damage}; nothing could be read")

    def _read(self, view: memoryview) -> int:
        """Read some bytes into a view; return their number, 0 at the end."""
        try:
            if self._compression is None:
                return int(self._stream.readinto1(view) or 0)
            piece = self._stream.read1(min(len(view), _PIECE))
        except (EOFError, zlib.error, OSError) as error:
            if self._compression is None or getattr(error, "errno", None) is not None:
                raise
            self.damage = f"the {self._compression} stream is truncated or damaged ({error})"
            return 0
        view[: len(piece)] = piece
        return len(piece)

    @contextmanager
    def random_access(self, blocks: Iterable[bytes]) -> Iterator[Any]:
        """Open the file for random access; `blocks` are all its bytes."""
        if self._compression is None and self._path is not None and self.size is not None:
            yield self._path
            return
        if self._compression is None and self._seekable:
            yield self._source
            return
        with tempfile.TemporaryFile() as spool:
            spool.writelines(blocks)
            spool.seek(0)
            yield spool


@contextmanager
def opened(file: LogFile) -> Iterator[Log]:
    """Open a log for reading, compressed or not."""
    source = file.open()
    try:
        with closing(Log(file, source)) as log:
            yield log
    finally:
        if file.owned:
            source.close()


def _read_ahead(blocks: Iterator[bytes]) -> Generator[bytes]:
    """Yield blocks, reading the next one in a thread."""
    with ThreadPoolExecutor(1, "flowtriage-read") as reader:
        block = next(blocks, None)
        while block is not None:
            following = reader.submit(next, blocks, None)
            yield block
            block = following.result()


def as_text(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Convert blocks of text to UTF-8 with line feeds.

    UTF-16 is detected by its byte-order mark, carriage returns as line ends by a first block
    without line feeds.
    """
    first, later = _split(_as_utf8(blocks))
    lines = b"\n" in first or b"\r" not in first
    for block in chain([first], later):
        yield block if lines else block.replace(b"\r", b"\n")


def _as_utf8(blocks: Iterable[bytes]) -> Iterator[bytes]:
    first, later = _split(blocks)
    encoding = _UTF_16.get(first[:2])
    if encoding is None:
        yield from chain([first], later)
        return
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    for block in chain([first[2:]], later):
        # An unpaired surrogate becomes invalid UTF-8, and thus a bad row.
        yield decoder.decode(block).encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:
        yield b"\xff"


def _split(blocks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    later = iter(blocks)
    return next(later, b""), later


class _Bytes(io.RawIOBase):
    """Up to `size` bytes of any object with `read`."""

    def __init__(self, source: Any, size: int | None, name: str) -> None:
        self._name = name
        self._source = source
        self._size = size
        self._rest = b""
        self.done = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        limit = len(buffer)
        if self._size is not None:
            limit = min(limit, self._size - self.done)
        if type(self._source) is io.FileIO:
            read = self._source.readinto(memoryview(buffer)[:limit]) or 0
            self.done += read
            return read
        if not self._rest and limit:
            self._rest = self._read(limit)
        part, self._rest = self._rest[:limit], self._rest[limit:]
        buffer[: len(part)] = part
        self.done += len(part)
        return len(part)

    def _read(self, limit: int) -> bytes:
        try:
            part: bytes | str | None = self._source.read(limit)
        except UnicodeDecodeError as error:
            raise FormatError(f"{self._name}: {error}; open the file in binary mode") from None
        return part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part or b""


def _size(source: Any) -> int | None:
    """Return the number of bytes from the position of a regular file to its end."""
    raw = getattr(source, "raw", source)
    if not isinstance(raw, io.FileIO):
        return None
    status = os.fstat(raw.fileno())
    if not stat.S_ISREG(status.st_mode) or not status.st_size:
        return None
    return max(0, status.st_size - int(source.tell()))


def _seekable(source: Any) -> bool:
    """Return whether a binary file is at its start and supports random access."""
    try:
        return bool(source.seekable() and source.tell() == 0 and source.read(0) == b"")
    except (AttributeError, OSError):
        return False


def _decompressed(raw: io.BufferedReader) -> tuple[Any, str | None]:
    head = raw.peek(4)
    if head.startswith(_GZIP):
        return gzip.GzipFile(fileobj=raw), "gzip"
    if head.startswith(_ZSTD) or (head[1:4] == _ZSTD_SKIPPABLE and head[0] >> 4 == 5):
        return pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd"), "zstd"
    return raw, None
