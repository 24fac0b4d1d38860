"""Database engines of a store: connections, locks and error translation."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
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
_RETRY_INTERVAL = 0.05
_MAX_LENGTH = 1_000


@dataclass(frozen=True)
class Engine:
    """A DuckDB file at `path`, or the PostgreSQL database of `url` if that is None.

    `wait` is the number of seconds to wait for a file that is locked by another process.
    """

    url: str
    path: Path | None
    wait: float

    @property
    def shown(self) -> str:
        """URL for messages, without a password."""
        return sanitize(without_password(self.url), _MAX_LENGTH)

    @property
    def portable(self) -> str:
        """URL with an absolute path, without a password."""
        if self.path is not None:
            return f"duckdb:///{quote(str(self.path))}"
        return _SECRET.sub(lambda found: found["user"] or "", self.url).rstrip("?&")

    @contextmanager
    def connected(self, *, writing: bool) -> Iterator[Any]:
        """Open a connection; roll back uncommitted changes on exit.

        Raises
        ------
        StoreError
            If the database cannot be opened or a statement fails.
        StoreLockedError
            If the file is still locked by another process after `wait`.
        """
        from adbc_driver_manager import Error

        try:
            with _thread_lock(self.path), closing(self._connection(writing)) as connection:
                try:
                    yield connection
                finally:
                    with suppress(Error):  # the connection may be lost
                        connection.rollback()
        except Error as error:
            text = re.sub(r"^[A-Z_]+: (\[libpq\] )?", "", str(error))
            text = sanitize(" ".join(without_password(text).split()), _MAX_LENGTH)
            if _LOCKED.search(text):
                raise StoreLockedError(self._locked_message(text)) from None
            raise StoreError(f"store {self.shown}: {text}") from None

    def _connection(self, writing: bool) -> Any:
        deadline = time.monotonic() + self.wait
        while True:
            try:
                return self._connect(writing)
            except Exception as error:
                if not _LOCKED.search(str(error)) or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_INTERVAL)

    def _connect(self, writing: bool) -> Any:
        if self.path is None:
            from adbc_driver_postgresql import dbapi as postgresql

            return postgresql.connect(self.url)
        import adbc_driver_duckdb
        from adbc_driver_manager import dbapi

        options = {"path": str(self.path)} | ({} if writing else {"access_mode": "READ_ONLY"})
        return dbapi.connect(
            driver=adbc_driver_duckdb.driver_path(),
            entrypoint="duckdb_adbc_init",
            db_kwargs=options,
        )

    def _locked_message(self, text: str) -> str:
        found = _HOLDER.search(text)
        holder = f"process {found[1]}" if found else "another process"
        return (
            f"store {self.shown}: the file is locked by {holder}. DuckDB allows one writer or "
            "several readers at a time: wait until it ends, or use PostgreSQL (postgresql://…) "
            "for concurrent writers"
        )


def open_engine(url: str, wait: float) -> Engine:
    """Return the engine for a URL, without opening the database.

    Examples
    --------
    >>> open_engine("duckdb:///flows.duckdb", 5).shown
    'duckdb:///flows.duckdb'
    >>> open_engine("postgresql://hunter:secret@db/flows", 5).shown
    'postgresql://hunter:***@db/flows'
    """
    kind, separator, rest = url.partition("://")
    if kind in ("postgresql", "postgres") and separator:
        _require("adbc_driver_postgresql", "PostgreSQL")
        return Engine(url, None, wait)
    path = unquote(rest.removeprefix("/"))
    engine = Engine(url, Path(path).absolute(), wait)
    if kind != "duckdb" or not separator or not rest.startswith("/") or path in ("", ":memory:"):
        raise ArgumentError(
            f"invalid store URL {engine.shown!r}; give duckdb:///flows.duckdb (relative path), "
            "duckdb:////var/flows.duckdb (absolute path) or postgresql://user@server/database"
        )
    _require("adbc_driver_duckdb", "DuckDB")
    return engine


def without_password(url: str) -> str:
    """Mask the password in a URL.

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
def _thread_lock(path: Path | None) -> Iterator[None]:
    """Serialise the threads of this process; the file lock excludes other processes only."""
    if path is None:
        yield
        return
    path = path.resolve()
    if path in (held := _open.__dict__.setdefault("paths", set())):
        raise StoreError(
            f"store {path}: this thread has a transaction open; use its query() to read"
        )
    with _locks_lock:
        lock = _locks.setdefault(path, threading.Lock())
    with lock:
        held.add(path)
        try:
            yield
        finally:
            held.discard(path)


def _require(module: str, name: str) -> None:
    from importlib.util import find_spec

    if find_spec("adbc_driver_manager") is None or find_spec(module) is None:
        raise MissingExtraError(f'a {name} store needs a driver: pip install "flowtriage[oa]"')
