"""Fields and buttons that belong together, and what stands beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets
import pyarrow as pa

from flowtriage.errors import ArgumentError
from flowtriage.humanize import sanitize
from flowtriage.threat_investigation.search import SearchResult, in_order


class Form(widgets.VBox):  # type: ignore[misc]
    """Fields and buttons whose presses come with what the fields hold at that moment.

    A kernel may take messages of several widgets in another order than they were sent in, so that
    a button alone could find what a field held before. The script of the page sends both at once;
    where it does not run, buttons are as usual.

    Parameters
    ----------
    children
        All that is shown.
    fields
        What is filled in, in the order of the page.
    buttons
        What is pressed, in the order of the page.
    """

    def __init__(
        self,
        children: list[widgets.Widget],
        fields: list[widgets.Widget],
        buttons: list[widgets.Widget],
    ) -> None:
        self._fields, self._buttons = fields, buttons
        for kind, parts in (("ft-field", fields), ("ft-press", buttons)):
            for part in parts:
                part.add_class(kind)
        self.sent = widgets.Text(continuous_update=False)
        self.sent.add_class("ft-sent")
        self.sent.observe(self._receive, "value")
        super().__init__([*children, self.sent])
        self.add_class("ft-box")

    def _receive(self, change: dict[str, Any]) -> None:
        pressed = json.loads(change["new"])
        for field, held in zip(self._fields, pressed["fields"], strict=True):
            if isinstance(held, int):
                field.index = held
            else:
                field.value = held
        self._buttons[pressed["button"]].click()


def buttons(*buttons: widgets.Widget) -> widgets.Widget:
    """Put buttons side by side."""
    row = widgets.HBox(buttons)
    row.add_class("ft-buttons")
    return row


def heading(text: str) -> widgets.Widget:
    """Make a heading."""
    return widgets.HTML(f"<h4>{escape(text)}</h4>")


def note(text: str) -> widgets.Widget:
    """Make a paragraph."""
    return widgets.HTML(f"<p>{escape(text)}</p>")


_WIDE = {"description_width": "6.5em"}
_RISKS = [("1 – high", 1), ("2 – medium", 2), ("3 – low", 3)]
_WHICH = {"peer": "Peer", "port": "Port", "asn": "ASN"}
_LISTED = 1_000
"""Addresses, ports or numbers to choose from; any other can be typed."""


class SearchBox(Form):
    """A list of addresses, a field for any other, and a button.

    Parameters
    ----------
    search
        What to do with the address that was chosen.
    """

    def __init__(self, search: Callable[[str], None]) -> None:
        self._title = widgets.HTML()
        self.listed = widgets.Select(description="In the list", style=_WIDE)
        self.address = widgets.Text(
            description="Address",
            placeholder="10.0.0.1 or 2001:db8::1",
            continuous_update=False,
            style=_WIDE,
        )
        self.button = widgets.Button(description="Search", icon="search", button_style="primary")
        self.listed.add_class("ft-listed")
        self.address.add_class("ft-entered")
        self.button.on_click(
            lambda _: search(self.address.value.strip() or self.listed.value or "")
        )
        typed = widgets.HBox([self.address, self.button])
        super().__init__([self._title, self.listed, typed], [self.address], [self.button])

    def fill(self, title: str, threats: pa.Table) -> None:
        """Show other addresses, of which none is chosen yet.

        Parameters
        ----------
        title
            What the addresses are.
        threats
            The addresses, with their `connections` where that is known.
        """
        none = "" if len(threats) else "<p>No address is left in the list; type one.</p>"
        self._title.value = f"<h4>{escape(title)}</h4>{none}"
        self.listed.rows = min(max(len(threats), 3), 10)
        self.listed.options = _labelled(threats)
        self.listed.index = None
        self.address.value = ""


class StoryBox(Form):
    """Title and comments of an address, and buttons to save them: here, or for others.

    Parameters
    ----------
    ip
        The address.
    history
        Its stories, the latest first.
    draft
        Title and comments that were not saved yet, if there are any.
    save, save_report, save_bundle
        What to do with the title and the comments.
    """

    def __init__(
        self,
        ip: str,
        history: pa.Table,
        draft: tuple[str, str] | None,
        save: Callable[[], None],
        save_report: Callable[[], None],
        save_bundle: Callable[[], None],
    ) -> None:
        self.ip = ip
        [latest] = history.slice(0, 1).to_pylist() or [{"title": "", "text": "", "saved": None}]
        self._kept = (latest["title"] or "", latest["text"] or "")
        title, comments = draft or self._kept
        self.title = widgets.Text(title, description="Title", continuous_update=False, style=_WIDE)
        self.comments = widgets.Textarea(
            comments, description="Comments", rows=6, continuous_update=False, style=_WIDE
        )
        self.button = widgets.Button(description="Save", icon="save", button_style="primary")
        self.report = widgets.Button(description="Save report", icon="file-text-o")
        self.bundle = widgets.Button(description="Save bundle", icon="archive")
        self.button.on_click(lambda _: save())
        self.report.on_click(lambda _: save_report())
        self.bundle.on_click(lambda _: save_bundle())
        told = _told(history, latest["saved"], draft)
        fields, pressed = [self.title, self.comments], [self.button, self.report, self.bundle]
        parts = [heading(f"What did {ip} do?"), *told, *fields, buttons(*pressed)]
        super().__init__(parts, fields, pressed)

    @property
    def draft(self) -> tuple[str, str] | None:
        """Title and comments where they are not what was saved."""
        now = (self.title.value, self.comments.value)
        return None if now == self._kept else now


class ScoreBox(Form):
    """Scores for connections of an address: which ones, how high, and back.

    Parameters
    ----------
    found
        What was found of the address.
    score
        What to do with a risk and the connections that it is of.
    undo
        How to take the latest score back.
    """

    def __init__(
        self,
        found: SearchResult,
        score: Callable[..., None],
        undo: Callable[[], None],
    ) -> None:
        self._found = found
        self.risk = widgets.Dropdown(description="Risk", options=_RISKS, style=_WIDE)
        self.by = widgets.Dropdown(
            description="Chosen by", options=[(b, a) for a, b in _WHICH.items()], style=_WIDE
        )
        self.which = widgets.Combobox(continuous_update=False, style=_WIDE)
        self.button = widgets.Button(description="Score", icon="check")
        self.undo = widgets.Button(description="Undo", icon="undo")
        self.by.observe(lambda _: self._offer(), "value")
        self.button.on_click(lambda _: score(self.risk.value, self.by.value, self.which.value))
        self.undo.on_click(lambda _: undo())
        self._offer()
        fields, pressed = [self.risk, self.by, self.which], [self.button, self.undo]
        parts = [heading("Score its connections"), *fields, buttons(*pressed)]
        super().__init__(parts, fields, pressed)

    def _offer(self) -> None:
        self.which.description = _WHICH[self.by.value]
        self.which.placeholder = "choose, or type"
        self.which.value = ""
        self.which.options = offered(self._found, self.by.value)


def beside(boxes: list[widgets.Widget]) -> widgets.Widget:
    """Put boxes side by side, as far as there is room."""
    row = widgets.HBox(boxes)
    row.add_class("ft-beside")
    return row


def offered(found: SearchResult, by: str) -> tuple[str, ...]:
    """Return what connections can be scored by, those with the most first.

    Parameters
    ----------
    found
        What was found of the address.
    by
        `peer`, `port` or `asn`.
    """
    if by == "port":
        ends = [found.connections[name] for name in ("src_port", "dst_port")]
        ports = pa.chunked_array([chunk for end in ends for chunk in end.chunks], pa.uint16())
        counted = (
            pa.table({"port": ports.drop_null()}).group_by("port").aggregate([([], "count_all")])
        )
        order = [("count_all", "descending"), ("port", "ascending")]
        return tuple(map(str, counted.sort_by(order)["port"].slice(0, _LISTED).to_pylist()))
    peers = in_order(found.peers)
    if by == "peer":
        return tuple(peers["peer"].slice(0, _LISTED).to_pylist())
    names = dict(zip(peers["asn"].to_pylist(), peers["as_name"].to_pylist(), strict=True))
    known = [(asn, name) for asn, name in names.items() if asn is not None]
    return tuple(sanitize(f"AS{asn} {name or ''}".strip(), 60) for asn, name in known[:_LISTED])


def chosen(by: str, text: str) -> dict[str, Any]:
    """Read which connections are meant.

    Parameters
    ----------
    by
        `peer`, `port` or `asn`.
    text
        Addresses or ports with commas or spaces between them; a number, also with a name after
        it as `offered` gives it.

    Returns
    -------
    dict
        Parameter of `FlowThreatInvestigation.score`.

    Raises
    ------
    ArgumentError
        If it names none.

    Examples
    --------
    >>> chosen("port", "53, 443"), chosen("asn", "AS13335 Cloudflare, Inc.")
    ({'port': [53, 443]}, {'asn': 13335})
    """
    words = re.split(r"[,;\s]+", text.strip(" ,;\t"))
    if by == "peer" and words != [""]:
        return {"peer": words}
    if by == "asn" and (number := re.fullmatch(r"(?:AS)?(\d{1,10})", words[0], re.IGNORECASE)):
        return {"asn": int(number[1])}
    if by == "port" and all(re.fullmatch(r"\d{1,5}", word) for word in words):
        return {"port": [int(word) for word in words]}
    examples = {"peer": "192.0.2.1", "port": "443", "asn": "AS64496"}
    name = _WHICH[by] if by == "asn" else _WHICH[by].lower()
    said = f"{text!r} is no {name}" if text.strip() else f"no {name} was given"
    raise ArgumentError(f"{said}: choose one of the list, or type one such as {examples[by]}")


def _labelled(threats: pa.Table) -> list[tuple[str, str]]:
    addresses = threats["ip"].to_pylist()
    if "connections" not in threats.column_names:
        return [(ip, ip) for ip in addresses]
    counts = [f"{count:,}" for count in threats["connections"].to_pylist()]
    wide, high = (max(map(len, texts), default=0) for texts in (addresses, counts))
    space = "\N{NO-BREAK SPACE}"
    return [
        (f"{ip.ljust(wide, space)}{space * 3}{count.rjust(high, space)} {_counted(count)}", ip)
        for ip, count in zip(addresses, counts, strict=True)
    ]


def _counted(count: str) -> str:
    return "connection" if count == "1" else "connections"


def _told(
    history: pa.Table, saved: str | None, draft: tuple[str, str] | None
) -> list[widgets.Widget]:
    parts = []
    if len(history):
        when = f" on {saved[:19].replace('T', ' ')} UTC" if saved else ""
        versions = f", as version {len(history)} of its story" if len(history) > 1 else ""
        parts.append(f"Saved{when}{versions}; all that was written is listed at the end.")
    if draft:
        parts.append("These are your changes, which are not saved yet.")
    return [note(" ".join(parts))] if parts else []
