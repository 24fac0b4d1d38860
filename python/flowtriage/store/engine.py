"""Databases that a store can be in: how to reach them, and what their errors mean."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from flowtriage.errors import ArgumentError, MissingExtraError, StoreError, StoreLockedError
from flowtriage.humanize import sanitize

_LOCKED = re.compile(r"Could not set lock on file|Conflicting lock is held")
_HOLDER = re.compile(r"\(PID (\d+)\)")
_PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):[^/\s]*@|(?<=password=)[^&\s]+")
_SECRET = re.compile(r"(?<=//)(?P<user>[^/:@]*):[^/]*(?=@)|(?<=[?&])password=[^&]*&?")
_AGAIN = 0.05
_MAX_LENGTH = 1_000


@dataclass(frozen=True)
class Engine:
    """A database.

    Parameters
    ----------
    shown
        What to call it, without a password.
    target
        Path of the DuckDB file, or URL of the PostgreSQL database.
    path
        Path of the file, if it is one.
    wait
        Seconds to wait for a file that another process has open.
    """

    shown: str
    target: str
    path: Path | None
    wait: float

    @property
    def portable(self) -> str:
        """URL that means the same in every folder; it has no password."""
        if self.path is not None:
            return f"duckdb:///{quote(str(self.path))}"
        return _SECRET.sub(lambda found: found["user"] or "", self.target).rstrip("?&")

    @contextmanager
    def connected(self, *, writing: bool) -> Iterator[Any]:
        """Connect for the time of the block; what is not committed by its end is rolled back.

        Raises
        ------
        StoreError
            If the database cannot be reached or refuses what is asked.
        StoreLockedError
            If another process has the file open for longer than `wait`.
        """
        with _one_at_a_time(self.path), self.translate_errors():
            connection = self._connection(writing)
            try:
                yield connection
            finally:
                _close(connection)

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Turn what goes wrong in the database into errors of a store."""
        import adbc_driver_manager

        try:
            yield
        except adbc_driver_manager.Error as error:
            text = _told(error)
            if _LOCKED.search(text):
                raise StoreLockedError(self._locked(text)) from None
            raise StoreError(f"store {self.shown}: {text}") from None

    def _connection(self, writing: bool) -> Any:
        until = time.monotonic() + self.wait
        while True:
            try:
                return self._connect(writing)
            except Exception as error:
                if not _LOCKED.search(str(error)) or time.monotonic() > until:
                    raise
                time.sleep(_AGAIN)

    def _connect(self, writing: bool) -> Any:
        if self.path is None:
            from adbc_driver_postgresql import dbapi as postgresql

            return postgresql.connect(self.target)
        import adbc_driver_duckdb
        from adbc_driver_manager import dbapi

        options = {"path": str(self.path)} | ({} if writing else {"access_mode": "READ_ONLY"})
        return dbapi.connect(
            driver=adbc_driver_duckdb.driver_path(),
            entrypoint="duckdb_adbc_init",
            db_kwargs=options,
        )

    def _locked(self, text: str) -> str:
        found = _HOLDER.search(text)
        holder = f"process {found[1]}" if found else "another process"
        return (
            f"store {self.shown}: {holder} has the file open. A DuckDB file has one writer, or "
            "many readers, at a time: wait until it is done, or keep the store in PostgreSQL "
            "(postgresql://…), where many write at once"
        )


def open_engine(url: str, wait: float) -> Engine:
    """Find the database that a URL names.

    Raises
    ------
    ArgumentError
        If it names none that a store can be in.
    MissingExtraError
        If the driver is not installed.

    Examples
    --------
    >>> open_engine("duckdb:///flows.duckdb", 5).shown
    'duckdb:///flows.duckdb'
    >>> open_engine("postgresql://hunter:secret@db/flows", 5).shown
    'postgresql://hunter:***@db/flows'
    """
    shown = sanitize(without_password(url), _MAX_LENGTH)
    kind, separator, rest = url.partition("://")
    if kind in ("postgresql", "postgres") and separator:
        _need("adbc_driver_postgresql", "PostgreSQL")
        return Engine(shown, url, None, wait)
    path = unquote(rest.removeprefix("/"))
    if kind != "duckdb" or not separator or not rest.startswith("/") or path in ("", ":memory:"):
        raise ArgumentError(
            f"store {shown!r} is none; write duckdb:///flows.duckdb (a file beside you), "
            "duckdb:////var/flows.duckdb (from the root) or postgresql://user@server/database"
        )
    _need("adbc_driver_duckdb", "DuckDB")
    return Engine(shown, path, Path(path).absolute(), wait)


def without_password(url: str) -> str:
    """Hide the password of a URL.

    Examples
    --------
    >>> without_password("postgresql://hunter:p@ss@db/flows?password=x")
    'postgresql://hunter:***@db/flows?password=***'
    """
    return _PASSWORD.sub(lambda found: f"{found[1]}:***@" if found[1] is not None else "***", url)


_locks: dict[Path, threading.Lock] = {}
_locks_lock = threading.Lock()
_open = threading.local()


@contextmanager
def _one_at_a_time(path: Path | None) -> Iterator[None]:
    """Let one thread of this process at a file: the lock of the file binds only other processes."""
    if path is None:
        yield
        return
    path = path.resolve()
    if path in (held := _open.__dict__.setdefault("paths", set())):
        raise StoreError(
            f"store {path}: this thread has a transaction open; read by its query() until its end"
        )
    with _locks_lock:
        lock = _locks.setdefault(path, threading.Lock())
    with lock:
        held.add(path)
        try:
            yield
        finally:
            held.discard(path)


def _close(connection: Any) -> None:
    """Close a connection; one whose server went away cannot be rolled back any more."""
    import adbc_driver_manager

    try:
        connection.rollback()
    except adbc_driver_manager.Error:
        pass
    finally:
        connection.close()


def _told(error: Exception) -> str:
    """Say what a driver says, in one line and without its own labels."""
    text = re.sub(r"^[A-Z_]+: (\[libpq\] )?", "", str(error))
    return sanitize(" ".join(without_password(text).split()), _MAX_LENGTH)


def _need(module: str, name: str) -> None:
    from importlib.util import find_spec

    if find_spec("adbc_driver_manager") is None or find_spec(module) is None:
        raise MissingExtraError(f'a store in {name} needs its driver: pip install "flowtriage[oa]"')
