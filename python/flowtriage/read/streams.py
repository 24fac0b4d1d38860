"""The bytes of a log: unpacked, and as UTF-8 with line feeds if they are text."""

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
from contextlib import contextmanager
from itertools import chain
from typing import Any

import pyarrow as pa

from flowtriage.errors import FormatError
from flowtriage.read.locate import LogFile

BLOCK = 8 << 20
"""Bytes that are handed on at once."""
_PIECE = 1 << 17
"""Bytes that are unpacked at once."""
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPED = b"\x2a\x4d\x18"
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Log:
    """An open log.

    Attributes
    ----------
    name
        What to call it.
    size
        Bytes of the file when it was opened, packed as it is; None if that is not known. No more
        is read of a log that grows.
    damage
        Why nothing more could be read although this was not the end, once that is so.
    """

    def __init__(self, file: LogFile, source: Any) -> None:
        self.name = file.name
        self.size = _size(source)
        self.damage: str | None = None
        self._path = file.path
        self._source = source
        self._rewinds = _rewinds(source)
        self._raw = _Bytes(source, self.size, self.name)
        self._stream, self._packing = _unpacked(io.BufferedReader(self._raw, 1 << 20))

    @property
    def done(self) -> int:
        """Bytes of the file that have been read."""
        return self._raw.done

    @property
    def grew(self) -> bool:
        """Whether more has been written to the file since it was opened."""
        return self._packing is None and self.size is not None and bool(_size(self._source))

    def close(self) -> None:
        """Let go of the file; one that the caller opened stays open."""
        self._stream.close()

    def blocks(self) -> Generator[bytes]:
        """Read all bytes, unpacked; damage is noted and taken as the end.

        Blocks end with a line if there is an end of one in them. Of a file on this machine, the
        next block is read while the caller works on one.
        """
        return self._blocks() if self.size is None else _ahead(self._blocks())

    def _blocks(self) -> Generator[bytes]:
        buffer = bytearray(BLOCK)
        room = memoryview(buffer)
        filled, nothing = 0, True
        while read := self._read(room[filled:]):
            filled += read
            nothing = False
            if filled == BLOCK:
                end = buffer.rfind(b"\n") + 1 or BLOCK
                yield bytes(room[:end])
                filled -= end
                room[:filled] = room[end:]
        if filled:
            yield bytes(room[:filled])
        if self.damage and nothing:
            raise FormatError(f"{self.name}: {self.damage}; nothing could be read")

    def _read(self, room: memoryview) -> int:
        """Read some bytes; none at the end."""
        try:
            if self._packing is None:
                return int(self._stream.readinto1(room) or 0)
            piece = self._stream.read1(min(len(room), _PIECE))
        except (EOFError, zlib.error, OSError) as error:
            if self._packing is None or getattr(error, "errno", None) is not None:
                raise
            self.damage = f"the {self._packing} stream is cut short or damaged ({error})"
            return 0
        room[: len(piece)] = piece
        return len(piece)

    @contextmanager
    def random_access(self, blocks: Iterable[bytes]) -> Iterator[Any]:
        """Open the file for reading from any place in it; `blocks` are all its bytes."""
        if self._packing is None and self._path is not None and self.size is not None:
            yield self._path
            return
        if self._packing is None and self._rewinds:
            yield self._source
            return
        with tempfile.TemporaryFile() as spool:
            spool.writelines(blocks)
            spool.seek(0)
            yield spool


@contextmanager
def opened(file: LogFile) -> Iterator[Log]:
    """Open a log for reading, whatever it is packed with.

    Raises
    ------
    FileNotFoundError, PermissionError, OSError
        As the operating system says.
    """
    source = file.open()
    try:
        log = Log(file, source)
        try:
            yield log
        finally:
            log.close()
    finally:
        if file.owned:
            source.close()


def _ahead(blocks: Iterator[bytes]) -> Generator[bytes]:
    """Have the next block made in a thread while the caller works on one."""
    with ThreadPoolExecutor(1, "flowtriage-read") as reader:
        block = next(blocks, None)
        while block is not None:
            coming = reader.submit(next, blocks, None)
            yield block
            block = coming.result()


def as_text(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Turn blocks of text into UTF-8 whose lines end with a line feed.

    UTF-16 is told by its byte-order mark. Text without any line feed in its first block has
    carriage returns for them.
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
        # Half a pair becomes what is no UTF-8, and so a bad row.
        yield decoder.decode(block).encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:
        yield b"\xff"


def _split(blocks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    later = iter(blocks)
    return next(later, b""), later


class _Bytes(io.RawIOBase):
    """What any object with `read` gives, as bytes, and no more than `size` of them."""

    def __init__(self, source: Any, size: int | None, name: str) -> None:
        self._name = name
        self._source = source
        self._size = size
        self._rest = b""
        self.done = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        room = len(buffer)
        if self._size is not None:
            room = min(room, self._size - self.done)
        if type(self._source) is io.FileIO:
            read = self._source.readinto(memoryview(buffer)[:room]) or 0
            self.done += read
            return read
        if not self._rest and room:
            self._rest = self._read(room)
        part, self._rest = self._rest[:room], self._rest[room:]
        buffer[: len(part)] = part
        self.done += len(part)
        return len(part)

    def _read(self, room: int) -> bytes:
        try:
            part: bytes | str | None = self._source.read(room)
        except UnicodeDecodeError as error:
            raise FormatError(f"{self._name}: {error}; open the file in binary mode") from None
        return part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part or b""


def _size(source: Any) -> int | None:
    """Bytes from where an ordinary file stands to its end."""
    raw = getattr(source, "raw", source)
    if not isinstance(raw, io.FileIO):
        return None
    status = os.fstat(raw.fileno())
    if not stat.S_ISREG(status.st_mode) or not status.st_size:
        return None
    return max(0, status.st_size - int(source.tell()))


def _rewinds(source: Any) -> bool:
    """Whether a binary file stands at its beginning and can be read from any place."""
    try:
        return bool(source.seekable() and source.tell() == 0 and source.read(0) == b"")
    except (AttributeError, OSError):
        return False


def _unpacked(raw: io.BufferedReader) -> tuple[Any, str | None]:
    head = raw.peek(4)
    if head.startswith(_GZIP):
        return gzip.GzipFile(fileobj=raw), "gzip"
    if head.startswith(_ZSTD) or (head[1:4] == _ZSTD_SKIPPED and head[0] >> 4 == 5):
        return pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd"), "zstd"
    return raw, None
