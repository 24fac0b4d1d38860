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
from flowtriage.enrich.online import Online, lost, messages
from flowtriage.inputs.addresses import address_array
from flowtriage.progress import report_progress

_DATA = Path(__file__).parents[1] / "data"
_AT_ONCE = 64  # addresses between two words on progress
_CREDITS = {
    "IP Geolocation by DB-IP": "https://db-ip.com",
    "Route Views": "https://www.routeviews.org",
    "Number Resource Organization": "https://www.nro.net",
}


@dataclass(frozen=True)
class DatabaseFile:
    """What is known of one file of an `AsnDatabase`.

    Attributes
    ----------
    path
        The file.
    kind
        Type that the file states, such as `GeoLite2-ASN`.
    built
        When it was built, UTC.
    description
        What the file says of itself.
    networks
        Number of networks with a record.
    source
        Package that it was built from, of an embedded file.
    licences, attributions
        Terms of an embedded file, and whom to name.
    warning
        What its publisher warns of, of an embedded file.
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
        A `.mmdb` file, or several; each fact is taken from the first that knows it. None takes
        the ASN and country databases shipped with flowtriage.
    online
        Whether to ask online about public addresses whose ASN no file knows; `Online` has the
        settings. Nothing is sent anywhere by default.

    Raises
    ------
    ArgumentError
        If a service online is neither https nor this machine.
    FileNotFoundError, PermissionError
        As the operating system says.
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
        self._embedded = path is None
        self._online = Online() if online is True else online or None
        if path is None:
            paths: Sequence[str | os.PathLike[str]] = [_DATA / "asn.mmdb", _DATA / "country.mmdb"]
        elif isinstance(path, (str, os.PathLike)):
            paths = [path]
        else:
            paths = path
        self._files = AsnFiles([os.fspath(p) for p in paths], self._online)

    def lookup(self, addresses: str | Iterable[Any] | pa.Array | pa.ChunkedArray) -> pa.Table:
        """Look up addresses.

        Parameters
        ----------
        addresses
            IPv4 and IPv6 addresses as text or `ipaddress` objects, in a list, a pandas Series or
            an Arrow array; null and empty text stand for a missing address.

        Returns
        -------
        pyarrow.Table
            One row per address, in the order given: `address` (canonical text), `asn` (uint32),
            `as_name`, `country` (ISO 3166 code), `prefix` (network of the ASN record) and
            `ip_type` (Public, Private, Shared, Loopback, Link Local, Multicast, Unspecified,
            Reserved). `as_name` is never null: what is not public is named by its type, and a
            public address without a record is called "No ASN record".

        Raises
        ------
        InputError
            If a text is not an address; the message tells its row.
        DatabaseError
            If a file proves damaged.

        Warns
        -----
        UserWarning
            If a question online was left without an answer; `ledger` tells which and why.
        """
        texts = address_array(addresses)
        self.ask(texts)
        return self._files.lookup(texts)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the paths and the settings; results of online queries are not kept."""
        paths = None if self._embedded else tuple(map(os.path.abspath, self.paths))
        return _reopened, (paths, self._online)

    @property
    def online(self) -> Online | None:
        """Settings of the look-up online, or None where there is none."""
        return self._online

    def ask(self, addresses: pa.Array) -> None:
        """Ask online about addresses, as `lookup` does, which knows the answers from then on.

        A database asks about an address once, whether there was an answer or not.

        Parameters
        ----------
        addresses
            IPv4 and IPv6 addresses as text. Of these, public ones are asked about if no file
            knows their ASN (see `Online.everything`).

        Raises
        ------
        InputError
            If a text is not an address.
        """
        if self._online is None:
            return
        before = lost(self.ledger).num_rows
        wanted = self._files.to_ask(addresses)["address"].combine_chunks()
        for done in range(0, len(wanted), _AT_ONCE):
            report_progress("asking online", done, len(wanted))
            self._files.ask(wanted.slice(done, _AT_ONCE))
        if lost(ledger := self.ledger).num_rows > before:
            warnings.warn(" ".join(messages(ledger)), stacklevel=3)

    @property
    def ledger(self) -> pa.Table:
        """What was asked online, and what became of each question.

        A row per address and `service` (`origin` or `registration`): `status` (`answered`,
        `no record`, `failed`, `not asked`), `cached` (whether the answer was kept from earlier),
        `reason` (of a failure), `asn`, `name` (holder of the ASN, or registrant), `country`,
        `network`, and the `time` of the answer.
        """
        return self._files.ledger()

    @property
    def credits(self) -> dict[str, str]:
        """Whom to name, with links, where results of the embedded databases are published."""
        return dict(_CREDITS) if self._embedded else {}

    @property
    def paths(self) -> list[str]:
        """Paths of the files, in the order in which they are asked."""
        return [path for path, *_ in self._files.info()]

    @property
    def files(self) -> list[DatabaseFile]:
        """What is known of each file; counting networks takes up to a second."""
        described = zip(self._files.info(), self._files.count_networks(), strict=True)
        return [
            DatabaseFile(
                path=path,
                kind=kind,
                built=datetime.fromtimestamp(epoch, UTC),
                description=description,
                networks=networks,
                **(_provenance(Path(path).name) if self._embedded else {}),
            )
            for (path, kind, epoch, description, _), networks in described
        ]

    def __repr__(self) -> str:
        """Name the files."""
        names = ", ".join(f"{kind} ({path})" for path, kind, *_ in self._files.info())
        return f"AsnDatabase: {names}" + (", and online" if self._online else "")


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
    """Return a database as a parameter `asn` names it: by its path, or `online`."""
    if asn is None:
        return embedded()
    if isinstance(asn, AsnDatabase):
        return asn
    return AsnDatabase(online=True) if asn == "online" else AsnDatabase(asn)


def _reopened(paths: tuple[str, ...] | None, online: Online | None) -> AsnDatabase:
    if paths is None and online is None:
        return embedded()
    return AsnDatabase(paths, online=online or False)


@cache
def embedded() -> AsnDatabase:
    """Return the embedded databases, opened once."""
    return AsnDatabase()
