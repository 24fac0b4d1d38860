"""Stories: what an analyst writes down of an address, and where it is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import FormatError
from flowtriage.humanize import sanitize
from flowtriage.store import FlowStore, Transaction
from flowtriage.threat_investigation.story.spot_files import safe_ip
from flowtriage.threat_investigation.story.text import check_text

HISTORY = pa.schema([(name, pa.string()) for name in ("ip_threat", "title", "text", "saved")])
"""A story, and when it was saved (UTC); null of one that another program wrote."""
_STORY, _TIMELINE, _HISTORY = "flow_storyboard", "flow_timeline", "flow_storyboard_history"


@dataclass(frozen=True)
class Saved:
    """A story that was saved.

    Attributes
    ----------
    ip
        The address.
    day
        Its day.
    saved
        When, UTC, as the history has it.
    place
        Where: a store without its password, or a file.
    files
        Files about the address that were written beside.
    """

    ip: str
    day: date
    saved: str
    place: str
    files: tuple[Path, ...]

    def __str__(self) -> str:
        """Say what was saved, and where."""
        names = ", ".join(path.name for path in self.files)
        return (
            f"The story of {self.ip} on {self.day} is saved in {self.place}; {names} are in "
            f"{self.files[0].parent}."
        )


class Stories(Protocol):
    """Where stories are kept."""

    def save(self, day: date, ip: str, title: str, text: str, timeline: pa.Table) -> str:
        """Save a story in the place of an earlier one, and return when."""

    def history(self, day: date, ip: str | None = None) -> pa.Table:
        """Return all stories of a day or of one address, the latest first, as `HISTORY`."""

    def addresses(self, day: date) -> pa.Array:
        """Return the addresses that have a story."""

    def place(self, day: date, ip: str) -> str:
        """Say where the story of an address is."""


@dataclass(frozen=True)
class StoredStories:
    """Stories in a store; several analysts may save at the same time."""

    store: FlowStore

    def save(self, day: date, ip: str, title: str, text: str, timeline: pa.Table) -> str:
        """Save a story and its timeline; an earlier one of the day stays in the history.

        Raises
        ------
        ArgumentError
            If a text cannot be kept as it is.
        StoreError
            If the store cannot be changed; then nothing is.
        """
        row = _row(ip, title, text)
        with self.store.transaction() as change:
            change.lock(_STORY, _TIMELINE, _HISTORY)
            now = _now()
            _keep_unknown(change, day, ip)
            change.append(_HISTORY, day, pa.Table.from_pylist([row | {"saved": now}]))
            for name, rows in ((_STORY, pa.Table.from_pylist([row])), (_TIMELINE, timeline)):
                change.delete(name, day, {"ip_threat": ip})
                change.append(name, day, rows)
        return now

    def history(self, day: date, ip: str | None = None) -> pa.Table:
        """Return all stories of a day or of one address, the latest first."""
        where = {} if ip is None else {"ip_threat": ip}
        kept = self.store.read(_HISTORY, day=day, where=where).drop_columns(["day"])
        unknown = _unknown(self.store.read(_STORY, day=day, where=where), kept)
        return _latest_first(pa.concat_tables([kept, unknown], promote_options="default"))

    def addresses(self, day: date) -> pa.Array:
        """Return the addresses that have a story."""
        return self.store.read(_STORY, day=day)["ip_threat"].combine_chunks()

    def place(self, day: date, ip: str) -> str:
        """Name the store."""
        return self.store.url


@dataclass(frozen=True)
class FiledStories:
    """Stories in files, where there is no store: a line of JSON for each that was saved."""

    folder: Path

    def save(self, day: date, ip: str, title: str, text: str, timeline: pa.Table) -> str:
        """Add a story to the file of its address.

        Raises
        ------
        ArgumentError
            If a text cannot be kept as it is.
        OSError
            If the file cannot be written.
        """
        now = _now()
        path = self._path(day, safe_ip(ip))
        line = json.dumps(_row(ip, title, text) | {"saved": now}) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            file.write(line.encode())
        return now

    def history(self, day: date, ip: str | None = None) -> pa.Table:
        """Return all stories of a day or of one address, the latest first.

        Raises
        ------
        FormatError
            If a file is damaged.
        """
        pattern = self._path(day, "*" if ip is None else safe_ip(ip))
        rows = [row for path in sorted(pattern.parent.glob(pattern.name)) for row in _stories(path)]
        return _latest_first(pa.Table.from_pylist(rows, schema=HISTORY))

    def addresses(self, day: date) -> pa.Array:
        """Return the addresses that have a story."""
        return self.history(day)["ip_threat"].unique()

    def place(self, day: date, ip: str) -> str:
        """Name the file."""
        return str(self._path(day, safe_ip(ip)))

    def _path(self, day: date, name: str) -> Path:
        return day_folder(self.folder, day) / f"story-{name}.jsonl"


def day_folder(data: Path, day: date) -> Path:
    """Return the folder of a day's files."""
    return data / "flow" / day.isoformat()


def _row(ip: str, title: str, text: str) -> dict[str, str]:
    return {"ip_threat": ip, "title": check_text("title", title), "text": check_text("text", text)}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _latest_first(stories: pa.Table) -> pa.Table:
    return stories.sort_by([("ip_threat", "ascending"), ("saved", "descending")])


def _keep_unknown(change: Transaction, day: date, ip: str) -> None:
    """Put a story that another program wrote into the history before its place is taken."""
    where = {"ip_threat": ip}
    told, kept = change.read(_STORY, day, where), change.read(_HISTORY, day, where)
    change.append(_HISTORY, day, _unknown(told, kept))


def _unknown(told: pa.Table, kept: pa.Table) -> pa.Table:
    """Return the stories that the history does not have."""
    known = pc.is_in(_key(told), value_set=_key(kept).combine_chunks())
    return told.filter(pc.invert(known)).drop_columns(["day"])


def _key(rows: pa.Table) -> pa.ChunkedArray:
    texts = [pc.fill_null(rows[name], "") for name in ("ip_threat", "title", "text")]
    return pc.binary_join_element_wise(*texts, "\0")


def _stories(path: Path) -> list[dict[str, str]]:
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return pa.Table.from_pylist(rows, schema=HISTORY).to_pylist()  # type: ignore[no-any-return]
    except (ValueError, TypeError, AttributeError) as error:
        raise FormatError(f"{sanitize(str(path))} has no stories: {error}") from None
