"""Read block lists as lines, CSV, STIX 2 and MISP into tables of entries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from flowtriage.enrich.reputation.severity import SEVERITY_WORDS, Severity
from flowtriage.errors import FormatError

ENTRY = pa.schema([(n, pa.string()) for n in ("position", "network", "severity", "details")])
_ADDRESS_COLUMNS = (
    *("network", "cidr", "prefix", "ip", "address", "ip_address", "ipaddress", "ip address"),
    *("dst_ip", "dstip", "src_ip", "srcip", "ioc", "ioc_value", "indicator", "value"),
)
_LINE = r"^\s*(?P<network>[^\s#;,]+)[\s#;,]*(?P<details>.*?)\s*$"
_NO_ENTRY = r"^\s*([#;].*|//.*)?$"
_FEED_INDICES = {"manifest", "hashes"}


def read_entries(path: Path) -> pa.Table:
    """Read a file of `BlockLists`; the content decides the format.

    Return `position` (line, row or id in the file), `network` (as written), `severity` (null
    where the list has none) and `details`.

    Raises
    ------
    FormatError
        If JSON is invalid or neither STIX nor MISP, or text is not UTF-8.
    """
    if path.is_dir():
        events = sorted(path.glob("*.json"))
        tables = [_json_entries(event) for event in events if event.stem not in _FEED_INDICES]
        return pa.concat_tables([ENTRY.empty_table(), *tables])
    text = _read(path)
    if text.lstrip()[:1] in ("{", "["):
        return _json_entries(path)
    lines = text.split("\n")
    header = _header(lines)
    return _text_entries(lines) if header is None else _csv_entries(lines, *header)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not UTF-8 text: {error}") from None


def _json_entries(path: Path) -> pa.Table:
    try:
        content = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is not JSON: {error}") from None
    return pa.Table.from_pylist(list(_indicators(path, content)), ENTRY)


def _indicators(path: Path, content: Any) -> Iterator[dict[str, str | None]]:
    if isinstance(content, dict) and content.get("type") == "bundle":
        return stix_entries(content)
    if isinstance(content, list) or content.keys() & {"Event", "response", "Attribute"}:
        return misp_entries(content)
    raise FormatError(f"{path} is neither a STIX 2 bundle nor a MISP event")


def _text_entries(lines: list[str]) -> pa.Table:
    numbered = pa.table({"position": _numbers("line", len(lines)), "line": lines})
    numbered = numbered.filter(pc.invert(pc.match_substring_regex(numbered["line"], _NO_ENTRY)))
    found = pc.extract_regex(numbered["line"], _LINE)
    parts = {name: pc.struct_field(found, name) for name in ("network", "details")}
    network = pc.coalesce(parts["network"], numbered["line"])
    severity = pa.nulls(len(network), pa.string())
    columns = [numbered["position"], network, severity, parts["details"]]
    return pa.table(columns, schema=ENTRY)


def _numbers(unit: str, count: int) -> pa.Array:
    number = pc.cast(pa.array(range(1, count + 1), pa.int64()), pa.string())
    return pc.binary_join_element_wise(unit, number, " ")


def _header(lines: list[str]) -> tuple[list[str], int] | None:
    """Find the CSV header: the first line that is not a remark, or the remark before it."""
    first = next((at for at, line in enumerate(lines) if line[:1] not in ("#", "", "\r")), None)
    if first is None:
        return None
    for at in (first, first - 1):
        cells = [cell.strip().strip('"').lower() for cell in lines[at].lstrip("# ").split(",")]
        if at >= 0 and len(cells) > 1 and set(cells) & set(_ADDRESS_COLUMNS):
            return cells, max(first, at + 1)
    return None


def _csv_entries(lines: list[str], names: list[str], skipped: int) -> pa.Table:
    unique = [name if names.index(name) == at else f"{name} {at}" for at, name in enumerate(names)]
    body = "\n".join(line for line in lines[skipped:] if not line.startswith("#"))
    table = csv.read_csv(
        pa.BufferReader(body.encode() + b"\n"),
        read_options=csv.ReadOptions(column_names=unique),
        parse_options=csv.ParseOptions(invalid_row_handler=lambda row: "skip"),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(unique, pa.string()), strings_can_be_null=False
        ),
    )
    network = next(name for name in _ADDRESS_COLUMNS if name in unique)
    facts = [name for name in unique if name not in (network, "severity")]
    labelled = [_labelled(name, table[name]) for name in facts]
    empty = pa.repeat("", len(table))
    details = pc.utf8_rtrim(pc.binary_join_element_wise(*labelled, empty, ""), "; ")
    severity = pa.nulls(len(table), pa.string())
    if "severity" in unique:
        words = pc.utf8_lower(table["severity"]).combine_chunks()
        index = pc.index_in(words, value_set=pa.array(SEVERITY_WORDS.keys()))
        labels = [None if s is Severity.UNKNOWN else s.label for s in SEVERITY_WORDS.values()]
        severity = pa.array(labels, pa.string()).take(index)
    columns = [_numbers("row", len(table)), pc.utf8_trim_whitespace(table[network])]
    return pa.table([*columns, severity, details], schema=ENTRY)


def _labelled(name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    labelled = pc.binary_join_element_wise(f"{name}: ", values, "; ", "")
    return pc.if_else(pc.equal(values, ""), "", labelled)


_ADDRESS = r"(?:ipv[46]-addr:value|network-traffic:(?:src|dst)_ref\.value)"
_STRING = r"'((?:[^'\\]|\\.)*)'"
_COMPARISON = re.compile(rf"{_ADDRESS}\s*(?:=|ISSUBSET)\s*{_STRING}")
_SET = re.compile(rf"{_ADDRESS}\s+IN\s*\(([^)]*)\)")
_MEMBER = re.compile(_STRING)
_GLUE = re.compile(r"[\s\[\]()]|OR")


def stix_entries(bundle: dict[str, Any]) -> Iterator[dict[str, str | None]]:
    """Yield the addresses of a bundle's indicators that are not revoked.

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
        whole = not _GLUE.sub("", _SET.sub("", _COMPARISON.sub("", pattern)))
        for address in _addresses(pattern):
            yield {
                "position": str(thing.get("id", "indicator")),
                "network": address,
                "severity": None if whole else Severity.WARNING.label,
                "details": _details(thing, None if whole else pattern),
            }


def _addresses(pattern: str) -> Iterator[str]:
    yield from _COMPARISON.findall(pattern)
    for members in _SET.findall(pattern):
        yield from _MEMBER.findall(members)


def _details(indicator: dict[str, Any], pattern: str | None) -> str:
    names = ("name", "description", "valid_from", "valid_until")
    facts = [f"{name}: {indicator[name]}" for name in names if indicator.get(name)]
    return "; ".join([*facts, *([f"part of {pattern}"] if pattern else [])])


_PART = {"ip-src": 0, "ip-dst": 0, "ip-src|port": 0, "ip-dst|port": 0, "domain|ip": 1}


def misp_entries(content: Any, event: str = "") -> Iterator[dict[str, str | None]]:
    """Yield the addresses of an event, of a list of events, or of an export of either.

    Attributes that are not meant for detection (`to_ids` is false) get severity information.
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
    facts = {"event": event, **{name: attribute.get(name) for name in ("category", "comment")}}
    return {
        "position": f"attribute {attribute.get('uuid')}",
        "network": parts[part] if part < len(parts) else None,
        "severity": None if attribute.get("to_ids", True) else Severity.INFORMATION.label,
        "details": "; ".join(f"{name}: {text}" for name, text in facts.items() if text),
    }
