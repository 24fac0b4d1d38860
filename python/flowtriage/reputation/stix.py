"""Addresses in the indicators of a STIX 2 bundle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_ADDRESS = r"(?:ipv[46]-addr:value|network-traffic:(?:src|dst)_ref\.value)"
_TEXT = r"'((?:[^'\\]|\\.)*)'"
_COMPARISON = re.compile(rf"{_ADDRESS}\s*(?:=|ISSUBSET)\s*{_TEXT}")
_SET = re.compile(rf"{_ADDRESS}\s+IN\s*\(([^)]*)\)")
_ONE_OF_SET = re.compile(_TEXT)
_ALONE = re.compile(r"[\s\[\]()]|OR")


def stix_entries(bundle: dict[str, Any]) -> Iterator[dict[str, str | None]]:
    """Yield the addresses of a bundle's indicators that are not revoked.

    An indicator whose pattern asks for more than addresses is met only in part by an address:
    it is told as a warning, with its pattern. A pattern that negates is left out.
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
        rest = _SET.sub("", _COMPARISON.sub("", pattern))
        whole = not _ALONE.sub("", rest)
        for address in _addresses(pattern):
            yield {
                "place": str(thing.get("id", "indicator")),
                "network": address,
                "severity": None if whole else "warning",
                "details": _details(thing, None if whole else pattern),
            }


def _addresses(pattern: str) -> Iterator[str]:
    yield from _COMPARISON.findall(pattern)
    for members in _SET.findall(pattern):
        yield from _ONE_OF_SET.findall(members)


def _details(indicator: dict[str, Any], pattern: str | None) -> str:
    names = ("name", "description", "valid_from", "valid_until")
    told = [f"{name}: {indicator[name]}" for name in names if indicator.get(name)]
    return "; ".join([*told, *([f"part of {pattern}"] if pattern else [])])
