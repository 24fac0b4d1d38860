"""`FlowStore`: read and write the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from flowtriage.errors import ArgumentError, InputError, StoreError
from flowtriage.humanize import did_you_mean, quoted
from flowtriage.inputs.timespan import impossible_time
from flowtriage.store.engine import open_engine
from flowtriage.store.tables import MIGRATIONS, TABLES, migrate, schema_version, table_schema

DEFAULT_URL = "duckdb:///flows.duckdb"
_ATTEMPTS = 3


class Transaction:
    """An open transaction of a store."""

    def __init__(self, connection: Any, *, shared: bool = False) -> None:
        self._connection = connection
        self._shared = shared

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Run a query and return its rows; values are bound to `$1`, `$2`, …."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, tuple(parameters) or None)
            return cursor.fetch_arrow_table()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement; values are bound to `$1`, `$2`, …."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, tuple(parameters) or None)

    def lock(self, *names: str) -> None:
        """Lock tables against other writers until the transaction ends; readers are not blocked.

        A read-modify-write after this loses no concurrent change. No effect in DuckDB, whose
        files have one writer.
        """
        for name in names:
            table_schema(name)
        if self._shared:
            self.execute(f"LOCK TABLE {', '.join(names)} IN SHARE ROW EXCLUSIVE MODE")

    def read(self, name: str, day: date, where: Mapping[str, Any] | None = None) -> pa.Table:
        """Return the rows of a day, including uncommitted changes of this transaction."""
        sql, values = _selection(name, day, day, where, (), None)
        return _as_table(name, self.query(sql, values))

    def append(self, name: str, day: date, rows: pa.Table) -> None:
        """Insert rows of a day into a table.

        Parameters
        ----------
        name
            Name of the table.
        day
            Value of the column `day`.
        rows
            Columns of the table, by name; missing columns are null.

        Raises
        ------
        InputError
            If a value cannot be cast to the type of its column.
        ArgumentError
            If the table or a column does not exist.
        StoreError
            If the insert fails.
        """
        table = _as_rows_of(rows, name, day)
        if table.num_rows:
            # DuckDB's driver cannot reuse a cursor after an ingest.
            with self._connection.cursor() as cursor:
                cursor.adbc_ingest(name, table, mode="append")

    def delete(self, name: str, day: date, where: Mapping[str, Any] | None = None) -> None:
        """Delete the rows of a day that match all values of `where`, by column."""
        text, values = _condition(table_schema(name), day, day, where)
        self.execute(f"DELETE FROM {name}{text}", values)  # noqa: S608

    def replace_day(self, name: str, day: date, rows: pa.Table) -> None:
        """Replace the rows of a day."""
        self.delete(name, day)
        self.append(name, day, rows)


class FlowStore:
    """Tables of Flow OA and threat investigation, in a DuckDB file or in PostgreSQL.

    Opening a store creates missing tables and migrates older schemas. Every operation opens a
    connection of its own and holds no lock afterwards.

    Parameters
    ----------
    url
        `duckdb:///flows.duckdb` (relative path), `duckdb:////var/flows.duckdb` (absolute path), or
        `postgresql://user@server/database`. libpq also reads passwords from `~/.pgpass` and
        `PGPASSWORD`.
    wait
        Seconds to wait for a DuckDB file that is locked by another process.
    create
        Whether to create a store that does not exist; if not, it is an error.

    Raises
    ------
    ArgumentError
        If `url` is invalid.
    MissingExtraError
        If the database driver is not installed.
    StoreError
        If the database cannot be opened, its schema is newer than this version of flowtriage, or
        it does not exist without `create`.
    StoreLockedError
        If the DuckDB file is still locked by another process after `wait`.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = FlowStore(f"duckdb:///{folder.name}/flows.duckdb")
    >>> rows = pa.table({"tdate": ["2013-09-15 23:44"], "total": [17]})
    >>> with store.transaction() as transaction:
    ...     transaction.replace_day("flow_ingest_summary", date(2013, 9, 15), rows)
    >>> store.read("flow_ingest_summary", start=date(2013, 9, 1)).to_pylist()
    [{'tdate': '2013-09-15 23:44', 'total': 17, 'day': datetime.date(2013, 9, 15)}]
    >>> folder.cleanup()
    """

    def __init__(self, url: str = DEFAULT_URL, *, wait: float = 5.0, create: bool = True) -> None:
        self._engine = open_engine(url, wait)
        self._migrate(create)

    @property
    def url(self) -> str:
        """URL of the store, without a password."""
        return self._engine.shown

    @property
    def portable_url(self) -> str:
        """URL of the store with an absolute path, without a password."""
        return self._engine.portable

    @property
    def folder(self) -> Path | None:
        """Folder of the DuckDB file; None for PostgreSQL."""
        return None if self._engine.path is None else self._engine.path.parent

    @property
    def schema_version(self) -> int:
        """Version of the database schema."""
        with self._engine.connected(writing=False) as connection:
            return schema_version(Transaction(connection).query)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Run a read-only query.

        Parameters
        ----------
        sql
            Query in the SQL dialect of the database.
        parameters
            Values of `$1`, `$2`, …; never format untrusted values into `sql`.

        Returns
        -------
        pyarrow.Table
            Result rows.

        Raises
        ------
        StoreError
            If the query fails or would change the store.
        """
        with self._engine.connected(writing=False) as connection:
            return Transaction(connection).query(sql, parameters)

    def read(
        self,
        name: str,
        *,
        day: date | None = None,
        start: date | None = None,
        end: date | None = None,
        where: Mapping[str, Any] | None = None,
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> pa.Table:
        """Read rows of a table.

        Parameters
        ----------
        name
            Name of the table.
        day
            Select one day.
        start, end
            First and last day, inclusive.
        where
            Required values, by column.
        order
            Columns to sort by, ascending.
        limit
            Maximum number of rows.

        Returns
        -------
        pyarrow.Table
            All columns of the table, with the types of `TABLES`.

        Raises
        ------
        ArgumentError
            If the table or a column does not exist.
        StoreError
            If the read fails.
        """
        sql, values = _selection(name, day or start, day or end, where, order, limit)
        return _as_table(name, self.query(sql, values))

    def count(self, name: str) -> int:
        """Return the number of rows of a table."""
        table_schema(name)
        found = self.query(f"SELECT CAST(count(*) AS BIGINT) AS n FROM {name}")  # noqa: S608
        return int(found["n"][0].as_py())

    def days(self) -> list[date]:
        """Return the days with a committed run, sorted."""
        found = self.query("SELECT day FROM flow_run ORDER BY day")
        _check_times("flow_run", found)
        return list(found["day"].to_pylist())

    def run_of(self, day: date) -> str | None:
        """Return the ID of the last committed run of a day, or None."""
        found = self.query("SELECT run FROM flow_run WHERE day = $1", (day,))["run"].to_pylist()
        return found[0] if found else None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction; commit on exit, roll back on error.

        Yields
        ------
        Transaction
            The transaction; its queries see its own changes.

        Raises
        ------
        StoreError
            If a statement or the commit fails.
        StoreLockedError
            If the DuckDB file is locked by another process.
        """
        with self._engine.connected(writing=True) as connection:
            yield Transaction(connection, shared=self._engine.path is None)
            connection.commit()

    def __repr__(self) -> str:
        """Show the URL without a password."""
        return f"FlowStore({self.url!r})"

    def _migrate(self, create: bool) -> None:
        path = self._engine.path
        if path is not None and not path.parent.is_dir():
            raise StoreError(f"store {self.url}: folder {path.parent} does not exist; create it")
        for attempt in range(_ATTEMPTS):
            version = self.schema_version if path is None or path.exists() else 0
            if not version and not create:
                raise StoreError(
                    f"store {self.url} does not exist; check the URL, or create it with "
                    "flowtriage oa run or FlowStore(url)"
                )
            if version > len(MIGRATIONS):
                raise StoreError(
                    f"store {self.url} has schema version {version}; this flowtriage supports "
                    f"{len(MIGRATIONS)}: update flowtriage"
                )
            if version == len(MIGRATIONS):
                return
            try:
                with self.transaction() as transaction:
                    migrate(transaction.query, transaction.execute, MIGRATIONS)
                return
            except StoreError:
                # Another process may have created the tables concurrently.
                if attempt == _ATTEMPTS - 1:
                    raise


def _as_table(name: str, rows: pa.Table) -> pa.Table:
    """Give rows of a table its types; other programs can have stored values that do not fit."""
    try:
        rows = rows.cast(TABLES[name])
    except pa.ArrowInvalid as error:
        raise StoreError(f"table {name} has values of other types ({error})") from None
    _check_times(name, rows)
    return rows


def _check_times(name: str, rows: pa.Table) -> None:
    if column := impossible_time(rows):
        raise StoreError(
            f"table {name}, column {column}: a time is not within the years 1 to 9999; correct it"
        )


def _column(schema: pa.Schema, name: str) -> str:
    if name not in schema.names:
        raise ArgumentError(f"unknown column {quoted(name)}{did_you_mean(name, schema.names)}")
    return name


def _selection(
    name: str,
    start: date | None,
    end: date | None,
    where: Mapping[str, Any] | None,
    order: Sequence[str],
    limit: int | None,
) -> tuple[str, list[Any]]:
    """Build a SELECT statement and its bound values."""
    schema = table_schema(name)
    text, values = _condition(schema, start, end, where)
    if order:
        text += f" ORDER BY {', '.join(_column(schema, column) for column in order)}"
    if limit is not None:
        text += f" LIMIT {int(limit)}"
    return f"SELECT {', '.join(schema.names)} FROM {name}{text}", values  # noqa: S608


def _condition(
    schema: pa.Schema, start: date | None, end: date | None, where: Mapping[str, Any] | None
) -> tuple[str, list[Any]]:
    """Build a WHERE clause and its bound values."""
    days = [("day >=", start), ("day <=", end)]
    parts: list[tuple[str, Any]] = [(part, day) for part, day in days if day is not None]
    parts += [(f"{_column(schema, name)} =", value) for name, value in (where or {}).items()]
    text = " AND ".join(f"{part} ${number}" for number, (part, _) in enumerate(parts, 1))
    return (f" WHERE {text}" if text else ""), [value for _, value in parts]


def _as_rows_of(rows: pa.Table, name: str, day: date) -> pa.Table:
    """Cast rows to the columns of a table."""
    schema, count = table_schema(name), rows.num_rows
    present = {_column(schema, column): rows[column] for column in rows.column_names}
    present["day"] = pa.repeat(pa.scalar(day, pa.date32()), count)
    columns = []
    for field in schema:
        try:
            columns.append(present.get(field.name, pa.nulls(count)).cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InputError(f"{name}, column {field.name}: {error}") from None
    return pa.table(columns, schema=schema)
