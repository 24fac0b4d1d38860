"""Save the stories of analysts in a store or in files, with their history."""

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
"""A story and when it was saved (UTC, null if another program wrote it)."""
_STORY, _TIMELINE, _HISTORY = "flow_storyboard", "flow_timeline", "flow_storyboard_history"


@dataclass(frozen=True)
class Saved:
    """A saved story.

    Attributes
    ----------
    ip
        Address of the story.
    day
        Day of the story, in UTC.
    saved
        Time of saving, in UTC, as in the history.
    storage
        URL of the store without its password, or path of the file.
    files
        Globe, stats and dendrogram of the address.
    """

    ip: str
    day: date
    saved: str
    storage: str
    files: tuple[Path, ...]

    def __str__(self) -> str:
        """Return a message for the analyst."""
        names = ", ".join(path.name for path in self.files)
        return (
            f"Story of {self.ip} on {self.day} saved in {self.storage}; files in "
            f"{self.files[0].parent}: {names}."
        )


class Stories(Protocol):
    """Storage of stories."""

    def save(self, day: date, ip: str, title: str, text: str, timeline: pa.Table) -> str:
        """Save a story, which replaces an earlier one, and return the time of saving."""

    def history(self, day: date, ip: str | None = None) -> pa.Table:
        """Return all stories of a day or of one address as `HISTORY`, latest first."""

    def addresses(self, day: date) -> pa.Array:
        """Return the addresses that have a story."""

    def storage(self, day: date, ip: str) -> str:
        """Return the URL of the store, or the path of the file, of a story."""


@dataclass(frozen=True)
class StoreStories:
    """Stories in a store; analysts can save concurrently."""

    store: FlowStore

    def save(self, day: date, ip: str, title: str, text: str, timeline: pa.Table) -> str:
        """Save a story and its timeline; earlier stories of the day stay in the history.

        Raises
        ------
        ArgumentError
            If title or text contain a NUL character or an unpaired surrogate.
        StoreError
            If the store cannot be changed; the transaction is rolled back.
        """
        row = _row(ip, title, text)
        with self.store.transaction() as change:
            change.lock(_STORY, _TIMELINE, _HISTORY)
            now = _now()
            _archive(change, day, ip)
            change.append(_HISTORY, day, pa.Table.from_pylist([row | {"saved": now}]))
            for name, rows in ((_STORY, pa.Table.from_pylist([row])), (_TIMELINE, timeline)):
                change.delete(name, day, {"ip_threat": ip})
                change.append(name, day, rows)
        return now

    def history(self, day: date, ip: str | None = None) -> pa.Table:
        """Return all stories of a day or of one address, latest first."""
        where = {} if ip is None else {"ip_threat": ip}
        history = self.store.read(_HISTORY, day=day, where=where).drop_columns(["day"])
        missing = _not_in_history(self.store.read(_STORY, day=day, where=where), history)
        return _latest_first(pa.concat_tables([history, missing], promote_options="default"))

    def addresses(self, day: date) -> pa.Array:
        """Return the addresses that have a story."""
        return self.store.read(_STORY, day=day)["ip_threat"].combine_chunks()

    def storage(self, day: date, ip: str) -> str:
        """Return the URL of the store."""
        return self.store.url


@dataclass(frozen=True)
class FileStories:
    """Stories in JSON Lines files, for investigations without a store."""

    folder: Path

    def save(self, day: date, ip: str, title: str, text: str, timeline: pa.Table) -> str:
        """Append a story to the file of its address.

        Raises
        ------
        ArgumentError
            If title or text contain a NUL character or an unpaired surrogate.
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
        """Return all stories of a day or of one address, latest first.

        Raises
        ------
        FormatError
            If a file is damaged.
        """
        pattern = self._path(day, "*" if ip is None else safe_ip(ip))
        rows = [row for path in sorted(pattern.parent.glob(pattern.name)) for row in _read(path)]
        return _latest_first(pa.Table.from_pylist(rows, schema=HISTORY))

    def addresses(self, day: date) -> pa.Array:
        """Return the addresses that have a story."""
        return self.history(day)["ip_threat"].unique()

    def storage(self, day: date, ip: str) -> str:
        """Return the path of the file."""
        return str(self._path(day, safe_ip(ip)))

    def _path(self, day: date, name: str) -> Path:
        return day_folder(self.folder, day) / f"story-{name}.jsonl"


def day_folder(data: Path, day: date) -> Path:
    """Return the directory of the files of a day."""
    return data / "flow" / day.isoformat()


def _row(ip: str, title: str, text: str) -> dict[str, str]:
    return {"ip_threat": ip, "title": check_text("title", title), "text": check_text("text", text)}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _latest_first(stories: pa.Table) -> pa.Table:
    return stories.sort_by([("ip_threat", "ascending"), ("saved", "descending")])


def _archive(change: Transaction, day: date, ip: str) -> None:
    """Copy a story that another program wrote to the history, before it is replaced."""
    where = {"ip_threat": ip}
    stories, history = change.read(_STORY, day, where), change.read(_HISTORY, day, where)
    change.append(_HISTORY, day, _not_in_history(stories, history))


def _not_in_history(stories: pa.Table, history: pa.Table) -> pa.Table:
    known = pc.is_in(_key(stories), value_set=_key(history).combine_chunks())
    return stories.filter(pc.invert(known)).drop_columns(["day"])


def _key(rows: pa.Table) -> pa.ChunkedArray:
    strings = [pc.fill_null(rows[name], "") for name in ("ip_threat", "title", "text")]
    return pc.binary_join_element_wise(*strings, "\0")


def _read(path: Path) -> list[dict[str, str]]:
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return pa.Table.from_pylist(rows, schema=HISTORY).to_pylist()  # type: ignore[no-any-return]
    except (ValueError, TypeError, AttributeError) as error:
        raise FormatError(f"{sanitize(str(path))} is not a file of stories: {error}") from None
