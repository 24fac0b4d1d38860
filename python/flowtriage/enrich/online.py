"""Look-up of addresses online, which nothing does unless asked."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError


def reverse_name(address: str, timeout: float = 5.0) -> str | None:
    """Ask the system's resolver for the name of an address.

    Parameters
    ----------
    address
        The address.
    timeout
        Most seconds to wait.

    Returns
    -------
    str or None
        None if it has no name, or none came in time.
    """
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        return pool.submit(socket.gethostbyaddr, address).result(timeout)[0]
    except (OSError, TookTooLong):
        return None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


ORIGIN = (
    "https://stat.ripe.net/data/prefix-overview/data.json?sourceapp=flowtriage&resource={address}"
)
BOOTSTRAP = "https://data.iana.org/rdap"
_DAY = 86_400.0
_MAX_WORKERS = 8
_REASON = 160


@dataclass(frozen=True)
class Online:
    """Whom to ask online about addresses, what, and how.

    Only public addresses are sent. Who announces an address is asked of `origin`, whom it is
    registered for of the registries' RDAP servers, which `bootstrap` tells.

    Attributes
    ----------
    everything
        Whether to ask about every public address, and to prefer the answers to those of the
        databases; otherwise only about addresses whose ASN no database knows.
    origin
        URL of a service that answers as RIPEstat's prefix overview does, with `{address}` in the
        place of the address.
    bootstrap
        URL of the folder with the files `ipv4.json` and `ipv6.json` of RFC 9224.
    cache
        Folder that keeps the answers; None takes `flowtriage/online` in the user's cache folder
        (`XDG_CACHE_HOME`, or `~/.cache`).
    expiry
        Seconds for which a kept answer is good; 0 asks again.
    timeout
        Seconds that one request may take. A request is made up to three times.
    workers
        Requests at the same time, up to 8, which is what RIPEstat allows.
    limit
        Most questions, of which each address is two; the rest is not asked, and the ledger says
        so. RIPEstat wants to know who asks more than 1000 a day regularly.

    Raises
    ------
    ArgumentError
        If a setting cannot be used.

    Examples
    --------
    >>> Online(timeout=5).workers
    4
    """

    everything: bool = False
    origin: str = ORIGIN
    bootstrap: str = BOOTSTRAP
    cache: str | os.PathLike[str] | None = None
    expiry: float = 7 * _DAY
    timeout: float = 10.0
    workers: int = 4
    limit: int = 1000

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if "{address}" not in self.origin:
            raise ArgumentError(f"origin {self.origin!r} has no {{address}} to put the address")
        if not 1 <= self.workers <= _MAX_WORKERS:
            raise ArgumentError(f"workers is {self.workers}; from 1 to {_MAX_WORKERS} are allowed")
        if not self.timeout > 0:
            raise ArgumentError(f"timeout is {self.timeout} seconds; more than 0 are needed")
        if not self.expiry >= 0:
            raise ArgumentError(f"expiry is {self.expiry} seconds; 0 or more are needed")
        if self.limit < 1:
            raise ArgumentError(f"limit is {self.limit}; at least one question is needed")

    @property
    def folder(self) -> Path:
        """The folder that keeps the answers."""
        if self.cache is not None:
            return Path(self.cache)
        named = Path(os.environ.get("XDG_CACHE_HOME", ""))
        # The XDG base directory specification has relative paths ignored.
        base = named if named.is_absolute() else Path.home() / ".cache"
        return base / "flowtriage" / "online"


def messages(ledger: pa.Table) -> list[str]:
    """Say, for each service, how many questions there were and how they ended.

    Parameters
    ----------
    ledger
        `AsnDatabase.ledger`.

    Returns
    -------
    list of str
        A sentence for each service that there was a question for.

    Examples
    --------
    >>> from flowtriage.enrich.asn import AsnDatabase
    >>> messages(AsnDatabase().ledger)
    []
    """
    return [
        _sentence(service, ledger.filter(pc.equal(ledger["service"], service)))
        for service in ledger["service"].unique().to_pylist()
    ]


def lost(ledger: pa.Table) -> pa.Table:
    """Return the questions that were left without an answer."""
    return ledger.filter(pc.is_in(ledger["status"], pa.array(["failed", "not asked"])))


def _sentence(service: str, ledger: pa.Table) -> str:
    cached = pc.sum(ledger["cached"]).as_py()
    kept = f"; {cached:,} from the cache" if cached else ""
    parts = []
    for status in ("answered", "no record", "failed", "not asked"):
        mine = ledger.filter(pc.equal(ledger["status"], status))
        if mine.num_rows:
            parts.append(f"{mine.num_rows:,} {status}{_why(mine)}")
    return f"Asked online for {service} of {ledger.num_rows:,}: {', '.join(parts)}{kept}."


def _why(ledger: pa.Table) -> str:
    """Return the first reason of questions without an answer."""
    if not lost(ledger).num_rows:
        return ""
    from flowtriage.humanize import sanitize

    return f" ({sanitize(ledger['reason'][0].as_py(), _REASON)})"
