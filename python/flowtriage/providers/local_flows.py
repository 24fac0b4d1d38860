"""Flow logs in files, as a provider of flows."""

from __future__ import annotations

import os
from collections.abc import Iterable
from glob import has_magic
from pathlib import Path
from typing import Any

from flowtriage.read.flows import Flows
from flowtriage.read.read_flows import read_flows


class LocalFlows:
    """Flow logs in files, as a provider of flows.

    Parameters
    ----------
    paths
        Path of a log, or several; `*`, `?` and `**` stand for what a shell takes them for.
    format
        Short name of the format of all of them; None detects it from the content of each.

    Attributes
    ----------
    paths : list of pathlib.Path
        The files.
    format : str or None
        Their format, if it was given.

    Raises
    ------
    FileNotFoundError
        If there is no file of that path, or none that fits the pattern.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pyarrow.parquet
    >>> from flowtriage import sample
    >>> folder = Path(tempfile.mkdtemp())
    >>> pyarrow.parquet.write_table(sample.office_day(), folder / "day.parquet")
    >>> provider = LocalFlows(folder / "*.parquet")
    >>> provider.schema_tables
    ['day.parquet']
    """

    environment = "LocalFlows"
    connected = True

    def __init__(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        format: str | None = None,
    ) -> None:
        several = [paths] if isinstance(paths, (str, os.PathLike)) else paths
        self.paths = [found for path in several for found in _files(os.fspath(path))]
        self.format = format

    @property
    def schema_tables(self) -> list[str]:
        """Names of the files."""
        return [path.name for path in self.paths]

    def flows(self, timespan: Any = None) -> Flows:
        """Read the flows.

        Parameters
        ----------
        timespan
            Only flows that start within this span, as for `read_flows`.

        Returns
        -------
        Flows
            The flows of all files, in their order.

        Raises
        ------
        FormatError, OSError
            If a file cannot be read.
        """
        return read_flows(self.paths, format=self.format, timespan=timespan)

    def __repr__(self) -> str:
        """Show the files."""
        return f"LocalFlows({', '.join(map(str, self.paths))})"


def _files(path: str) -> list[Path]:
    whole = Path(path).expanduser()
    if whole.exists():
        return [whole]
    start = Path(whole.anchor)
    pattern = str(whole.relative_to(start))
    found = sorted(start.glob(pattern)) if has_magic(pattern) else []
    if not found:
        raise FileNotFoundError(2, "no such file, or none that fits the pattern", path)
    return found
