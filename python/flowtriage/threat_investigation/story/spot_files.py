"""The files of a story: `globe-<ip>.json`, `stats-<ip>.json` and `threat-dendro-<ip>.json`."""

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

_SHOWN = 200


@dataclass(frozen=True)
class StoryFiles:
    """Where the files of one address are.

    Attributes
    ----------
    globe, stats, dendrogram
        Their paths.
    """

    globe: Path
    stats: Path
    dendrogram: Path


def safe_ip(ip: str) -> str:
    """Return an address as it stands in the name of a file.

    The address is made canonical, then each ``.`` and ``:`` becomes ``_``. No two addresses share
    a name: IPv4 has three single ``_``, IPv6 has seven, or a double one.

    Raises
    ------
    ArgumentError
        If this is no address, or one with a zone such as ``%eth0``.

    Examples
    --------
    >>> safe_ip("10.0.0.1"), safe_ip("2001:DB8::1")
    ('10_0_0_1', '2001_db8__1')
    """
    address = parse_address(ip)
    if address is None or "%" in ip:
        raise ArgumentError(f"{sanitize(repr(ip), _SHOWN)} is no IPv4 or IPv6 address")
    return re.sub("[.:]", "_", address)


def story_files(folder: str | os.PathLike[str], ip: str) -> StoryFiles:
    """Return where the files of an address are, whether they exist or not.

    Raises
    ------
    ArgumentError
        If `ip` is no address.
    """
    folder, name = Path(folder), safe_ip(ip)
    kinds = ("globe", "stats", "threat-dendro")
    return StoryFiles(*(folder / f"{kind}-{name}.json" for kind in kinds))


def story_file(folder: str | os.PathLike[str], ip: str, suffix: str) -> Path:
    """Return where the story of an address is as one file: `story-<ip>.<suffix>`.

    Raises
    ------
    ArgumentError
        If `ip` is no address.
    """
    return Path(folder) / f"story-{safe_ip(ip)}.{suffix}"


def write_files(
    folder: str | os.PathLike[str], ip: str, sets: pa.Table, *, home: Location | None = None
) -> StoryFiles:
    """Write the three files of an address.

    Each file takes the place of an earlier one at once and whole.

    Parameters
    ----------
    folder
        Where to; it is made if it is absent.
    ip
        The address that was investigated.
    sets
        Result of `flowtriage.connection_sets` with the columns `context`, `location`, `latitude`
        and `longitude` (degrees).
    home
        Where the address itself is, if that is known.

    Returns
    -------
    StoryFiles
        Their paths.

    Raises
    ------
    ArgumentError
        If `ip` is no address.
    InputError
        If `sets` lacks a column.
    OSError
        If a file cannot be written.
    """
    files = story_files(folder, ip)
    texts = {
        files.globe: Globe.of(sets, home).to_json(),
        files.stats: Stats.of(sets, ip).to_json(),
        files.dendrogram: Dendrogram.of(sets, ip).to_json(),
    }
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        with replacing(path) as file:
            file.write(text.encode())
    return files


def read_globe(path: str | os.PathLike[str]) -> Globe:
    """Read a `globe-<ip>.json`, whether flowtriage or Spot wrote it.

    Raises
    ------
    FileNotFoundError, PermissionError
        As the operating system says.
    FormatError
        If the file is damaged or something else; the message says where.
    """
    return Globe.from_json(*_content(path))


def read_stats(path: str | os.PathLike[str]) -> Stats:
    """Read a `stats-<ip>.json`; see `read_globe`."""
    return Stats.from_json(*_content(path))


def read_dendrogram(path: str | os.PathLike[str]) -> Dendrogram:
    """Read a `threat-dendro-<ip>.json`; see `read_globe`."""
    return Dendrogram.from_json(*_content(path))


def _content(path: str | os.PathLike[str]) -> tuple[bytes, str]:
    return Path(path).read_bytes(), sanitize(str(path), _SHOWN)
