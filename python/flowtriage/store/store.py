"""`FlowStore`: reading and writing the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from flowtriage.errors import ArgumentError, InputError, StoreError
from flowtriage.store.engine import open_engine
from flowtriage.store.tables import MIGRATIONS, TABLES, check_version, migrate, version_of

DEFAULT_URL = "duckdb:///flows.duckdb"
_ATTEMPTS = 3


class Transaction:
    """Changes to a store that come true together, or not at all."""

    def __init__(self, connection: Any, *, shared: bool = False) -> None:
        self._connection = connection
        self._shared = shared

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Run a query and return its rows; values are bound to `$1`, `$2` and so on."""
        return _ask(self._connection, sql, parameters)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement; values are bound to `$1`, `$2` and so on."""
        _execute(self._connection, sql, parameters)

    def lock(self, *names: str) -> None:
        """Keep others from changing tables until the end of the transaction; they wait.

        Reading goes on. What is read after this and written back loses nothing of what others
        wrote. A DuckDB file has one writer anyway.
        """
        for name in names:
            _schema(name)
        if self._shared:
            self.execute(f"LOCK TABLE {', '.join(names)} IN SHARE ROW EXCLUSIVE MODE")

    def read(self, name: str, day: date, where: Mapping[str, Any] | None = None) -> pa.Table:
        """Return the rows that a table has of a day, as far as the transaction is."""
        sql, values = _selection(name, day, day, where, (), None)
        return self.query(sql, values).cast(TABLES[name])

    def append(self, name: str, day: date, rows: pa.Table) -> None:
        """Add rows of a day to a table.

        Parameters
        ----------
        name
            Name of the table.
        day
            The day that the rows belong to.
        rows
            Columns of the table by their names; those left out are null.

        Raises
        ------
        InputError
            If a column is not one of the table, or not of its type.
        StoreError
            If the database refuses.
        """
        schema = _schema(name)
        table = _fitted(rows, name, schema, day)
        if not table.num_rows:
            return
        # A cursor that ingested cannot be used again with DuckDB's driver.
        with self._connection.cursor() as cursor:
            cursor.adbc_ingest(name, table, mode="append")

    def delete(self, name: str, day: date, where: Mapping[str, Any] | None = None) -> None:
        """Delete the rows of a day from a table, or those of it that have certain values."""
        text, values = _condition(_schema(name), day, day, where)
        self.execute(f"DELETE FROM {name}{text}", values)  # noqa: S608

    def replace_day(self, name: str, day: date, rows: pa.Table) -> None:
        """Put rows in the place of those that a table has of a day."""
        self.delete(name, day)
        self.append(name, day, rows)


class FlowStore:
    """Tables of Flow OA and of threat investigation, in a DuckDB file or in PostgreSQL.

    The tables are created when a store is first opened, and brought up to date when an earlier
    version made them. Every operation connects by itself and leaves no lock behind.

    Parameters
    ----------
    url
        `duckdb:///flows.duckdb` (a file beside you), `duckdb:////var/flows.duckdb` (from the
        root), or `postgresql://user@server/database`. libpq finds passwords in `~/.pgpass` and
        `PGPASSWORD` too.
    wait
        Seconds to wait for a DuckDB file that another process has open.

    Raises
    ------
    ArgumentError
        If `url` names no such database.
    MissingExtraError
        If its driver is not installed.
    StoreError
        If it cannot be reached, or a later version of flowtriage made it.
    StoreLockedError
        If another process has the DuckDB file open for longer than `wait`.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = FlowStore(f"duckdb:///{folder.name}/flows.duckdb")
    >>> rows = pa.table({"tdate": ["2013-09-15 23:44"], "total": [17]})
    >>> with store.transaction() as change:
    ...     change.replace_day("flow_ingest_summary", date(2013, 9, 15), rows)
    >>> store.read("flow_ingest_summary", start=date(2013, 9, 1)).to_pylist()
    [{'tdate': '2013-09-15 23:44', 'total': 17, 'day': datetime.date(2013, 9, 15)}]
    >>> folder.cleanup()
    """

    def __init__(self, url: str = DEFAULT_URL, *, wait: float = 5.0) -> None:
        self._engine = open_engine(url, wait)
        self._bring_up_to_date(MIGRATIONS)

    @property
    def url(self) -> str:
        """Where the store is, without a password."""
        return self._engine.shown

    @property
    def portable_url(self) -> str:
        """Where the store is, whatever the current folder is, without a password."""
        return self._engine.portable

    @property
    def folder(self) -> Path | None:
        """Folder of the DuckDB file; None in PostgreSQL."""
        return None if self._engine.path is None else self._engine.path.parent

    @property
    def schema_version(self) -> int:
        """Version of the schema of the tables."""
        with self._engine.connected(writing=False) as connection:
            return version_of(Transaction(connection).query)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Run a query.

        Parameters
        ----------
        sql
            A query in the database's own SQL.
        parameters
            Values of `$1`, `$2`, … in it. Put values from anywhere here, never into `sql`.

        Returns
        -------
        pyarrow.Table
            Its rows.

        Raises
        ------
        StoreError
            If the database refuses it; a query cannot change the store.
        """
        with self._engine.connected(writing=False) as connection:
            return _ask(connection, sql, parameters)

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
            Only those of this day.
        start, end
            Only those of days between, both included.
        where
            Only those that have these values, by column.
        order
            Columns to sort by, ascending.
        limit
            Most rows.

        Returns
        -------
        pyarrow.Table
            All columns of the table, the same types from every database.

        Raises
        ------
        ArgumentError
            If there is no such table or column.
        StoreError
            If the database cannot be read.
        """
        sql, values = _selection(name, day or start, day or end, where, order, limit)
        return self.query(sql, values).cast(TABLES[name])

    def count(self, name: str) -> int:
        """Return the number of rows of a table."""
        _schema(name)
        found = self.query(f"SELECT CAST(count(*) AS BIGINT) AS n FROM {name}")  # noqa: S608
        return int(found["n"][0].as_py())

    def days(self) -> list[date]:
        """Return the days that were run, in order."""
        found: list[date] = self.query("SELECT day FROM flow_run ORDER BY day")["day"].to_pylist()
        return found

    def run_of(self, day: date) -> str | None:
        """Return the name of the run that made what is stored of a day, or None."""
        found = self.query("SELECT run FROM flow_run WHERE day = $1", (day,))["run"].to_pylist()
        return found[0] if found else None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Change the store; at the end of the block all changes come true, after an error none.

        Yields
        ------
        Transaction
            What changes the store, and sees its own changes.

        Raises
        ------
        StoreError
            If the database refuses a change.
        StoreLockedError
            If another process has the DuckDB file open.
        """
        with self._engine.connected(writing=True) as connection:
            yield Transaction(connection, shared=self._engine.path is None)
            connection.commit()

    def __repr__(self) -> str:
        """Show where the store is."""
        return f"FlowStore({self.url!r})"

    def _bring_up_to_date(self, migrations: Sequence[Sequence[str]]) -> None:
        path = self._engine.path
        if path is not None and not path.parent.is_dir():
            raise StoreError(f"store {self.url}: there is no folder {path.parent}; create it")
        for attempt in range(_ATTEMPTS):
            if path is None or path.exists():
                version = self.schema_version
                check_version(version, self.url, migrations)
                if version == len(migrations):
                    return
            try:
                with self.transaction() as change:
                    migrate(change.query, change.execute, migrations)
                return
            except StoreError:
                # Somebody else may have created the tables at the same time.
                if attempt == _ATTEMPTS - 1:
                    raise


