"""Addresses in the attributes of MISP events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_PART = {"ip-src": 0, "ip-dst": 0, "ip-src|port": 0, "ip-dst|port": 0, "domain|ip": 1}


def misp_entries(content: Any, event: str = "") -> Iterator[dict[str, str | None]]:
    """Yield the addresses of an event, of a list of events, or of an export of either.

    Attributes that are not meant for detection (`to_ids` is false) are told as information.
    """
    if isinstance(content, list):
        for part in content:
            yield from misp_entries(part, event)
    if not isinstance(content, dict):
        return
    event = str(content.get("info") or event)
    if content.get("type") in _PART:
        yield _entry(content, event)
    for name in ("Event", "response", "Object", "Attribute"):
        yield from misp_entries(content.get(name), event)


def _entry(attribute: dict[str, Any], event: str) -> dict[str, str | None]:
    parts = str(attribute.get("value")).split("|")
    part = _PART[attribute["type"]]
    told = {"event": event, **{name: attribute.get(name) for name in ("category", "comment")}}
    return {
        "place": f"attribute {attribute.get('uuid')}",
        "network": parts[part] if part < len(parts) else None,
        "severity": None if attribute.get("to_ids", True) else "information",
        "details": "; ".join(f"{name}: {text}" for name, text in told.items() if text),
    }
