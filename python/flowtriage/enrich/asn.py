"""Autonomous systems and countries of addresses."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from flowtriage._core import AsnFiles
from flowtriage.enrich.online import Online, messages, without_result
from flowtriage.errors import ArgumentError, DatabaseError
from flowtriage.humanize import sanitize
from flowtriage.inputs.addresses import address_array, single_addresses
from flowtriage.inputs.texts import is_text, path_argument
from flowtriage.progress import report_progress

_DATA = Path(__file__).parents[1] / "data"
_BATCH = 64  # addresses between two reports of progress
_CREDITS = {
    "IP Geolocation by DB-IP": "https://db-ip.com",
    "Route Views": "https://www.routeviews.org",
    "Number Resource Organization": "https://www.nro.net",
}


@dataclass(frozen=True)
class DatabaseFile:
    """Metadata of one file of an `AsnDatabase`; the bundled files have a source and terms too.

    Attributes
    ----------
    path
        Path of the file.
    kind
        Database type in the file, such as `GeoLite2-ASN`.
    built
        Build time, UTC.
    description
        Description in the file.
    networks
        Number of networks with a record.
    source
        Package that it was built from.
    licences, attributions
        Terms of use, and the names to credit.
    warning
        Warning of its publisher.
    """

    path: str
    kind: str
    built: datetime
    description: str
    networks: int
    source: str | None = None
    licences: tuple[str, ...] = ()
    attributions: tuple[str, ...] = ()
    warning: str | None = None


class AsnDatabase:
    """Databases of autonomous systems and countries in MaxMind's format.

    Parameters
    ----------
    path
        A `.mmdb` file or several; each fact is taken from the first file that has it. None takes
        the bundled ASN and country databases.
    online
        Whether to look up public addresses online if no file has their ASN; `Online` has the
        settings. By default nothing is sent.

    Raises
    ------
    ArgumentError
        If an online service is neither https nor on this machine.
    FileNotFoundError, PermissionError
        If a file is missing or cannot be read.
    DatabaseError
        If a file is not in MaxMind's format.

    Examples
    --------
    >>> table = AsnDatabase().lookup(["8.8.8.8", "10.0.0.1"])
    >>> table["asn"].to_pylist(), table["as_name"].to_pylist()[1]
    ([15169, None], 'Private address')
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
        *,
        online: Online | bool = False,
    ) -> None:
        self._bundled = path is None
        self._online = Online() if online is True else online or None
        if path is None:
            path = [_DATA / "asn.mmdb", _DATA / "country.mmdb"]
        paths = [path] if isinstance(path, (str, os.PathLike)) else path
        self._files = AsnFiles([_path(p) for p in paths], self._online)

    def lookup(self, addresses: str | Iterable[Any] | pa.Array | pa.ChunkedArray) -> pa.Table:
        """Look up addresses.

        Parameters
        ----------
        addresses
            IPv4 and IPv6 addresses as strings or `ipaddress` objects, in a list, a pandas Series
            or an Arrow array; null and the empty string stand for a missing address.

        Returns
        -------
        pyarrow.Table
            One row per address, in the same order: `address` (canonical notation), `asn`
            (uint32), `as_name`, `country` (ISO 3166 code), `prefix` (network of the ASN record)
            and `ip_type` (Public, Private, Shared, Loopback, Link Local, Multicast, Unspecified,
            Reserved). `as_name` is never null: a non-public address has the name of its type, a
            public address without a record "No ASN record".

        Raises
        ------
        InputError
            If an address is invalid or a network; the message contains its row.
        DatabaseError
            If a file is damaged.

        Warns
        -----
        UserWarning
            If an online query failed; `ledger` has the reasons.
        """
        texts = address_array(addresses)
        with single_addresses():
            self.query_online(texts)
            return self._files.lookup(texts)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the paths and the settings; results of online queries are not kept."""
        paths = None if self._bundled else tuple(map(os.path.abspath, self.paths))
        return _reopened, (paths, self._online)

    @property
    def online(self) -> Online | None:
        """Settings of the online lookup; None where it is off."""
        return self._online

    def query_online(self, addresses: pa.Array) -> None:
        """Look up addresses online ahead of `lookup`, which uses the results from then on.

        Each address is queried once per database, whether the query succeeds or fails.

        Parameters
        ----------
        addresses
            IPv4 and IPv6 addresses as strings. Only public addresses without an ASN in the files
            are queried (see `Online.everything`).

        Raises
        ------
        InputError
            If an address is invalid.
        """
        if self._online is None:
            return
        before = without_result(self.ledger).num_rows
        wanted = self._files.pending(addresses)["address"].combine_chunks()
        for done in range(0, len(wanted), _BATCH):
            report_progress("online lookup", done, len(wanted))
            self._files.query(wanted.slice(done, _BATCH))
        if without_result(ledger := self.ledger).num_rows > before:
            warnings.warn(" ".join(messages(ledger)), stacklevel=3)

    @property
    def ledger(self) -> pa.Table:
        """Online queries and their results.

        One row per address and `service` (`origin` or `registration`): `status` (`result`,
        `no record`, `failed`, `not queried`), `cached` (whether the result came from the cache),
        `reason` (of a failure), `asn`, `name` (holder of the ASN, or registrant), `country`,
        `network`, and the `time` of the result.
        """
        return self._files.ledger()

    @property
    def credits(self) -> dict[str, str]:
        """Names and links to credit where results of the bundled databases are published."""
        return dict(_CREDITS) if self._bundled else {}

    @property
    def paths(self) -> list[str]:
        """Paths of the files, in order of precedence."""
        return [path for path, *_ in self._files.info()]

    @property
    def files(self) -> list[DatabaseFile]:
        """Metadata of each file; counting networks takes up to a second.

        Raises
        ------
        DatabaseError
            If a file is damaged.
        """
        metadata = zip(self._files.info(), self._files.count_networks(), strict=True)
        return [
            DatabaseFile(
                path=path,
                kind=kind,
                built=_built(path, epoch),
                description=description,
                networks=networks,
                **(_provenance(Path(path).name) if self._bundled else {}),
            )
            for (path, kind, epoch, description, _), networks in metadata
        ]

    def __repr__(self) -> str:
        """List the files."""
        names = ", ".join(f"{kind} ({path})" for path, kind, *_ in self._files.info())
        return f"AsnDatabase: {names}" + (", and online" if self._online else "")


def _built(path: str, epoch: int) -> datetime:
    try:
        return datetime.fromtimestamp(epoch, UTC)
    except (ValueError, OverflowError, OSError):
        raise DatabaseError(
            f"{sanitize(path)}: the database is damaged (build time {epoch} is impossible)"
        ) from None


def _provenance(name: str) -> dict[str, Any]:
    known = json.loads((_DATA / "sources.json").read_text(encoding="utf-8"))
    entry = next(e for e in known["databases"] if e["file"] == name)
    return {
        "source": f"{entry['package']} {entry['version']} (npm), published {entry['published']}",
        "licences": tuple(entry["licences"]),
        "attributions": tuple(entry["attributions"]),
        "warning": known["warning"],
    }


def as_database(asn: AsnDatabase | str | os.PathLike[str] | None) -> AsnDatabase:
    """Open the database of a parameter `asn`: a database, its path, `"online"`, or None."""
    if asn is None:
        return bundled()
    if isinstance(asn, AsnDatabase):
        return asn
    return AsnDatabase(online=True) if asn == "online" else AsnDatabase(asn)


def _reopened(paths: tuple[str, ...] | None, online: Online | None) -> AsnDatabase:
    if paths is None and online is None:
        return bundled()
    return AsnDatabase(paths, online=online or False)


@cache
def bundled() -> AsnDatabase:
    """Return the bundled databases, opened once."""
    return AsnDatabase()


def _path(path: str | os.PathLike[str]) -> str:
    text = path_argument(path)
    if not is_text(text):
        raise ArgumentError(f"{text!r}: the path of a database must be UTF-8; rename it")
    return text
