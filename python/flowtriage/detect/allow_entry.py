"""An entry of an allow-list, from values that people write."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from flowtriage.detect.thresholds import DETECTORS
from flowtriage.enrich.services import service_ports
from flowtriage.errors import ArgumentError
from flowtriage.humanize import did_you_mean, sanitize
from flowtriage.inputs.addresses import host_argument
from flowtriage.inputs.coverage import refuse_extent
from flowtriage.inputs.integers import port_argument
from flowtriage.inputs.missing import is_missing
from flowtriage.inputs.texts import is_text
from flowtriage.inputs.timespan import parse_day

ADDRESSES = ("address", "source", "dest")
CRITERIA = (*ADDRESSES, "asn", "port", "service", "detector", "finding")
"""What a finding is compared with; all that an entry has must match."""
COLUMNS = (*CRITERIA, "reason", "owner", "expires")
_MAX_ASN = (1 << 32) - 1
_MAX_SHOWN = 80


@dataclass(frozen=True, kw_only=True)
class AllowEntry:
    """Findings that somebody expects, with the reason.

    Attributes
    ----------
    reason
        Why the findings are expected.
    owner
        Who is responsible for the entry.
    expires
        Last day (UTC) on which it applies; None means no end.
    address
        Address or CIDR prefix of either end of the findings.
    source, dest
        Address or CIDR prefix of the initiator and the responder; together, a pair.
    asn
        AS number of either end.
    port
        Port of the responder.
    service
        Registered name of that port, such as `ntp`.
    detector
        Name of the detector.
    finding
        Id of the finding.
    position
        File and line of the entry.
    """

    reason: str
    owner: str | None = None
    expires: date | None = None
    address: str | None = None
    source: str | None = None
    dest: str | None = None
    asn: int | None = None
    port: int | None = None
    service: str | None = None
    detector: str | None = None
    finding: str | None = None
    position: str = field(default="", compare=False)

    @property
    def criteria(self) -> dict[str, str | int]:
        """What a finding is compared with, by name."""
        values = {name: getattr(self, name) for name in CRITERIA}
        return {name: value for name, value in values.items() if value is not None}

    def has_expired(self, on: date) -> bool:
        """Return whether the last day of the entry is over."""
        return self.expires is not None and self.expires < on

    def __str__(self) -> str:
        """Return criteria, reason, owner and last day as one line."""
        parts = [f"{name} {value}" for name, value in self.criteria.items()]
        text = f"{', '.join(parts)}: {self.reason}"
        if self.owner:
            text += f" ({self.owner})"
        return sanitize(text + (f", until {self.expires}" if self.expires else ""))


def parse_entry(values: Mapping[str, Any], position: str = "") -> AllowEntry:
    """Return the entry that people wrote as values by column.

    Addresses may be defanged or IPv4-mapped, an AS number may start with `AS`.

    Raises
    ------
    ArgumentError
        If a column is unknown, a value invalid, the reason missing, or there is no criterion.

    Examples
    --------
    >>> str(parse_entry({"dest": "192[.]0[.]2[.]1", "asn": "AS64496", "reason": "backup"}))
    'dest 192.0.2.1, asn 64496: backup'
    """
    given = {name: value for name, value in values.items() if not _is_empty(value)}
    if unknown := [name for name in given if name not in COLUMNS]:
        raise ArgumentError(f"unknown key {unknown[0]!r}{did_you_mean(unknown[0], COLUMNS)}")
    if "reason" not in given:
        raise ArgumentError("reason is missing; state why the findings are expected")
    if not any(name in given for name in CRITERIA):
        raise ArgumentError(f"nothing is allowed; give {', '.join(CRITERIA[:-1])} or finding")
    parsed: dict[str, Any] = {name: _PARSERS[name](name, value) for name, value in given.items()}
    return AllowEntry(**parsed, position=position)


def _is_empty(value: Any) -> bool:
    return is_missing(value) or (isinstance(value, str) and not value.strip())


def _address(name: str, value: Any) -> str:
    host = host_argument(value)
    if host is None:
        raise ArgumentError(
            f"invalid {name} {_shown(value)}; give IPv4, IPv6 or a network such as 10.0.0.0/8"
        )
    network = ipaddress.ip_network(host)
    refuse_extent([network], f"{name} {_shown(value)}", "give a smaller network, or omit it")
    return host


def _asn(name: str, value: Any) -> int:
    text = str(value).strip()
    digits = text[2:] if text[:2].upper() == "AS" else text
    if isinstance(value, bool) or not (digits.isascii() and digits.isdigit()):
        raise ArgumentError(f"invalid {name} {_shown(value)}; give an AS number such as AS64496")
    if int(digits) > _MAX_ASN:
        raise ArgumentError(f"invalid {name} {_shown(value)}; AS numbers have 32 bits")
    return int(digits)


def _port(name: str, value: Any) -> int:
    is_number = isinstance(value, str) and value.strip().isascii() and value.strip().isdigit()
    return port_argument(name, int(value) if is_number else value)


def _service(name: str, value: Any) -> str:
    text = _text(name, value).lower()
    if not _is_registered(text):
        raise ArgumentError(
            f"unknown {name} {_shown(value)}; give a name of IANA's registry, such as ntp, or port"
        )
    return text


@lru_cache(maxsize=1_024)
def _is_registered(service: str) -> bool:
    return bool(service_ports(service))


def _detector(name: str, value: Any) -> str:
    text = _text(name, value)
    if text not in DETECTORS:
        raise ArgumentError(f"unknown {name} {_shown(value)}{did_you_mean(text, DETECTORS)}")
    return text


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not is_text(value) or "\0" in value:
        raise ArgumentError(f"invalid {name} {_shown(value)}; give a text")
    return value.strip()


def _day(name: str, value: Any) -> date:
    if not isinstance(value, (str, date)) or isinstance(value, datetime):
        raise ArgumentError(f"invalid {name} {_shown(value)}; give a day such as 2030-12-31")
    return parse_day(value)


def _shown(value: object) -> str:
    return sanitize(repr(value), _MAX_SHOWN)


_PARSERS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(ADDRESSES, _address),
    "asn": _asn,
    "port": _port,
    "service": _service,
    "detector": _detector,
    "finding": _text,
    "reason": _text,
    "owner": _text,
    "expires": _day,
}
