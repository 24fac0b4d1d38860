"""Known networks: their services are updates, telemetry, push messages and popular sites."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pyarrow import ArrowInvalid, csv

from flowtriage.errors import InputError
from flowtriage.inputs.texts import path_argument

KNOWN_NETWORKS = Path(__file__).parents[1] / "data" / "known_networks.csv"
"""The bundled list; its first lines name the source and the date."""
KnownNetworks = Sequence[tuple[str, str]]
"""Pairs of network (AS number or CIDR prefix) and name."""


def known_networks(path: str | os.PathLike[str] | None = None) -> KnownNetworks:
    """Read a list of known networks.

    Parameters
    ----------
    path
        CSV file with the columns `network` (`AS8075` or a CIDR prefix) and `name`; lines that
        start with `#` are comments. None means the bundled list.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    InputError
        If the file lacks a column.

    Examples
    --------
    >>> ("AS8075", "Microsoft") in known_networks()
    True
    """
    return _bundled() if path is None else _read(Path(path_argument(path)))


@cache
def _bundled() -> KnownNetworks:
    return _read(KNOWN_NETWORKS)


def _read(path: Path) -> KnownNetworks:
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = sum(1 for line in lines if line.startswith("#"))
    try:
        table = csv.read_csv(path, read_options=csv.ReadOptions(skip_rows=comments))
        columns = [table[name].to_pylist() for name in ("network", "name")]
    except (ArrowInvalid, KeyError) as error:
        raise InputError(
            f"{path}: not a list of known networks ({error}); give a CSV file with the columns "
            "network and name"
        ) from error
    return list(zip(map(str, columns[0]), map(str, columns[1]), strict=True))
