"""Thresholds of the detectors, with their defaults and the reason for each."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields

from flowtriage.errors import ArgumentError

_DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Base class of the thresholds of a detector.

    Raises
    ------
    ArgumentError
        If a threshold is not a number of 0 or more.
    """

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            is_number = isinstance(value, (int, float)) and math.isfinite(value)
            if not is_number or value < 0:
                raise ArgumentError(
                    f"{type(self).__name__}: {field.name} must be a number of 0 or more, "
                    f"got {value!r}"
                )

    def as_numbers(self) -> dict[str, float]:
        """Return the thresholds by name."""
        return {name: float(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, kw_only=True)
class Beacons(Thresholds):
    """Thresholds of `beacons`.

    Attributes
    ----------
    min_calls
        Calls from which a rhythm is judged by the share of its regular gaps.
    few_calls
        Calls from which a strict rhythm (all gaps within `few_tolerance`) is reported as
        information: a day has no more calls at long periods.
    tolerance
        Deviation of a gap from the period, or a multiple of it, that still is regular. Implants
        vary their sleep by up to a third by default.
    few_tolerance
        As `tolerance`, for few calls.
    min_share
        Share of regular gaps.
    max_chance
        Probability with which calls at random times may be as regular.
    min_period
        Period in seconds below which calls are one transfer in several connections.
    min_servers
        Addresses of one network that are called in turn.
    inbound
        Whether calls from outside to an internal server are reported: clients of a public server
        poll it, so this is off by default.
    """

    min_calls: int = 12
    few_calls: int = 6
    tolerance: float = 0.3
    few_tolerance: float = 0.1
    min_share: float = 0.6
    max_chance: float = 1e-3
    min_period: float = 1.0
    min_servers: int = 2
    inbound: bool = False


@dataclass(frozen=True, kw_only=True)
class Retries(Thresholds):
    """Thresholds of `retries`.

    Attributes
    ----------
    min_tries
        Tries of one port of one destination; software with a user behind it gives up earlier.
    min_failed
        Share of tries without an answer.
    min_span
        Seconds from the first to the last try; a single outage is shorter.
    inbound
        Whether tries from outside are reported.
    """

    min_tries: int = 30
    min_failed: float = 0.9
    min_span: float = 300.0
    inbound: bool = False


@dataclass(frozen=True, kw_only=True)
class PortScans(Thresholds):
    """Thresholds of `port_scans`.

    Attributes
    ----------
    min_ports
        Ports of one destination; hosts that work together use fewer services.
    min_failed
        Share of these ports without an answer.
    window
        Seconds within which the ports count; slow scans take hours.
    """

    min_ports: int = 15
    min_failed: float = 0.5
    window: float = _DAY


@dataclass(frozen=True, kw_only=True)
class HostSweeps(Thresholds):
    """Thresholds of `host_sweeps`.

    Attributes
    ----------
    min_hosts
        Destinations on one port.
    min_failed
        Share of these destinations without an answer; browsers and file sharing call as many
        that answer.
    window
        Seconds within which the destinations count.
    """

    min_hosts: int = 25
    min_failed: float = 0.7
    window: float = _DAY


@dataclass(frozen=True, kw_only=True)
class Context(Thresholds):
    """Thresholds of the context, which moves the severity of findings.

    Attributes
    ----------
    min_hosts
        Internal hosts from which the popularity of networks is judged.
    popular_share
        Share of the internal hosts that call a popular network.
    proxy_clients, proxy_peers
        Internal clients and outside addresses from which a host is a proxy, whatever its port.
    server_clients
        Outside clients that a public server answers.
    short_log
        Seconds below which a log is called short.
    high_score
        Score from which a finding about a network that a single host calls is of high severity.
    """

    min_hosts: int = 5
    popular_share: float = 0.2
    proxy_clients: int = 3
    proxy_peers: int = 20
    server_clients: int = 200
    short_log: float = 21_600.0
    high_score: float = 0.85


DETECTORS: dict[str, type[Thresholds]] = {
    "beacons": Beacons,
    "retries": Retries,
    "port_scans": PortScans,
    "host_sweeps": HostSweeps,
}
"""Thresholds of every detector."""
