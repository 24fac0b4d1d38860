"""Save the stories of analysts in a store or in files, with their history."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import FormatError
from flowtriage.humanize import sanitize
from flowtriage.store import FlowStore
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


@dataclass(frozen=True)
class StoreStories:
    """Stories in a store; analysts can save concurrently."""

    store: FlowStore

    def save(self, day: date, ip: str, title: str, text: str, timeline: pa.Table) -> str:
        """Save a story and its timeline, and return the time; the history keeps earlier stories."""
        row, where = _row(ip, title, text), {"ip_threat": ip}
        with self.store.transaction() as change:
            change.lock(_STORY, _TIMELINE, _HISTORY)
            now = _now()
            stories, history = (change.read(name, day, where) for name in (_STORY, _HISTORY))
            # Another program may have written the story that is replaced.
            change.append(_HISTORY, day, _not_in_history(stories, history))
            change.append(_HISTORY, day, pa.Table.from_pylist([row | {"saved": now}]))
            for name, rows in ((_STORY, pa.Table.from_pylist([row])), (_TIMELINE, timeline)):
                change.delete(name, day, where)
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
        """Append a story to the file of its address, and return the time."""
        now, path = _now(), self._path(day, safe_ip(ip))
        line = json.dumps(_row(ip, title, text) | {"saved": now}) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            file.write(line.encode())
        return now

    def history(self, day: date, ip: str | None = None) -> pa.Table:
        """Return all stories of a day or of one address, latest first."""
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


Stories = StoreStories | FileStories


def day_folder(data: Path, day: date) -> Path:
    """Return the directory of the files of a day."""
    return data / "flow" / day.isoformat()


def _row(ip: str, title: str, text: str) -> dict[str, str]:
    return {"ip_threat": ip, "title": check_text("title", title), "text": check_text("text", text)}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _latest_first(stories: pa.Table) -> pa.Table:
    return stories.sort_by([("ip_threat", "ascending"), ("saved", "descending")])


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
    except (ValueError, TypeError, AttributeError, RecursionError, pa.ArrowException) as error:
        raise FormatError(f"{sanitize(str(path))} is not a file of stories: {error}") from None
