"""Forms of the page: search an address, write its story, score its connections."""

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
from flowtriage.threat_investigation.search import SearchResult, sort_peers

_STYLE = {"description_width": "6.5em"}
_RISKS = [("1 – high", 1), ("2 – medium", 2), ("3 – low", 3)]
_FILTERS = {"peer": "Peer", "port": "Port", "asn": "ASN"}
_EXAMPLES = {"peer": "192.0.2.1", "port": "443", "asn": "AS64496"}
_MAX_SUGGESTIONS = 1_000


class Form(widgets.VBox):  # type: ignore[misc]
    """Fields and buttons; a press arrives together with the values of the fields.

    A kernel can process the messages of several widgets out of order, so that the handler of a
    button would read old values of the fields. The script of the page sends both in one message;
    without it, buttons work as usual. `fields` and `buttons` are children in document order.
    """

    def __init__(
        self,
        children: list[widgets.Widget],
        fields: list[widgets.Widget],
        buttons: list[widgets.Widget],
    ) -> None:
        self._fields, self._buttons = fields, buttons
        for name, parts in (("ft-field", fields), ("ft-button", buttons)):
            for part in parts:
                part.add_class(name)
        self.event = widgets.Text(continuous_update=False)
        self.event.add_class("ft-event")
        self.event.observe(self._receive, "value")
        super().__init__([*children, self.event])
        self.add_class("ft-box")

    def _receive(self, change: dict[str, Any]) -> None:
        event = json.loads(change["new"])
        for field, value in zip(self._fields, event["fields"], strict=True):
            if isinstance(value, int):
                field.index = value
            else:
                field.value = value
        self._buttons[event["button"]].click()


class SearchBox(Form):
    """A list of addresses, a field for any other address, and the search button."""

    def __init__(self, search: Callable[[str], None]) -> None:
        self._title = widgets.HTML()
        self.listed = widgets.Select(description="Candidates", style=_STYLE)
        self.address = widgets.Text(
            description="Address",
            placeholder="10.0.0.1 or 2001:db8::1",
            continuous_update=False,
            style=_STYLE,
        )
        self.button = widgets.Button(description="Search", icon="search", button_style="primary")
        self.listed.add_class("ft-listed")
        self.address.add_class("ft-address")
        self.button.on_click(
            lambda _: search(self.address.value.strip() or self.listed.value or "")
        )
        entry = widgets.HBox([self.address, self.button])
        super().__init__([self._title, self.listed, entry], [self.address], [self.button])

    def fill(self, title: str, threats: pa.Table) -> None:
        """Set the list of addresses and its title, with none selected."""
        empty = "" if len(threats) else "<p>The list is empty; type an address.</p>"
        self._title.value = f"<h4>{escape(title)}</h4>{empty}"
        self.listed.rows = min(max(len(threats), 3), 10)
        self.listed.options = _options(threats)
        self.listed.index = None
        self.address.value = ""


