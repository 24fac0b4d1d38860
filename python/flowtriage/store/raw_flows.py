"""Raw flows as Parquet files by year, month, day and hour.

What was ingested is told by one small file per source in the folder `_sources`. Readers take the
Parquet files that these name and no others, so a source is there whole, or as it was before.
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
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flowtriage._core import canonical_address
from flowtriage.atomic import full_disk_named, replacing
from flowtriage.errors import FormatError
from flowtriage.inputs.timespan import day_span
from flowtriage.quality.report import ReadReport
from flowtriage.read.flows import ReadRequest
from flowtriage.read.locate import LogFile, locate
from flowtriage.read.logs import Options, read_file
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
"""Of a log in no order of time, each batch has a few rows of every hour; groups that small are slow
to read."""
_OPEN_FILES = 256
_WAITING = "_waiting-"


class RawFlows:
    """The raw flows in a folder.

    Parameters
    ----------
    folder
        Where they are; it is created when something is ingested.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._told = self.folder / "_sources"

    def ingest(
        self,
        places: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        format: str | None = None,
        tz: str | None = None,
        columns: Any = None,
    ) -> Ingested:
        """Add the flows of log files.

        A file whose content is there already is left out, whatever its name is now. A log that
        grew replaces what was read of it before; one that was rotated is added.

        Parameters
        ----------
        places
            Paths, globs, folders or URLs of logs, as `read_flows` takes them.
        format, tz, columns
            As for `read_flows`.

        Returns
        -------
        Ingested
            What was added.

        Raises
        ------
        FileNotFoundError, PermissionError, OSError
            As the operating system says; what was ingested before stays.
        FormatError
            If a file that was named is no flow log.
        ArgumentError
            If `format`, `tz` or a name in `columns` is not known.
        """
        asked = ReadRequest.parse(None, format=format, columns=columns, keep=_KEEP, tz=tz)
        options = asked.options
        done = Ingested()
        listed = [places] if isinstance(places, (str, os.PathLike)) else places
        with self._locked():
            for place in listed:
                for file in locate(place):
                    self._take(file, options, done)
        return done

    def sources(self) -> list[Source]:
        """Return what was ingested, in order of the paths."""
        found = []
        for path in sorted(self._told.glob("*.json")):
            values = json.loads(path.read_text(encoding="utf-8"))
            found.append(Source(**values | {"files": tuple(values["files"])}))
        return sorted(found, key=lambda source: (source.path, source.size))

    def days(self) -> list[date]:
        """Return the days that have flows, in order."""
        return sorted({_day_of(name) for source in self.sources() for name in source.files})

    def read(
        self,
        start: date,
        end: date | None = None,
        *,
        addresses: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """Read the flows of days; only the files and parts of files that can hold them are read.

        Parameters
        ----------
        start
            First day, in UTC.
        end
            Last day; None is the first.
        addresses
            Only flows that have one of these, in any spelling, at either end.
        columns
            Only these columns.

        Returns
        -------
        pyarrow.Table
            Columns of `SCHEMA`.

        Raises
        ------
        ArgumentError
            If one of `addresses` is none.
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
        kind, at = SCHEMA.field("start_time").type, ds.field("start_time")
        first, last = day_span(start).start, day_span(end or start).end
        wanted = (at >= pa.scalar(first, kind)) & (at <= pa.scalar(last, kind))
        flows = ds.dataset(files, schema=SCHEMA)
        if addresses is not None:
            # Raw flows were normalised, so an address has one text.
            known = pa.array(map(canonical_address, addresses), pa.string())
            wanted &= ds.field("src_ip").isin(known) | ds.field("dst_ip").isin(known)
            flows = _holding(flows, wanted)
        return flows.to_table(columns=names, filter=wanted)

    def _take(self, file: LogFile, options: Options, done: Ingested) -> None:
        if file.hidden:
            done.passed_over[file.name] = "its name says that it holds no data"
            return
        path = str(file.path.resolve()) if file.path else file.name
        sources = self.sources()
        before = {source.size: source for source in sources if source.path == path}
        beginnings = digests(file, before)
        size, digest = beginnings.popitem()
        if any(source.digest == digest for source in sources):
            done.known.append(file.name)
            return
        report = ReadReport()
        counts = Counts()
        try:
            tables = read_file(file, options, report)
            with full_disk_named(self.folder):
                names = self._write(raw_batches(tables, counts), digest)
        except FormatError as error:
            if not file.found:
                raise
            done.passed_over[file.name] = str(error).removeprefix(f"{file.name}: ")
            return
        source = Source(
            path, digest, size, counts.flows, report.rows_bad, counts.timeless, report.format, names
        )
        grown = [old for known, old in before.items() if beginnings.get(known) == old.digest]
        # The old source goes first: what breaks off here is read again as a whole next time.
        for old in grown:
            self._note(old.digest).unlink()
        with replacing(self._note(digest)) as out:
            out.write(json.dumps(asdict(source), indent=1).encode())
        for name in (name for old in grown for name in old.files):
            (self.folder / name).unlink(missing_ok=True)
        done.new.append(source)
        done.reports.append(report)

    def _note(self, digest: str) -> Path:
        return self._told / f"{digest}.json"

    def _write(self, batches: Iterator[pa.RecordBatch], digest: str) -> tuple[str, ...]:
        import pyarrow.dataset as ds

        failed: list[Exception] = []

        def pulled() -> Iterator[pa.RecordBatch]:
            # Threads of Arrow may let go of what they hold (this error, a file_visitor) as late as
            # at the end of the program, and then must not touch Python: the process would abort.
            try:
                yield from batches
            except Exception as error:
                failed.append(error)

        waiting = TemporaryDirectory(prefix=_WAITING, dir=self.folder, ignore_cleanup_errors=True)
        with waiting as place:
            ds.write_dataset(
                pulled(),
                place,
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
            names = sorted(str(file.relative_to(place)) for file in Path(place).rglob("*.parquet"))
            for name in names:
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                Path(place, name).replace(self.folder / name)
        return tuple(names)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time add flows; others wait."""
        self._told.mkdir(parents=True, exist_ok=True)
        with (self._told / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in self.folder.glob(f"{_WAITING}*"):  # by an ingest that was killed
                shutil.rmtree(left)
            yield


def _holding(flows: ds.FileSystemDataset, wanted: ds.Expression) -> ds.FileSystemDataset:
    """Return the row groups that hold wanted flows; of the others no more is read than tells so."""
    import pyarrow.dataset as ds

    groups = [group for file in flows.get_fragments() for group in file.split_by_row_group()]
    one_by_one = ds.FileSystemDataset(groups, flows.schema, flows.format)
    found = one_by_one.to_table(["__fragment_index"], filter=wanted)["__fragment_index"].unique()
    holding = [groups[place] for place in found.to_pylist()]
    return ds.FileSystemDataset(holding, flows.schema, flows.format)


def _day_of(name: str) -> date:
    year, month, day = (int(part.partition("=")[2]) for part in Path(name).parts[:3])
    return date(year, month, day)
