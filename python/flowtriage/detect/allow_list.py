"""Allow-lists: findings that somebody expects, hidden when they are shown."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.detect.allow_entry import AllowEntry, parse_entry
from flowtriage.detect.allow_file import append_entries, read_entries
from flowtriage.detect.allow_match import first_matches
from flowtriage.detect.findings import FINDINGS
from flowtriage.enrich.asn import AsnDatabase, as_database
from flowtriage.errors import ArgumentError
from flowtriage.inputs.missing import is_missing
from flowtriage.inputs.texts import path_argument
from flowtriage.inputs.timespan import DayLike, parse_day
from flowtriage.quality.warn import caller_level

if TYPE_CHECKING:
    import pandas as pd

_MAX_LISTED = 5
_OF_FINDING = {"source": "source", "dest": "dest", "port": "dst_port"}
"""Criteria of an entry, and the columns of a finding that they come from."""


class Applied(NamedTuple):
    """Findings by whether an allow-list has them.

    Attributes
    ----------
    shown : pyarrow.Table
        Findings that no entry allows.
    hidden : pyarrow.Table
        Allowed findings; their `context` has `allowed:` and the reason.
    """

    shown: pa.Table
    hidden: pa.Table


class AllowList:
    """Findings that somebody expects, each with a reason; nothing is lost by hiding them.

    An entry has one or several criteria, all of which a finding must match: `address` (of either
    end), `source`, `dest` (both are a pair), each an address or a CIDR prefix; `asn` (of either
    end), `port` and `service` (its registered name) of the responder, `detector`, and `finding`,
    its id. A finding about several addresses or ports has none, so that an entry for one of them
    does not match it.

    Parameters
    ----------
    path
        File in TOML, with tables `[[allow]]`, or CSV with a header. Keys are the criteria and
        `reason` (required), `owner`, `expires` (last day, UTC). None starts an empty list.

    Raises
    ------
    ArgumentError
        If the name ends in neither `.toml` nor `.csv`.
    FormatError
        If the file is not TOML or CSV of this form.
    OSError
        If it cannot be read.

    Warns
    -----
    UserWarning
        If the file has bad lines, which are ignored, or expired entries.

    Examples
    --------
    >>> from flowtriage import hunt, sample
    >>> findings = hunt(sample.office_day())
    >>> allow = AllowList()
    >>> entry = allow.add(dest=sample.UPLOAD.peer, detector="uploads", reason="backup of the site")
    >>> shown, hidden = allow.apply(findings)
    >>> shown.num_rows == findings.num_rows - 1, hidden["context"].to_pylist()[0][-1]
    (True, 'allowed: backup of the site')
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._path = None if path is None else Path(path_argument(path))
        self._entries: list[AllowEntry] = []
        self._bad_lines: tuple[str, ...] = ()
        if self._path is not None:
            self._entries, bad_lines = read_entries(self._path)
            self._bad_lines = tuple(bad_lines)
            if found := self.problems():
                listed = found[:_MAX_LISTED]
                rest = len(found) - len(listed)
                more = [f"{rest:,} more: see problems()"] if rest else []
                warnings.warn("; ".join([*listed, *more]), stacklevel=caller_level())

    @property
    def entries(self) -> tuple[AllowEntry, ...]:
        """All entries, in order, with those that have expired."""
        return tuple(self._entries)

    @property
    def bad_lines(self) -> tuple[str, ...]:
        """Lines of the file that are no entries, with file, line and reason."""
        return self._bad_lines

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._entries)

    def __iter__(self) -> Iterator[AllowEntry]:
        """Iterate over the entries."""
        return iter(self._entries)

    def __repr__(self) -> str:
        """Return the number of entries, of expired ones, and of bad lines."""
        counts = f"{len(self):,} entries, {len(self.expired()):,} expired"
        return f"AllowList({counts}, {len(self._bad_lines):,} bad lines)"

    def expired(self, on: DayLike | None = None) -> list[AllowEntry]:
        """Return the entries whose last day is before a day; None means today (UTC)."""
        day = _day(on)
        return [entry for entry in self._entries if entry.has_expired(day)]

    def problems(self, on: DayLike | None = None) -> list[str]:
        """Return what does not apply and why: bad lines, and entries that have expired."""
        expired = [
            f"{entry.position or 'allow-list'}: expired, ignored: {entry}"
            for entry in self.expired(on)
        ]
        return [*self._bad_lines, *expired]

    def apply(
        self,
        findings: pa.Table | pd.DataFrame,
        *,
        on: DayLike | None = None,
        asn: AsnDatabase | str | os.PathLike[str] | None = None,
    ) -> Applied:
        """Separate findings that are allowed from the others.

        Parameters
        ----------
        findings
            Result of `hunt` or of a detector, or a data frame of it.
        on
            Day (UTC) on which expired entries are judged; None means today.
        asn
            Database of autonomous systems for criteria `asn`, as for `hunt`.

        Returns
        -------
        Applied
            `shown` and `hidden`, in the same order; together they are all findings.

        Raises
        ------
        ArgumentError
            If the table has other columns.
        """
        day = _day(on)
        findings = _as_findings(findings)
        valid = [entry for entry in self._entries if not entry.has_expired(day)]
        first = first_matches(findings, valid, as_database(asn))
        allowed = pc.is_valid(first)
        hidden = findings.filter(allowed)
        reasons = pa.array([f"allowed: {entry.reason}" for entry in valid], pa.string())
        contexts = _with_last(hidden["context"], reasons.take(first.drop_null().combine_chunks()))
        at = hidden.column_names.index("context")
        marked = hidden.set_column(at, findings.schema.field("context"), contexts)
        return Applied(findings.filter(pc.invert(allowed)), marked)

    def add(
        self,
        finding: Mapping[str, Any] | str | None = None,
        *,
        reason: str,
        owner: str | None = None,
        expires: DayLike | None = None,
        **criteria: Any,
    ) -> AllowEntry:
        """Allow a finding, or what matches criteria.

        Parameters
        ----------
        finding
            A row of the result of `hunt`, as a mapping, or the id of a finding. Of a row, the entry
            has detector, ends and port, and the id if it is about several ends or ports. None
            means the criteria only.
        reason
            Why it is expected.
        owner
            Who is responsible for the entry.
        expires
            Last day (UTC) on which it applies; None means no end.
        **criteria
            Criteria as in a file, such as `dest="192.0.2.0/24"`; they replace those of the finding,
            and its id.

        Returns
        -------
        AllowEntry
            The new entry; `save` writes it to a file.

        Raises
        ------
        ArgumentError
            If a criterion is unknown or invalid, the reason is missing, or there is no criterion.
        """
        values = {} if finding is None else _criteria_of(finding)
        if criteria and not isinstance(finding, str):
            values.pop("finding", None)
        given = {"reason": reason, "owner": owner, "expires": expires}
        entry = parse_entry(values | criteria | given)
        self._entries.append(entry)
        return entry

    def save(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Add the entries that a file lacks at its end; its other lines stay as they are.

        Parameters
        ----------
        path
            The file, TOML or CSV by its name; it is created, or replaced atomically. None means
            the file that the list was read from.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ArgumentError
            If there is no path, or its name ends in neither `.toml` nor `.csv`.
        FormatError
            If an existing file is no allow-list.
        OSError
            If the file cannot be written; it is unchanged then.
        """
        target = self._path if path is None else Path(path_argument(path))
        if target is None:
            raise ArgumentError("the list was not read from a file; give save() a path")
        append_entries(target, self._entries)
        self._path = self._path or target
        return target


AllowLike: TypeAlias = AllowList | str | os.PathLike[str]
"""An allow-list, or the path of its file."""


def as_allow_list(allow: AllowLike) -> AllowList:
    """Return an allow-list, read from a file if a path is given."""
    return allow if isinstance(allow, AllowList) else AllowList(allow)


def _as_findings(findings: pa.Table | pd.DataFrame) -> pa.Table:
    if not isinstance(findings, pa.Table) and set(FINDINGS.names) <= set(findings):
        return pa.Table.from_pandas(findings, FINDINGS, preserve_index=False)
    if missing := set(FINDINGS.names) - set(getattr(findings, "column_names", ())):
        raise ArgumentError(
            f"these are no findings: {min(missing)} is missing; give the result of hunt"
        )
    return findings


def _day(on: DayLike | None) -> date:
    return datetime.now(UTC).date() if on is None else parse_day(on)


def _criteria_of(finding: Mapping[str, Any] | str) -> dict[str, Any]:
    """Return the criteria that match a finding, and as few others as possible."""
    if isinstance(finding, str):
        return {"finding": finding}
    try:
        values = {name: finding[column] for name, column in _OF_FINDING.items()}
        detector, identity = finding["detector"], finding["finding"]
    except (KeyError, TypeError, IndexError):
        raise ArgumentError(
            "this is no finding; give a row of the result of hunt, such as findings.to_pylist()[0]"
        ) from None
    known = {name: value for name, value in values.items() if not is_missing(value)}
    if "port" in known:
        known["port"] = int(known["port"])
    exact = {} if len(known) == len(_OF_FINDING) else {"finding": identity}
    return known | {"detector": detector} | exact


def _with_last(lists: pa.ChunkedArray, last: pa.Array) -> pa.Array:
    """Return lists of strings with one more string at the end of each."""
    lists = lists.combine_chunks()
    flat, parents = pc.list_flatten(lists), pc.list_parent_indices(lists)
    count = len(lists)
    texts = pa.concat_arrays([flat, last])
    owners = pa.concat_arrays([parents, pa.array(range(count), pa.int64())])
    order = pc.sort_indices(
        pa.table({"owner": owners, "at": pa.array(range(len(texts)), pa.int64())}),
        sort_keys=[("owner", "ascending"), ("at", "ascending")],
    )
    lengths = pc.add(pc.fill_null(pc.list_value_length(lists), 0), 1).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
    return pa.ListArray.from_arrays(offsets, texts.take(order), type=lists.type)