class StoryBox(Form):
    """Title and comments of an address, and buttons that save them.

    `history` has the stories of the address, latest first; `draft` is unsaved title and comments.
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
        [latest] = history.slice(0, 1).to_pylist() or [dict.fromkeys(history.column_names)]
        self._saved = (latest["title"] or "", latest["text"] or "")
        title, comments = draft or self._saved
        self.title = widgets.Text(title, description="Title", continuous_update=False, style=_STYLE)
        self.comments = widgets.Textarea(
            comments, description="Comments", rows=6, continuous_update=False, style=_STYLE
        )
        self.button = widgets.Button(description="Save", icon="save", button_style="primary")
        self.report = widgets.Button(description="Save report", icon="file-text-o")
        self.bundle = widgets.Button(description="Save bundle", icon="archive")
        self.button.on_click(lambda _: save())
        self.report.on_click(lambda _: save_report())
        self.bundle.on_click(lambda _: save_bundle())
        fields, buttons = [self.title, self.comments], [self.button, self.report, self.bundle]
        status = _status(history, latest["saved"], draft)
        parts = [_heading(f"Story of {ip}"), *status, *fields, row(buttons, "ft-buttons")]
        super().__init__(parts, fields, buttons)

    @property
    def draft(self) -> tuple[str, str] | None:
        """Title and comments if they differ from the saved ones, else None."""
        current = (self.title.value, self.comments.value)
        return None if current == self._saved else current


class ScoreBox(Form):
    """Risk and filter for scoring connections of an address, and undo.

    `score` is called with risk, filter (`peer`, `port` or `asn`) and its text.
    """

    def __init__(
        self, search: SearchResult, score: Callable[..., None], undo: Callable[[], None]
    ) -> None:
        self._search = search
        self.risk = widgets.Dropdown(description="Risk", options=_RISKS, style=_STYLE)
        self.by = widgets.Dropdown(
            description="Filter by",
            options=[(label, name) for name, label in _FILTERS.items()],
            style=_STYLE,
        )
        self.which = widgets.Combobox(continuous_update=False, style=_STYLE)
        self.button = widgets.Button(description="Score", icon="check")
        self.undo = widgets.Button(description="Undo", icon="undo")
        self.by.observe(lambda _: self._suggest(), "value")
        self.button.on_click(lambda _: score(self.risk.value, self.by.value, self.which.value))
        self.undo.on_click(lambda _: undo())
        self._suggest()
        fields, buttons = [self.risk, self.by, self.which], [self.button, self.undo]
        parts = [_heading("Score connections"), *fields, row(buttons, "ft-buttons")]
        super().__init__(parts, fields, buttons)

    def _suggest(self) -> None:
        self.which.description = _FILTERS[self.by.value]
        self.which.placeholder = "select or type"
        self.which.value = ""
        self.which.options = suggestions(self._search, self.by.value)


def row(children: list[widgets.Widget], style: str) -> widgets.Widget:
    """Return widgets side by side, with a CSS class."""
    return widgets.HBox(children).add_class(style)


def suggestions(search: SearchResult, by: str) -> tuple[str, ...]:
    """Return the `peer`, `port` or `asn` values to score by, by connections, descending."""
    if by == "port":
        ends = [search.connections[name] for name in ("src_port", "dst_port")]
        ports = pa.chunked_array([chunk for end in ends for chunk in end.chunks], pa.uint16())
        counted = (
            pa.table({"port": ports.drop_null()}).group_by("port").aggregate([([], "count_all")])
        )
        order = [("count_all", "descending"), ("port", "ascending")]
        top = counted.sort_by(order)["port"].slice(0, _MAX_SUGGESTIONS)
        return tuple(map(str, top.to_pylist()))
    peers = sort_peers(search.peers)
    if by == "peer":
        return tuple(peers["peer"].slice(0, _MAX_SUGGESTIONS).to_pylist())
    names = dict(zip(peers["asn"].to_pylist(), peers["as_name"].to_pylist(), strict=True))
    known = [(asn, name) for asn, name in names.items() if asn is not None]
    return tuple(
        sanitize(f"AS{asn} {name or ''}".strip(), 60) for asn, name in known[:_MAX_SUGGESTIONS]
    )


def parse_filter(by: str, text: str) -> dict[str, Any]:
    """Parse the text of a filter into a parameter of `FlowThreatInvestigation.score`.

    The text is addresses or ports, separated by commas or spaces; or one AS number, which a name
    can follow as in `suggestions`. Other text raises `ArgumentError`.

    Examples
    --------
    >>> parse_filter("port", "53, 443"), parse_filter("asn", "AS13335 Cloudflare, Inc.")
    ({'port': [53, 443]}, {'asn': 13335})
    """
    words = re.split(r"[,;\s]+", text.strip(" ,;\t"))
    if by == "peer" and words != [""]:
        return {"peer": words}
    if by == "asn" and (number := re.fullmatch(r"(?:AS)?(\d{1,10})", words[0], re.IGNORECASE)):
        return {"asn": int(number[1])}
    if by == "port" and all(re.fullmatch(r"\d{1,5}", word) for word in words):
        return {"port": [int(word) for word in words]}
    name = _FILTERS[by] if by == "asn" else _FILTERS[by].lower()
    problem = f"invalid {name} {text!r}" if text.strip() else f"no {name} given"
    raise ArgumentError(f"{problem}; choose one from the list or type one such as {_EXAMPLES[by]}")


def _options(threats: pa.Table) -> list[tuple[str, str]]:
    """Return addresses as label and value; labels align the numbers of flows."""
    addresses = threats["ip"].to_pylist()
    if "connections" not in threats.column_names:
        return [(ip, ip) for ip in addresses]
    counts = [f"{count:,}" for count in threats["connections"].to_pylist()]
    denied = [0] * len(counts)
    if "denied_connections" in threats.column_names:
        denied = threats["denied_connections"].to_pylist()
    address_width, count_width = (max(map(len, texts), default=0) for texts in (addresses, counts))
    space = "\N{NO-BREAK SPACE}"
    return [
        (
            f"{ip.ljust(address_width, space)}{space * 3}{count.rjust(count_width, space)} "
            f"flow{'' if count == '1' else 's'}{f', {refused:,} denied' if refused else ''}",
            ip,
        )
        for ip, count, refused in zip(addresses, counts, denied, strict=True)
    ]


def _status(
    history: pa.Table, saved: str | None, draft: tuple[str, str] | None
) -> list[widgets.Widget]:
    sentences = []
    if len(history):
        when = f" on {saved[:19].replace('T', ' ')} UTC" if saved else ""
        version = f" as version {len(history)}" if len(history) > 1 else ""
        sentences.append(f"Saved{when}{version}; all versions are listed below.")
    if draft:
        sentences.append("These changes are not saved.")
    return [widgets.HTML(f"<p>{escape(' '.join(sentences))}</p>")] if sentences else []


def _heading(text: str) -> widgets.Widget:
    return widgets.HTML(f"<h4>{escape(text)}</h4>")
