"""Truth files: captures, what a detector should report, and what is left out of the count."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SURE, HARD = "sure", "hard"
UNKNOWN = "not stated"

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TruthError(Exception):
    """A truth file, or a capture that it names, cannot be used."""


@dataclass(frozen=True)
class Label:
    """One entry of `truth` or `ignore`; a field that the entry does not state is None."""

    kind: str | None
    source: str | None = None
    dest: str | None = None
    port: int | None = None
    protocol: str | None = None
    shape: str | None = None
    strength: str = UNKNOWN
    basis: str = UNKNOWN
    why: str = ""


@dataclass(frozen=True)
class Capture:
    """One file of a truth file."""

    file: str
    path: Path
    kind: str
    internal: tuple[str, ...]
    truth: tuple[Label, ...]
    ignore: tuple[Label, ...]
    negative_for: frozenset[str]
    rows: int | None = None
    hours: float | None = None
    networks: tuple[_Network, ...] = field(default=(), repr=False)

    @property
    def benign(self) -> bool:
        """Whether the hosts of the capture are clean."""
        return self.kind == "benign"

    def is_internal(self, address: str | None) -> bool:
        """Return whether an address is in the internal networks of the capture."""
        if address is None:
            return False
        parsed = ipaddress.ip_address(address)
        return any(parsed in network for network in self.networks)


def read_truth(path: Path, folder: Path | None = None) -> list[Capture]:
    """Read a truth file; captures are looked up in `folder`, by default that of the file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TruthError(f"{path}: no such file; give a truth file with --truth") from None
    except (OSError, ValueError) as error:
        raise TruthError(f"{path}: not a JSON file: {error}") from error
    files = document.get("files") if isinstance(document, dict) else document
    if not isinstance(files, list) or not files:
        raise TruthError(f'{path}: expected an object with a list "files" of captures')
    where = folder if folder is not None else path.parent
    captures = [
        _capture(entry, where, f"{path}: files[{position}]") for position, entry in enumerate(files)
    ]
    missing = [capture.file for capture in captures if not capture.path.is_file()]
    if missing:
        raise TruthError(
            f"{where}: {len(missing)} of {len(captures)} captures are absent, such as "
            f"{missing[0]}; give the folder with --data"
        )
    return captures


def _capture(entry: Any, folder: Path, where: str) -> Capture:
    if not isinstance(entry, dict) or not isinstance(entry.get("file"), str):
        raise TruthError(f'{where}: expected an object with the name of a "file"')
    where = f"{where} ({entry['file']})"
    internal = tuple(_list(entry, "internal", where))
    return Capture(
        file=entry["file"],
        path=folder / entry["file"],
        kind=str(entry.get("kind") or entry["file"].partition("/")[0]),
        internal=internal,
        truth=tuple(_labels(entry, "truth", where)),
        ignore=tuple(_labels(entry, "ignore", where)),
        negative_for=frozenset(_list(entry, "negative_for", where)),
        rows=entry.get("rows"),
        hours=entry.get("span_h"),
        networks=tuple(_network(text, f"{where}: internal") for text in internal),
    )


def _list(entry: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = entry.get(name) or []
    if not isinstance(value, list):
        raise TruthError(f"{where}: {name} must be a list, got {value!r}")
    return value


def _labels(entry: Mapping[str, Any], name: str, where: str) -> Iterable[Label]:
    for position, label in enumerate(_list(entry, name, where)):
        place = f"{where}: {name}[{position}]"
        if not isinstance(label, dict):
            raise TruthError(f"{place}: expected an object, got {label!r}")
        if name == "truth" and not label.get("detector"):
            raise TruthError(f'{place}: "detector" is missing')
        if name == "truth" and not (label.get("src") or label.get("dst")):
            raise TruthError(f'{place}: give "src" or "dst"')
        yield _label(label, place)


def _label(label: Mapping[str, Any], where: str) -> Label:
    port = label.get("port")
    if port is not None and not (isinstance(port, int) and 0 <= port <= 65535):
        raise TruthError(f"{where}: port must be 0 to 65535, got {port!r}")
    protocol = label.get("proto")
    return Label(
        kind=label.get("detector"),
        source=_address(label.get("src"), f"{where}: src"),
        dest=_address(label.get("dst"), f"{where}: dst"),
        port=port,
        protocol=None if protocol is None else str(protocol).lower(),
        shape=label.get("shape"),
        strength=label.get("strength") or UNKNOWN,
        basis=label.get("basis") or UNKNOWN,
        why=label.get("why") or "",
    )


def _address(text: Any, where: str) -> str | None:
    if text is None:
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise TruthError(f"{where}: {text!r} is not an IP address") from None


def _network(text: Any, where: str) -> _Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise TruthError(f"{where}: {text!r} is not a network; give CIDR prefixes") from None
