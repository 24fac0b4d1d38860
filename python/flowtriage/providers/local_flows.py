"""Query provider of flow logs in files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from glob import has_magic
from pathlib import Path

from flowtriage.inputs.timespan import TimespanLike
from flowtriage.read.flows import Flows
from flowtriage.read.read_flows import read_flows


class LocalFlows:
    """A query provider of flow logs in files.

    Parameters
    ----------
    paths
        Path of a log, or several; `*`, `?` and `**` are wildcards as in a shell.
    format
        Short name of the format of all files; None detects it from the content of each file.

    Attributes
    ----------
    paths : list of pathlib.Path
        The files.
    format : str or None
        The format, if given.

    Raises
    ------
    FileNotFoundError
        If there is no file at a path, or none matches a pattern.

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
        given = [paths] if isinstance(paths, (str, os.PathLike)) else paths
        self.paths = [file for path in given for file in _files(os.fspath(path))]
        self.format = format

    @property
    def schema_tables(self) -> list[str]:
        """Names of the files."""
        return [path.name for path in self.paths]

    def flows(self, timespan: TimespanLike | None = None) -> Flows:
        """Read the flows.

        Parameters
        ----------
        timespan
            Timespan of the flows' start times, as for `read_flows`.

        Returns
        -------
        Flows
            The flows of all files, in the order of the files.

        Raises
        ------
        FormatError, OSError
            If a file cannot be read.
        """
        return read_flows(self.paths, format=self.format, timespan=timespan)

    def __repr__(self) -> str:
        """Return the class name and the files."""
        return f"LocalFlows({', '.join(map(str, self.paths))})"


def _files(path: str) -> list[Path]:
    full = Path(path).expanduser()
    if full.exists():
        return [full]
    root = Path(full.anchor)
    pattern = str(full.relative_to(root))
    files = sorted(root.glob(pattern)) if has_magic(pattern) else []
    if not files:
        raise FileNotFoundError(2, "no such file, and no file matches the pattern", path)
    return files
