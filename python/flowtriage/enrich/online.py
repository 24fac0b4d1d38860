"""Settings and messages of the online lookup of addresses, which is off by default."""

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
from flowtriage.humanize import counted, sanitize

ORIGIN = (
    "https://stat.ripe.net/data/prefix-overview/data.json?sourceapp=flowtriage&resource={address}"
)
BOOTSTRAP = "https://data.iana.org/rdap"
_DAY = 86_400.0
_MAX_WORKERS, _MAX_REASON = 8, 160


def reverse_name(address: str, timeout: float = 5.0) -> str | None:
    """Resolve the name of an address, or return None if it has none or the resolver times out."""
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        return pool.submit(socket.gethostbyaddr, address).result(timeout)[0]
    except (OSError, TookTooLong):
        return None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class Online:
    """Settings of the online lookup.

    Only public addresses are sent: to `origin`, which returns the AS that announces an address,
    and to the RDAP servers listed by `bootstrap`, which return its registrant. Each of the two is
    one query.

    Attributes
    ----------
    everything
        Whether to look up every public address, and to prefer the results to those of the
        databases; by default only addresses whose ASN no database has.
    origin
        URL of a service with the results of RIPEstat's prefix overview; `{address}` is replaced.
    bootstrap
        URL of the folder with the files `ipv4.json` and `ipv6.json` of RFC 9224.
    cache
        Folder of cached results; None takes `flowtriage/online` in the user's cache folder
        (`XDG_CACHE_HOME`, or `~/.cache`).
    expiry
        Lifetime of a cached result, in seconds; 0 always queries again.
    timeout
        Timeout of one request, in seconds. A request is made up to three times.
    workers
        Number of parallel requests, up to 8, the limit of RIPEstat.
    limit
        Maximum number of queries; the ledger lists the rest as not queried. RIPEstat wants to
        know of regular use above 1000 queries a day.

    Raises
    ------
    ArgumentError
        If a setting is invalid.

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
        """Validate the settings."""
        if "{address}" not in self.origin:
            raise ArgumentError(f"origin must contain {{address}}, got {self.origin!r}")
        if not 1 <= self.workers <= _MAX_WORKERS:
            raise ArgumentError(f"workers must be 1 to {_MAX_WORKERS}, got {self.workers}")
        if not self.timeout > 0:
            raise ArgumentError(f"timeout must be more than 0 seconds, got {self.timeout}")
        if not self.expiry >= 0:
            raise ArgumentError(f"expiry must be 0 or more seconds, got {self.expiry}")
        if self.limit < 1:
            raise ArgumentError(f"limit must be 1 or more, got {self.limit}")

    @property
    def folder(self) -> Path:
        """Folder of cached results."""
        if self.cache is not None:
            return Path(self.cache)
        named = Path(os.environ.get("XDG_CACHE_HOME", ""))
        # The XDG base directory specification has relative paths ignored.
        base = named if named.is_absolute() else Path.home() / ".cache"
        return base / "flowtriage" / "online"


def messages(ledger: pa.Table) -> list[str]:
    """Summarise `AsnDatabase.ledger` in one message per service.

    Examples
    --------
    >>> from flowtriage.enrich.asn import AsnDatabase
    >>> messages(AsnDatabase().ledger)
    []
    """
    return [
        _message(service, ledger.filter(pc.equal(ledger["service"], service)))
        for service in ledger["service"].unique().to_pylist()
    ]


def without_result(ledger: pa.Table) -> pa.Table:
    """Return the queries that failed or were not made."""
    return ledger.filter(pc.is_in(ledger["status"], pa.array(["failed", "not queried"])))


def _message(service: str, ledger: pa.Table) -> str:
    parts = []
    for status in ("result", "no record", "failed", "not queried"):
        rows = ledger.filter(pc.equal(ledger["status"], status))
        if rows.num_rows:
            label = "with result" if status == "result" else status
            parts.append(f"{rows.num_rows:,} {label}{_reason(rows)}")
    cached = pc.sum(ledger["cached"]).as_py()
    end = f"; {cached:,} cached" if cached else ""
    count = counted(ledger.num_rows, "address", "addresses")
    return f"Online lookup of {service} for {count}: {', '.join(parts)}{end}."


def _reason(ledger: pa.Table) -> str:
    """Return the first reason of queries without a result."""
    if not without_result(ledger).num_rows:
        return ""
    return f" ({sanitize(ledger['reason'][0].as_py(), _MAX_REASON)})"
