"""Entries of block lists in STIX 2 and MISP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias

from flowtriage.enrich.reputation.severity import Severity

Entry: TypeAlias = dict[str, str | None]
"""`position`, `network`, `severity` and `details`."""
_ADDRESS = r"(?:ipv[46]-addr:value|network-traffic:(?:src|dst)_ref\.value)"
_STRING = r"'((?:[^'\\]|\\.)*)'"
_COMPARISON = re.compile(rf"{_ADDRESS}\s*(?:=|ISSUBSET)\s*{_STRING}")
_SET = re.compile(rf"{_ADDRESS}\s+IN\s*\(([^)]*)\)")
_MEMBER = re.compile(_STRING)
_GLUE = re.compile(r"[\s\[\]()]|OR")
_SECONDS = 1 << 36
"""Larger times are in microseconds: in seconds, this is the year 4147."""


def stix_entries(bundle: dict[str, Any], now: datetime) -> Iterator[Entry | None]:
    """Yield the addresses of a bundle's indicators that are not revoked; None outside of validity.

    An address matches an indicator only in part if the pattern has conditions beyond addresses:
    such an entry is a warning, with the pattern in its details. Negating patterns are skipped.
    """
    objects = bundle.get("objects")
    for thing in objects if isinstance(objects, list) else ():
        if not isinstance(thing, dict) or thing.get("type") != "indicator":
            continue
        pattern = thing.get("pattern")
        language = thing.get("pattern_type", "stix")
        if not isinstance(pattern, str) or language != "stix" or thing.get("revoked") is True:
            continue
        if re.search(r"\bNOT\b|!=", pattern):
            continue
        valid = _is_within(thing.get("valid_from"), thing.get("valid_until"), now)
        whole = not _GLUE.sub("", _SET.sub("", _COMPARISON.sub("", pattern)))
        for address in _addresses(pattern):
            entry: Entry = {
                "position": str(thing.get("id", "indicator")),
                "network": address,
                "severity": None if whole else Severity.WARNING.label,
                "details": _details(thing, None if whole else pattern),
            }
            yield entry if valid else None


def _addresses(pattern: str) -> Iterator[str]:
    yield from _COMPARISON.findall(pattern)
    for members in _SET.findall(pattern):
        yield from _MEMBER.findall(members)


def _details(indicator: dict[str, Any], pattern: str | None) -> str:
    names = ("name", "description", "valid_from", "valid_until")
    facts = [f"{name}: {indicator[name]}" for name in names if indicator.get(name)]
    return "; ".join([*facts, *([f"part of {pattern}"] if pattern else [])])


_PART = {"ip-src": 0, "ip-dst": 0, "ip-src|port": 0, "ip-dst|port": 0, "domain|ip": 1}


def misp_entries(content: Any, now: datetime, event: str = "") -> Iterator[Entry | None]:
    """Yield the addresses of an event, of a list of events, or of an export of either.

    Attributes that are not meant for detection (`to_ids` is false) get severity information.
    Deleted attributes and objects are skipped; None stands for an attribute outside of the time
    from `first_seen` to `last_seen`.
    """
    if isinstance(content, list):
        for part in content:
            yield from misp_entries(part, now, event)
    if not isinstance(content, dict) or content.get("deleted") in (True, 1, "1", "true"):
        return
    event = str(content.get("info") or event)
    if content.get("type") in _PART:
        valid = _is_within(content.get("first_seen"), content.get("last_seen"), now)
        yield _entry(content, event) if valid else None
    for name in ("Event", "response", "Object", "Attribute"):
        yield from misp_entries(content.get(name), now, event)


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


def _is_within(first: Any, last: Any, now: datetime) -> bool:
    """Test whether a time is between two times of JSON; a missing or unreadable one is open."""
    start, end = _time(first), _time(last)
    return (start is None or start <= now) and (end is None or now < end)


def _time(value: Any) -> datetime | None:
    """Parse a time in ISO 8601, or of MISP in seconds or microseconds."""
    try:
        if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
            number = int(value)
            return datetime.fromtimestamp(number if number < _SECONDS else number / 1e6, UTC)
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
