"""Raw flows as Parquet files by year, month, day and hour.

What was ingested is told by one small file per source in the folder `_sources`. Readers take the
Parquet files that these name and no others, so a source is there whole, or as it was before.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage import _core
from flowtriage.errors import FormatError
from flowtriage.flows import Reading
from flowtriage.formats.read import Options, read_file
from flowtriage.formats.report import Report
from flowtriage.formats.sources import LogFile, locate
from flowtriage.write.atomic import full_disk_named, replacing
from flowtriage.write.canonical import SCHEMA as FLOWS

if TYPE_CHECKING:
    import pyarrow.dataset as ds

EXTRA = {"tos": ("stos", "tos", "srctos"), "input": ("input", "in"), "output": ("output", "out")}
"""Columns beyond the canonical ones that `flow_edge` has, and their names in logs."""

SCHEMA: pa.Schema = pa.schema([*FLOWS, *(pa.field(name, pa.int32()) for name in EXTRA)])
"""Columns of the raw flows."""

_PARTITIONS = pa.schema(
    [("y", pa.int32()), ("m", pa.int32()), ("d", pa.int32()), ("h", pa.int32())]
)
_KEEP = tuple(name for names in EXTRA.values() for name in names)
_BLOCK = 1 << 20
_ROWS_PER_GROUP = 1 << 15
"""Of a log in no order of time, each batch has a few rows of every hour; groups that small are slow
to read."""
_OPEN_FILES = 256


@dataclass(frozen=True)
class Source:
    """A log file that was ingested.

    Attributes
    ----------
    path
        Where it was.
    digest
        SHA-256 of its content.
    size
        Bytes of its content.
    flows
        Rows of it that are kept.
    rows_bad
        Rows that could not be used.
    rows_timeless
        Rows without a start time, which belong to no day.
    format
        Its format.
    files
        Parquet files that hold its flows, within the folder.
    """

    path: str
    digest: str
    size: int
    flows: int
    rows_bad: int
    rows_timeless: int
    format: str
    files: tuple[str, ...]


@dataclass
class Ingested:
    """What an ingest did.

    Attributes
    ----------
    new
        Sources that were read.
    known
        Names of the files whose content is there already.
    reports
        What was found while reading each of `new`.
    passed_over
        Files of a folder that are no flow logs, and why.
    """

    new: list[Source] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    passed_over: dict[str, str] = field(default_factory=dict)

    @property
    def flows(self) -> int:
        """Number of flows that were added."""
        return sum(source.flows for source in self.new)

    def __str__(self) -> str:
        """Say what was added and what was not."""
        text = f"{self.flows:,} flows of {len(self.new):,} files ingested"
        if self.known:
            text += f"; {len(self.known):,} files were there already"
        if bad := sum(source.rows_bad for source in self.new):
            text += f"; {bad:,} bad rows left out"
        if timeless := sum(source.rows_timeless for source in self.new):
            text += f"; {timeless:,} rows without a start time left out"
        if self.passed_over:
            text += f"; {len(self.passed_over):,} files are no flow logs"
        return text


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
        asked = Reading.asked(None, format=format, columns=columns, keep=_KEEP, tz=tz)
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
        first = datetime.combine(start, time(), UTC)
        last = datetime.combine(end or start, time(), UTC) + timedelta(days=1)
        kind = SCHEMA.field("start_time").type
        wanted = (ds.field("start_time") >= pa.scalar(first, kind)) & (
            ds.field("start_time") < pa.scalar(last, kind)
        )
        flows = ds.dataset(files, schema=SCHEMA)
        if addresses is not None:
            # Raw flows were normalised, so an address has one text.
            known = pa.array(map(_core.canonical_address, addresses), pa.string())
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
        digests = _digests(file, before)
        size, digest = digests.popitem()
        if any(source.digest == digest for source in sources):
            done.known.append(file.name)
            return
        report = Report()
        counts = _Counts()
        try:
            tables = read_file(file, options, report)
            with full_disk_named(self.folder):
                names = self._write(_batches(tables, counts), digest)
        except FormatError as error:
            if not file.found:
                raise
            done.passed_over[file.name] = str(error).removeprefix(f"{file.name}: ")
            return
        source = Source(
            path, digest, size, counts.flows, report.rows_bad, counts.timeless, report.format, names
        )
        grown = [old for known, old in before.items() if digests.get(known) == old.digest]
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

        written: list[str] = []
        ds.write_dataset(
            batches,
            self.folder,
            format="parquet",
            schema=pa.schema([*SCHEMA, *_PARTITIONS]),
            partitioning=ds.partitioning(_PARTITIONS, flavor="hive"),
            basename_template=f"{digest}-{{i}}.parquet",
            existing_data_behavior="overwrite_or_ignore",
            max_open_files=_OPEN_FILES,
            min_rows_per_group=_ROWS_PER_GROUP,
            file_options=ds.ParquetFileFormat().make_write_options(compression="zstd"),
            file_visitor=lambda file: written.append(file.path),
            use_threads=False,
        )
        return tuple(sorted(str(Path(path).relative_to(self.folder)) for path in written))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time add flows; others wait."""
        self._told.mkdir(parents=True, exist_ok=True)
        with (self._told / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _holding(flows: ds.FileSystemDataset, wanted: ds.Expression) -> ds.FileSystemDataset:
    """Return the row groups that hold wanted flows; of the others no more is read than tells so."""
    import pyarrow.dataset as ds

    groups = [group for file in flows.get_fragments() for group in file.split_by_row_group()]
    one_by_one = ds.FileSystemDataset(groups, flows.schema, flows.format)
    found = one_by_one.to_table(["__fragment_index"], filter=wanted)["__fragment_index"].unique()
    holding = [groups[place] for place in found.to_pylist()]
    return ds.FileSystemDataset(holding, flows.schema, flows.format)


@dataclass
class _Counts:
    flows: int = 0
    timeless: int = 0


def _batches(tables: Iterator[pa.Table], counts: _Counts) -> Iterator[pa.RecordBatch]:
    """Bring flows into the columns of raw flows, with the partition of each."""
    for table in tables:
        timed = table.filter(pc.is_valid(table["start_time"]))
        counts.timeless += table.num_rows - timed.num_rows
        counts.flows += timed.num_rows
        start = timed["start_time"]
        there = {name: timed[name] for name in FLOWS.names if name in timed.column_names}
        columns = {f.name: there.get(f.name, pa.nulls(len(timed), f.type)) for f in FLOWS}
        columns |= {name: _numbers(timed, names) for name, names in EXTRA.items()}
        parts = {"y": pc.year, "m": pc.month, "d": pc.day, "h": pc.hour}
        columns |= {name: part(start).cast(pa.int32()) for name, part in parts.items()}
        yield from pa.table(columns).combine_chunks().to_batches()


def _numbers(table: pa.Table, names: Sequence[str]) -> pa.ChunkedArray:
    """Take the first of several columns as numbers; what is none becomes null."""
    by_name = {name.casefold(): name for name in table.column_names}
    for name in names:
        if name in by_name:
            text = table[by_name[name]].cast(pa.string())
            number = pc.match_substring_regex(text, r"^\d{1,9}$")
            return pc.if_else(number, text, None).cast(pa.int32())
    return pa.chunked_array([pa.nulls(table.num_rows, pa.int32())])


def _digests(file: LogFile, sizes: Collection[int]) -> dict[int, str]:
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


def _day_of(name: str) -> date:
    year, month, day = (int(part.partition("=")[2]) for part in Path(name).parts[:3])
    return date(year, month, day)
