"""Entries of block lists in STIX 2 and MISP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from flowtriage.enrich.reputation.severity import Severity

Entry: TypeAlias = dict[str, str | None]
"""`position`, `network`, `severity`, `details`, and `undated`: a validity that is unreadable."""
_OBJECT = r"(?<![\w:-])(?:ipv[46]-addr:value|network-traffic:(?:src|dst)_ref\.value)"
_COMPARISON = re.compile(rf"{_OBJECT}\s*(?:=|ISSUBSET)\s*'(\d+)'")
_SET = re.compile(rf"{_OBJECT}\s+IN\s*\(([^)]*)\)")
_MEMBER = re.compile(r"'(\d+)'")
_GLUE = re.compile(r"[\s\[\]()]|OR")
_LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'|\"(?:[^\"\\]|\\.)*\"")
_NEGATION = re.compile(r"\bNOT\b|!=")
_OF_ADDRESSES = re.compile(r"(?<![\w:-])(?:ipv[46]-addr:|network-traffic:(?:src|dst)_ref)")
_ANY_COMPARISON = re.compile(
    r"[\w-]+:[^\s=<>!]+\s*(?:=|[<>]|!=|(?:NOT\s+)?(?:IN|LIKE|MATCHES|ISSUBSET|ISSUPERSET)\b)|EXISTS"
)
_SECONDS = 1 << 36
"""Larger times are in microseconds: in seconds, this is the year 4147."""


def stix_entries(bundle: dict[str, Any], now: datetime) -> Iterator[Entry | None]:
    """Yield the addresses of a bundle's indicators; None for one that is revoked or not valid now.

    An address matches an indicator only in part if the pattern has conditions beyond addresses:
    such an entry is a warning, with the pattern in its details. The entry of a pattern of addresses
    that has none to look up, such as a negation, and of one that cannot be parsed, has the pattern
    as its network. Patterns of other objects are skipped.
    """
    objects = bundle.get("objects")
    for thing in objects if isinstance(objects, list) else ():
        if isinstance(thing, dict) and thing.get("type") == "indicator":
            if thing.get("revoked") is True:
                yield None
            else:
                yield from _indicator_entries(thing, now)


def _indicator_entries(thing: dict[str, Any], now: datetime) -> Iterator[Entry | None]:
    pattern = thing.get("pattern")
    if not isinstance(pattern, str) or thing.get("pattern_type", "stix") != "stix":
        networks, whole = [str(pattern)], True
    else:
        networks, whole = _networks(pattern)
    window = Window.of(thing, ("valid_from", "valid_until"))
    for network in networks:
        entry: Entry = {
            "position": str(thing.get("id", "indicator")),
            "network": network,
            "severity": None if whole else Severity.WARNING.label,
            "details": _details(thing, None if whole else pattern),
            "undated": window.problem,
        }
        yield entry if window.contains(now) else None


def _networks(pattern: str) -> tuple[list[str], bool]:
    """Return the addresses of a STIX pattern, and whether it is about nothing else.

    Instead of an address, it is the pattern if its comparisons of addresses are of other kinds, or
    if it has no comparison.
    """
    literals: list[str] = []

    def number(found: re.Match[str]) -> str:
        literals.append(found[1] or "")
        return f"'{len(literals) - 1}'"

    masked = _LITERAL.sub(number, pattern)
    if not _ANY_COMPARISON.search(masked):
        return [pattern], True
    if not _OF_ADDRESSES.search(masked):
        return [], True
    numbers = _COMPARISON.findall(masked)
    for members in _SET.findall(masked):
        numbers += _MEMBER.findall(members)
    if not numbers or _NEGATION.search(masked):
        return [pattern], True
    whole = not _GLUE.sub("", _SET.sub("", _COMPARISON.sub("", masked)))
    return [literals[int(number)] for number in numbers], whole


def _details(indicator: dict[str, Any], pattern: str | None) -> str:
    names = ("name", "description", "valid_from", "valid_until")
    facts = [f"{name}: {indicator[name]}" for name in names if indicator.get(name)]
    return "; ".join([*facts, *([f"part of {pattern}"] if pattern else [])])


_PART = {"ip-src": 0, "ip-dst": 0, "ip-src|port": 0, "ip-dst|port": 0, "domain|ip": 1}


def misp_entries(
    content: Any, now: datetime, event: str = "", window: Window | None = None
) -> Iterator[Entry | None]:
    """Yield the addresses of an event, of a list of events, or of an export of either.

    Attributes that are not meant for detection (`to_ids` is false) get severity information.
    Deleted attributes and objects are skipped; None stands for an attribute outside of the time
    from `first_seen` to `last_seen`, its own or that of its object.
    """
    if isinstance(content, list):
        for part in content:
            yield from misp_entries(part, now, event, window)
    if not isinstance(content, dict) or content.get("deleted") in (True, 1, "1", "true"):
        return
    event = str(content.get("info") or event)
    window = Window.of(content, ("first_seen", "last_seen"), window)
    if content.get("type") in _PART:
        entry = {**_entry(content, event), "undated": window.problem}
        yield entry if window.contains(now) else None
    for name in ("Event", "response", "Object", "Attribute"):
        yield from misp_entries(content.get(name), now, event, window)


def _entry(attribute: dict[str, Any], event: str) -> Entry:
    parts = str(attribute.get("value")).split("|")
    part = _PART[attribute["type"]]
    facts = {"event": event, **{name: attribute.get(name) for name in ("category", "comment")}}
    return {
        "position": f"attribute {attribute.get('uuid')}",
        "network": parts[part] if part < len(parts) else None,
        "severity": None if attribute.get("to_ids", True) else Severity.INFORMATION.label,
        "details": "; ".join(f"{name}: {text}" for name, text in facts.items() if text),
    }


@dataclass(frozen=True)
class Window:
    """The time in which an entry is valid; an end that is missing or unreadable is open."""

    start: datetime | None = None
    end: datetime | None = None
    problem: str | None = None

    @classmethod
    def of(
        cls, thing: dict[str, Any], names: tuple[str, str], outer: Window | None = None
    ) -> Window:
        """Return the window of an object of JSON; what it lacks is that of the outer one."""
        outer = outer or cls()
        given = {name: thing[name] for name in names if thing.get(name) not in (None, "")}
        times = {name: _time(value) for name, value in given.items()}
        unreadable = [f"{name} {given[name]!r}" for name, time in times.items() if time is None]
        first, last = names
        start, end = times.get(first, outer.start), times.get(last, outer.end)
        return cls(start, end, ", ".join(unreadable) or outer.problem)

    def contains(self, now: datetime) -> bool:
        """Return whether a time is within the window."""
        return (self.start is None or self.start <= now) and (self.end is None or now < self.end)


def _time(value: Any) -> datetime | None:
    """Parse a time in ISO 8601, or of MISP in seconds or microseconds; None if unreadable."""
    try:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number or (isinstance(value, str) and value.isdecimal()):
            number = float(value)
            return datetime.fromtimestamp(number if number < _SECONDS else number / 1e6, UTC)
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