def _ask(connection: Any, sql: str, parameters: Sequence[Any]) -> pa.Table:
    with connection.cursor() as cursor:
        cursor.execute(sql, tuple(parameters) or None)
        return cursor.fetch_arrow_table()


def _execute(connection: Any, sql: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, tuple(parameters) or None)


def _schema(name: str) -> pa.Schema:
    if name not in TABLES:
        raise ArgumentError(f"there is no table {name!r}; choose one of {', '.join(TABLES)}")
    return TABLES[name]


def _column(schema: pa.Schema, name: str) -> str:
    if name not in schema.names:
        raise ArgumentError(f"there is no column {name!r}; choose from {', '.join(schema.names)}")
    return name


def _selection(
    name: str,
    start: date | None,
    end: date | None,
    where: Mapping[str, Any] | None,
    order: Sequence[str],
    limit: int | None,
) -> tuple[str, list[Any]]:
    """Write a query of a table, and the values that are bound in it."""
    schema = _schema(name)
    text, values = _condition(schema, start, end, where)
    if order:
        text += f" ORDER BY {', '.join(_column(schema, column) for column in order)}"
    if limit is not None:
        text += f" LIMIT {int(limit)}"
    return f"SELECT {', '.join(schema.names)} FROM {name}{text}", values  # noqa: S608


def _condition(
    schema: pa.Schema, start: date | None, end: date | None, where: Mapping[str, Any] | None
) -> tuple[str, list[Any]]:
    """Write a condition, and the values that are bound in it."""
    parts: list[tuple[str, Any]] = []
    if start is not None:
        parts.append(("day >=", start))
    if end is not None:
        parts.append(("day <=", end))
    parts += [(f"{_column(schema, name)} =", value) for name, value in (where or {}).items()]
    text = " AND ".join(f"{part} ${number}" for number, (part, _) in enumerate(parts, 1))
    return (f" WHERE {text}" if text else ""), [value for _, value in parts]


def _fitted(rows: pa.Table, name: str, schema: pa.Schema, day: date) -> pa.Table:
    """Bring rows into the columns of a table."""
    for column in rows.column_names:
        _column(schema, column)
    columns = [
        pa.chunked_array([pa.repeat(pa.scalar(day, field.type), rows.num_rows)])
        if field.name == "day"
        else _cast(rows[field.name], name, field)
        if field.name in rows.column_names
        else pa.chunked_array([pa.nulls(rows.num_rows, field.type)])
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _cast(values: pa.ChunkedArray, name: str, field: pa.Field) -> pa.ChunkedArray:
    try:
        return values.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"{name}, column {field.name}: {error}") from None
