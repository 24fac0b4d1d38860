"""Read block lists as lines, CSV, STIX 2 and MISP into tables of entries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.enrich.reputation.block_list_csv import records
from flowtriage.enrich.reputation.block_list_json import Entry, misp_entries, stix_entries
from flowtriage.enrich.reputation.block_list_networks import plain_networks
from flowtriage.enrich.reputation.severity import SEVERITY_WORDS, Severity
from flowtriage.errors import FormatError

ENTRY = pa.schema([(n, pa.string()) for n in ("position", "network", "severity", "details")])
_ADDRESS_COLUMNS = (
    *("network", "cidr", "prefix", "ip", "address", "ip_address", "ipaddress", "ip address"),
    *("dst_ip", "dstip", "src_ip", "srcip", "ioc", "ioc_value", "indicator", "value"),
)
_JSON = re.compile(r"\s*(?:\{|\[(?![\da-fA-F:.%]+\]))")
_LINE = r"^\s*(?P<network>[^\s#;,]+)[\s#;,]*(?P<details>.*?)\s*$"
_NO_ENTRY = r"^\s*([#;].*|//.*)?$"
_FEED_INDICES = {"manifest", "hashes"}


@dataclass(frozen=True)
class Entries:
    """Entries of a list, the number of those that are not valid now, and unreadable validities.

    The columns of `table` are `position` (line or id in the file), `network` (an address or CIDR
    prefix; as written if it is neither), `severity` (null where the list has none) and `details`.
    """

    table: pa.Table
    expired: int = 0
    undated: tuple[str, ...] = ()


def read_entries(path: Path, now: datetime | None = None) -> Entries:
    """Read a file of `BlockLists`; the content decides the format.

    Indicators of STIX and attributes of MISP are skipped outside of their validity, which is
    checked at the time `now`.

    Raises
    ------
    FormatError
        If JSON is invalid or neither STIX nor MISP, or text is not UTF-8.
    """
    now = now or datetime.now(UTC)
    if path.is_dir():
        events = sorted(path.glob("*.json"))
        parts = [_json_entries(event, now) for event in events if event.stem not in _FEED_INDICES]
        table = pa.concat_tables([ENTRY.empty_table(), *(part.table for part in parts)])
        undated = tuple(one for part in parts for one in part.undated)
        return Entries(table, sum(part.expired for part in parts), undated)
    text = _read(path)
    if _JSON.match(text):
        return _json_entries(path, now)
    lines = text.split("\n")
    header = _header(lines)
    table = _text_entries(lines) if header is None else _csv_entries(lines, *header)
    return Entries(_plain(table))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not UTF-8 text: {error}") from None


def _json_entries(path: Path, now: datetime) -> Entries:
    text = _read(path)
    try:
        content = json.loads(text)
        rows = list(_indicators(content, now))
        valid = [row for row in rows if row is not None]
        table = pa.Table.from_pylist(valid, ENTRY)
    except FormatError as error:
        raise FormatError(f"{path} {error}") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise FormatError(f"{path} is not JSON of a block list: {error}") from None
    undated = tuple(f"{row['position']}: {row['undated']}" for row in valid if row["undated"])
    return Entries(_plain(table), len(rows) - len(valid), undated)


def _indicators(content: Any, now: datetime) -> Iterator[Entry | None]:
    if isinstance(content, dict) and content.get("type") == "bundle":
        return stix_entries(content, now)
    if isinstance(content, list) or content.keys() & {"Event", "response", "Attribute"}:
        return misp_entries(content, now)
    raise FormatError("is neither a STIX 2 bundle nor a MISP event")


def _plain(entries: pa.Table) -> pa.Table:
    at = ENTRY.get_field_index("network")
    networks = plain_networks(entries["network"].combine_chunks())
    return entries.set_column(at, ENTRY.field(at), networks)


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
    at_network = next(unique.index(name) for name in _ADDRESS_COLUMNS if name in unique)
    positions, networks = [], []
    columns: list[list[str]] = [[] for _ in unique]
    for number, line, cells in records(lines, skipped, len(unique)):
        missing = len(unique) - len(cells)
        positions.append(f"line {number}")
        networks.append(cells[at_network].strip() if at_network < len(cells) else line)
        for column, cell in zip(columns, [*cells, *[""] * missing], strict=False):
            column.append(cell)
    table = pa.table(
        {name: pa.array(c, pa.string()) for name, c in zip(unique, columns, strict=True)}
    )
    facts = [name for name in unique if name not in (unique[at_network], "severity")]
    labelled = [_labelled(name, table[name]) for name in facts]
    empty = pa.repeat("", len(table))
    details = pc.utf8_rtrim(pc.binary_join_element_wise(*labelled, empty, ""), "; ")
    severity = pa.nulls(len(table), pa.string())
    if "severity" in unique:
        words = pc.utf8_lower(table["severity"]).combine_chunks()
        index = pc.index_in(words, value_set=pa.array(SEVERITY_WORDS.keys()))
        labels = [None if s is Severity.UNKNOWN else s.label for s in SEVERITY_WORDS.values()]
        severity = pa.array(labels, pa.string()).take(index)
    return pa.table([positions, networks, severity, details], schema=ENTRY)


def _labelled(name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    labelled = pc.binary_join_element_wise(f"{name}: ", values, "; ", "")
    return pc.if_else(pc.equal(values, ""), "", labelled)
