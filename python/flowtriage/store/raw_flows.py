"""Raw flows as Parquet files, partitioned by year, month, day and hour.

The folder `_sources` contains one JSON record per ingested source with the paths of its Parquet
files. Readers use the listed files only, so the ingest of a source is atomic.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa

from flowtriage.atomic import move_files, replacing, report_full_disk
from flowtriage.errors import FormatError
from flowtriage.inputs.addresses import AddressLike, address_argument
from flowtriage.inputs.timespan import day_span, impossible_time
from flowtriage.quality.far_days import MIN_DISTANCE, far_days, joined_counts
from flowtriage.quality.report import ReadReport
from flowtriage.quality.stored import reading_values, restored
from flowtriage.read.custom import Columns
from flowtriage.read.flows import ReadRequest
from flowtriage.read.locate import LogFile, locate
from flowtriage.read.logs import read_file
from flowtriage.read.options import Options
from flowtriage.read.shown_orders import with_date_orders
from flowtriage.store.ingest import (
    EXTRA,
    PARTITIONS,
    SCHEMA,
    Counts,
    Ingested,
    Source,
    digests,
    raw_batches,
)

if TYPE_CHECKING:
    import pyarrow.dataset as ds

_KEEP = tuple(name for names in EXTRA.values() for name in names)
_ROWS_PER_GROUP = 1 << 15
"""Minimum size of row groups: batches of unsorted logs have few rows per hour, and small groups are
slow to read."""
_OPEN_FILES = 256
_STAGING = "_waiting-"


class RawFlows:
    """The raw flows in a folder.

    Parameters
    ----------
    folder
        Folder of the Parquet files; created by the first ingest.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._sources = self.folder / "_sources"

    def ingest(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        format: str | None = None,
        tz: str | None = None,
        date_order: str | None = None,
        columns: Columns | str | Sequence[str] | None = None,
    ) -> Ingested:
        """Ingest log files.

        A file with the content of an ingested source is skipped, whatever its name. A file that
        grew replaces its earlier ingest; a rotated file is added.

        Parameters
        ----------
        paths
            Paths, globs, folders or URLs of logs, as for `read_flows`.
        format, tz, date_order, columns
            As for `read_flows`.

        Returns
        -------
        Ingested
            Report of the ingest.

        Raises
        ------
        FileNotFoundError, PermissionError, OSError
            If a file cannot be read or written; earlier ingests are unchanged.
        FormatError
            If a path given by name is not a flow log.
        ArgumentError
            If `format`, `tz`, `date_order` or a name in `columns` is unknown.
        """
        request = ReadRequest.parse(
            None, format=format, columns=columns, keep=_KEEP, tz=tz, date_order=date_order
        )
        ingested = Ingested()
        given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
        options = with_date_orders(request.options, given)
        with self._locked():
            for path in given:
                for file in locate(path):
                    self._ingest_file(file, options, ingested)
        return ingested

    def sources(self) -> list[Source]:
        """Return the ingested sources, sorted by path."""
        found = [_read_source(path) for path in self._sources.glob("*.json")]
        return sorted(found, key=lambda source: (source.path, source.size, source.digest))

    def days(self) -> list[date]:
        """Return the days with flows, sorted."""
        return sorted({_day_of(name) for source in self.sources() for name in source.files})

    def read(
        self,
        start: date,
        end: date | None = None,
        *,
        addresses: Sequence[AddressLike] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """Read the flows of days; files and row groups without matches are skipped.

        Parameters
        ----------
        start
            First day, in UTC.
        end
            Last day, inclusive; None is `start`.
        addresses
            Select flows with one of these endpoints, in any notation.
        columns
            Columns to read; None reads all.

        Returns
        -------
        pyarrow.Table
            Columns of `SCHEMA`.

        Raises
        ------
        ArgumentError
            If an address is invalid.
        FormatError
            If a file is damaged.
        """
        import pyarrow.dataset as ds

        files = [
            str(self.folder / name)
            for source in self.sources()
            for name in source.files
            if start <= _day_of(name) <= (end or start)
        ]
        names = list(columns or SCHEMA.names)
        if not files:
            return SCHEMA.empty_table().select(names)
        kind, time = SCHEMA.field("start_time").type, ds.field("start_time")
        first, last = day_span(start).start, day_span(end or start).end
        condition = (time >= pa.scalar(first, kind)) & (time <= pa.scalar(last, kind))
        flows = ds.dataset(files, schema=SCHEMA)
        if addresses is not None:
            # Raw flows contain canonical addresses.
            canonical = pa.array(map(address_argument, addresses), pa.string())
            condition &= ds.field("src_ip").isin(canonical) | ds.field("dst_ip").isin(canonical)
        with _damage_reported(self.folder):
            if addresses is not None:
                flows = _matching_groups(flows, condition)
            read = flows.to_table(columns=names, filter=condition)
        if column := impossible_time(read):
            raise FormatError(
                f"a file of the raw flows in {self.folder} is damaged: column {column} has a time "
                "that is not within the years 1 to 9999"
            )
        return read

    def report(self, start: date, end: date | None = None) -> ReadReport:
        """Return what the ingest of the sources of days counted; they may have other days, too."""
        sources = [
            source
            for source in self.sources()
            if any(start <= _day_of(name) <= (end or start) for name in source.files)
        ]
        report = ReadReport(sources=[str(self.folder)] if sources else [])
        for source in sources:
            report.far_days = joined_counts(report.far_days, self._far_days(source))
            report.formats.add(source.format)
            report.rows_outside += source.rows_timeless
            if source.report:
                report.merge(restored(source.report))
                continue
            report.rows_read += source.flows + source.rows_bad + source.rows_timeless
            report.rows_bad += source.rows_bad
        return report

    def _far_days(self, source: Source) -> dict[date, int]:
        """Return the days of a source that are far from all its others, with their records."""
        days = [_day_of(name) for name in source.files]
        if not days or max(days) - min(days) <= MIN_DISTANCE:
            return {}
        import pyarrow.parquet as pq

        files = [self.folder / name for name in source.files]
        with _damage_reported(self.folder):
            rows = [pq.read_metadata(file).num_rows for file in files]
        return far_days((day, day, count) for day, count in zip(days, rows, strict=True))

    def _ingest_file(self, file: LogFile, options: Options, ingested: Ingested) -> None:
        if file.hidden:
            ingested.skipped[file.name] = "hidden or marker file"
            return
        path = str(file.path.resolve()) if file.path else file.name
        sources = self.sources()
        earlier = {source.size: source for source in sources if source.path == path}
        prefixes = digests(file, earlier)
        size, digest = prefixes.popitem()
        if any(source.digest == digest for source in sources):
            ingested.known.append(file.name)
            return
        report = ReadReport()
        counts = Counts()
        try:
            tables = read_file(file, options, report)
            with report_full_disk(self.folder):
                names = self._write(raw_batches(tables, counts), digest)
        except FormatError as error:
            if not file.found:
                raise
            ingested.skipped[file.name] = str(error).removeprefix(f"{file.name}: ")
            return
        source = Source(
            path,
            digest,
            size,
            counts.flows,
            report.rows_bad,
            counts.timeless,
            report.format,
            names,
            reading_values(report),
        )
        superseded = [old for size, old in earlier.items() if prefixes.get(size) == old.digest]
        # Old records are deleted first: after a crash here the next ingest reads the whole file.
        for old in superseded:
            self._record(old.digest).unlink()
        with replacing(self._record(digest)) as out:
            out.write(json.dumps(asdict(source), indent=1).encode())
        for name in (name for old in superseded for name in old.files):
            (self.folder / name).unlink(missing_ok=True)
        report.records = counts.flows
        ingested.new.append(source)
        ingested.reports.append(report)

    def _record(self, digest: str) -> Path:
        return self._sources / f"{digest}.json"

    def _write(self, batches: Iterator[pa.RecordBatch], digest: str) -> tuple[str, ...]:
        import pyarrow.dataset as ds

        failed: list[Exception] = []

        def without_errors() -> Iterator[pa.RecordBatch]:
            # Arrow's threads may release Python objects (an exception, a file_visitor) as late as
            # at interpreter shutdown, which would abort the process.
            try:
                yield from batches
            except Exception as error:
                failed.append(error)

        staging = TemporaryDirectory(prefix=_STAGING, dir=self.folder, ignore_cleanup_errors=True)
        with staging as folder:
            ds.write_dataset(
                without_errors(),
                folder,
                format="parquet",
                schema=pa.schema([*SCHEMA, *PARTITIONS]),
                partitioning=ds.partitioning(PARTITIONS, flavor="hive"),
                basename_template=f"{digest}-{{i}}.parquet",
                max_open_files=_OPEN_FILES,
                min_rows_per_group=_ROWS_PER_GROUP,
                file_options=ds.ParquetFileFormat().make_write_options(compression="zstd"),
                use_threads=False,
            )
            if failed:
                raise failed[0]
            return tuple(move_files(Path(folder), self.folder))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Lock the folder against other ingests; wait for a running one."""
        self._sources.mkdir(parents=True, exist_ok=True)
        with (self._sources / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for abandoned in self.folder.glob(f"{_STAGING}*"):
                shutil.rmtree(abandoned)
            yield


def _read_source(path: Path) -> Source:
    try:
        record = json.loads(path.read_bytes())
        source = Source(**record | {"files": tuple(record["files"])})
        _ = [_day_of(name) for name in source.files]
        _ = restored(source.report) if source.report else None
    except (AttributeError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise FormatError(
            f"{path} is not the record of an ingested source ({error}); delete it and ingest the "
            "log again"
        ) from None
    return source


@contextmanager
def _damage_reported(folder: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, PermissionError):
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise FormatError(f"a file of the raw flows in {folder} is damaged: {error}") from None


def _matching_groups(flows: ds.FileSystemDataset, condition: ds.Expression) -> ds.FileSystemDataset:
    """Return the row groups with matching flows, reading only the columns of the condition."""
    import pyarrow.dataset as ds

    groups = [group for file in flows.get_fragments() for group in file.split_by_row_group()]
    by_group = ds.FileSystemDataset(groups, flows.schema, flows.format)
    found = by_group.to_table(["__fragment_index"], filter=condition)["__fragment_index"].unique()
    matching = [groups[index] for index in found.to_pylist()]
    return ds.FileSystemDataset(matching, flows.schema, flows.format)


def _day_of(name: str) -> date:
    year, month, day = (int(part.partition("=")[2]) for part in Path(name).parts[:3])
    return date(year, month, day)
