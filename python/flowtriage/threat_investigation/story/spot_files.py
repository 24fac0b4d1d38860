"""Files of a story in Spot's format: globe, stats and dendrogram."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from flowtriage.atomic import replacing
from flowtriage.errors import ArgumentError
from flowtriage.humanize import sanitize
from flowtriage.inputs.addresses import parse_address
from flowtriage.threat_investigation.story.globe import Globe, Location
from flowtriage.threat_investigation.story.trees import Dendrogram, Stats

_MAX_SHOWN = 200


@dataclass(frozen=True)
class StoryFiles:
    """Paths of the files of one address.

    Attributes
    ----------
    globe, stats, dendrogram
        Paths of `globe-<ip>.json`, `stats-<ip>.json` and `threat-dendro-<ip>.json`.
    """

    globe: Path
    stats: Path
    dendrogram: Path


def safe_ip(ip: str) -> str:
    """Return an address in a form that is safe in file names.

    Replaces each ``.`` and ``:`` of the canonical address by ``_``. Names are unique: IPv4 has
    three single ``_``, IPv6 has seven or a double one.

    Examples
    --------
    >>> safe_ip("10.0.0.1"), safe_ip("2001:DB8::1")
    ('10_0_0_1', '2001_db8__1')
    """
    address = parse_address(ip)
    if address is None or "%" in ip:
        shown = sanitize(repr(ip), _MAX_SHOWN)
        raise ArgumentError(f"invalid address {shown}; give IPv4 or IPv6 without a zone")
    return re.sub("[.:]", "_", address)


def story_files(folder: str | os.PathLike[str], ip: str) -> StoryFiles:
    """Return the paths of the files of an address, which need not exist."""
    folder, name = Path(folder), safe_ip(ip)
    kinds = ("globe", "stats", "threat-dendro")
    return StoryFiles(*(folder / f"{kind}-{name}.json" for kind in kinds))


def write_files(
    folder: str | os.PathLike[str], ip: str, sets: pa.Table, *, origin: Location | None = None
) -> StoryFiles:
    """Write the three files of an address, each replaced atomically.

    Parameters
    ----------
    folder
        Directory of the files; created if missing.
    ip
        Investigated address.
    sets
        Result of `flowtriage.connection_sets` with the columns `context`, `location`, `latitude`
        and `longitude` (degrees).
    origin
        Location of the address itself; None if unknown.

    Returns
    -------
    StoryFiles
        Paths of the files.

    Raises
    ------
    ArgumentError
        If `ip` is invalid.
    InputError
        If `sets` lacks a column or has an unknown direction.
    OSError
        If a file cannot be written.
    """
    files = story_files(folder, ip)
    texts = {
        files.globe: Globe.of(sets, origin).to_json(),
        files.stats: Stats.of(sets, ip).to_json(),
        files.dendrogram: Dendrogram.of(sets, ip).to_json(),
    }
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        with replacing(path) as file:
            file.write(text.encode())
    return files


def read_globe(path: str | os.PathLike[str]) -> Globe:
    """Read a `globe-<ip>.json` from flowtriage or Spot.

    Raises
    ------
    FileNotFoundError, PermissionError
        If the file cannot be read.
    FormatError
        If the content is not a globe; the message states the position.
    """
    return Globe.from_json(*_content(path))


def read_stats(path: str | os.PathLike[str]) -> Stats:
    """Read a `stats-<ip>.json`; see `read_globe`."""
    return Stats.from_json(*_content(path))


def read_dendrogram(path: str | os.PathLike[str]) -> Dendrogram:
    """Read a `threat-dendro-<ip>.json`; see `read_globe`."""
    return Dendrogram.from_json(*_content(path))


def _content(path: str | os.PathLike[str]) -> tuple[bytes, str]:
    return Path(path).read_bytes(), sanitize(str(path), _MAX_SHOWN)
