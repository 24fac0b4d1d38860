"""Stories: what an analyst writes down of an address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError
from flowtriage.store import FlowStore, Transaction

_STORY, _TIMELINE, _HISTORY = "flow_storyboard", "flow_timeline", "flow_storyboard_history"
_UNKEPT = re.compile("[\0\ud800-\udfff]")


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
        When, as in `flow_storyboard_history`; None without a store.
    connections
        Number of rows of `flow_timeline`.
    store
        The store, without a password; None without one.
    files
        Files that were written.
    """

    ip: str
    day: date
    saved: str | None
    connections: int
    store: str | None
    files: tuple[Path, ...] = ()

    def __str__(self) -> str:
        """Say what was saved, and where."""
        text = f"The story of {self.ip} on {self.day} is saved"
        if self.store is not None:
            text += f" in {self.store}, with {self.connections:,} connections of its timeline"
        if self.files:
            names = ", ".join(path.name for path in self.files)
            text += f"; {names} are in {self.files[0].parent}"
        return f"{text}."


def check_text(name: str, text: str) -> str:
    """Refuse what a store cannot keep as it is.

    Raises
    ------
    ArgumentError
        If it is no text, has a NUL character, or half of a surrogate pair.

    Examples
    --------
    >>> check_text("title", "beacon 😀")
    'beacon 😀'
    """
    if not isinstance(text, str):
        raise ArgumentError(f"the {name} is {text!r}; give a text")
    if found := _UNKEPT.search(text):
        what = "a NUL character" if found[0] == "\0" else "half of a surrogate pair"
        raise ArgumentError(
            f"the {name} has {what} as its character {found.start() + 1:,}, which no store keeps: "
            "take it out"
        )
    return text


def save(store: FlowStore, day: date, ip: str, title: str, text: str, timeline: pa.Table) -> str:
    """Save the story of an address; an earlier one of the day stays in the history.

    Parameters
    ----------
    store
        Where it is saved; other analysts may save at the same time.
    day
        The day.
    ip
        The address.
    title, text
        What was written down.
    timeline
        Rows of `flow_timeline`.

    Returns
    -------
    str
        When it was saved, UTC.

    Raises
    ------
    ArgumentError
        If a text cannot be stored as it is.
    StoreError
        If the store cannot be changed; then nothing is.
    """
    row = {"ip_threat": ip, "title": check_text("title", title), "text": check_text("text", text)}
    with store.transaction() as change:
        change.lock(_STORY, _TIMELINE, _HISTORY)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        _keep_unknown(change, day, ip)
        change.append(_HISTORY, day, pa.Table.from_pylist([row | {"saved": now}]))
        for name, rows in ((_STORY, pa.Table.from_pylist([row])), (_TIMELINE, timeline)):
            change.delete(name, day, {"ip_threat": ip})
            change.append(name, day, rows)
    return now


def history(store: FlowStore, day: date, ip: str | None = None) -> pa.Table:
    """Return all stories that were saved of a day or of one address, the latest first.

    Returns
    -------
    pyarrow.Table
        `ip_threat`, `title`, `text`, `saved` (UTC; null of one that another program wrote).
    """
    where = {} if ip is None else {"ip_threat": ip}
    kept = store.read(_HISTORY, day=day, where=where, order=["ip_threat", "saved"])
    told = store.read(_STORY, day=day, where=where)
    known = pc.is_in(_key(told), value_set=_key(kept).combine_chunks())
    told = told.filter(pc.invert(known)).append_column(
        "saved", pa.nulls(told.num_rows - pc.sum(known, min_count=0).as_py(), pa.string())
    )
    both = pa.concat_tables([kept, told.select(kept.column_names)]).drop_columns(["day"])
    return both.sort_by([("ip_threat", "ascending"), ("saved", "descending")])


def _keep_unknown(change: Transaction, day: date, ip: str) -> None:
    """Put a story that another program wrote into the history before its place is taken."""
    where = {"ip_threat": ip}
    told, kept = change.read(_STORY, day, where), change.read(_HISTORY, day, where)
    new = pc.invert(pc.is_in(_key(told), value_set=_key(kept).combine_chunks()))
    change.append(_HISTORY, day, told.filter(new).drop_columns(["day"]))


def _key(rows: pa.Table) -> pa.ChunkedArray:
    texts = [pc.fill_null(rows[name], "") for name in ("ip_threat", "title", "text")]
    return pc.binary_join_element_wise(*texts, "\0")
