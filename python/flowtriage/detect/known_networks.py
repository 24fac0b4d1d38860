"""Known networks: their services are updates, telemetry, push messages and popular sites."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
from pyarrow import csv

from flowtriage.errors import InputError
from flowtriage.inputs.texts import path_argument

KNOWN_NETWORKS = Path(__file__).parents[1] / "data" / "known_networks.csv"
"""The bundled list; its first lines name the source and the date."""
KnownNetworks: TypeAlias = Sequence[tuple[str, str, bool]]
"""Network (AS number or CIDR prefix), name, and whether it is shared."""

_COLUMNS = ("network", "name", "shared")
_WORDS = {"yes": True, "no": False}


def known_networks(path: str | os.PathLike[str] | None = None) -> KnownNetworks:
    """Read a list of known networks.

    Parameters
    ----------
    path
        CSV file with the columns `network` (`AS8075` or a CIDR prefix), `name` and `shared` (yes
        or no: the organisation rents servers to anybody, so the network only counts on the ports
        of web, mail and push services); lines at the start with `#` are comments. None means the
        bundled list.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    InputError
        If the file lacks a column, or `shared` is neither yes nor no.

    Examples
    --------
    >>> ("AS8075", "Microsoft", True) in known_networks()
    True
    """
    return _bundled() if path is None else _read(Path(path_argument(path)))


@cache
def _bundled() -> KnownNetworks:
    return _read(KNOWN_NETWORKS)


def _read(path: Path) -> KnownNetworks:
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = sum(1 for line in lines if line.startswith("#"))
    text = csv.ConvertOptions(column_types=dict.fromkeys(_COLUMNS, pa.string()))
    try:
        table = csv.read_csv(
            path, read_options=csv.ReadOptions(skip_rows=comments), convert_options=text
        )
        networks, names, shared = (table[name].to_pylist() for name in _COLUMNS)
    except (pa.ArrowInvalid, KeyError) as error:
        raise InputError(
            f"{path}: not a list of known networks ({error}); give a CSV file with the columns "
            f"{', '.join(_COLUMNS)}"
        ) from error
    if unclear := [value for value in shared if value not in _WORDS]:
        raise InputError(f"{path}: shared is {unclear[0]!r}; give yes or no")
    return list(zip(networks, names, map(_WORDS.__getitem__, shared), strict=True))
