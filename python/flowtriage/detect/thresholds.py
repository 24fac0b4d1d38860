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
        """Check the thresholds."""
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
class Floods(Thresholds):
    """Thresholds of `floods`.

    Attributes
    ----------
    min_flows
        Flows in a minute to one port of one destination.
    min_failed
        Share of these without an answer; a busy server answers.
    min_bytes
        Bytes in a minute that nothing answers.
    """

    min_flows: int = 1_000
    min_failed: float = 0.9
    min_bytes: int = 50_000_000


@dataclass(frozen=True, kw_only=True)
class Uploads(Thresholds):
    """Thresholds of `uploads`.

    Attributes
    ----------
    min_bytes
        Bytes that a host sent to one outside address; less is in the range of requests and forms.
    min_ratio
        Ratio of bytes sent to bytes received; acknowledgements alone give a ratio of about 30,
        video calls and synchronisation send about as much as they receive.
    high_bytes
        Bytes sent from which the severity is high.
    """

    min_bytes: int = 500_000
    min_ratio: float = 10.0
    high_bytes: int = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class LongConnections(Thresholds):
    """Thresholds of `long_connections`.

    Attributes
    ----------
    min_duration
        Seconds; a working day. Connections of an hour are common.
    max_gap
        Longest time in seconds between two records of one connection, which exporters split at
        intervals of 1 to 30 minutes.
    """

    min_duration: float = 28_800.0
    max_gap: float = 60.0


@dataclass(frozen=True, kw_only=True)
class PortMismatches(Thresholds):
    """Thresholds of `port_mismatches`.

    Attributes
    ----------
    min_flows
        Flows with a protocol that does not belong to the port.
    """

    min_flows: int = 1


@dataclass(frozen=True, kw_only=True)
class RareNetworks(Thresholds):
    """Thresholds of `rare_networks`.

    Attributes
    ----------
    max_flows
        Flows of the host to the network.
    max_hosts
        Internal hosts that call the network.
    """

    max_flows: int = 3
    max_hosts: int = 1


@dataclass(frozen=True, kw_only=True)
class LateralFanOut(Thresholds):
    """Thresholds of `lateral_fan_out`.

    Attributes
    ----------
    min_hosts
        Internal hosts that one host reaches on administrative ports; users work with a few
        servers.
    window
        Seconds within which the hosts count.
    """

    min_hosts: int = 10
    window: float = 3_600.0


@dataclass(frozen=True, kw_only=True)
class Context(Thresholds):
    """Thresholds of the context, which moves the severity of findings.

    Attributes
    ----------
    popular_hosts, popular_share
        Number and share of the internal hosts that call a popular network, of those that call
        outside at all. Fewer may be infected together.
    rare_hosts
        Internal hosts from which a network that a single one calls is rare.
    proxy_clients, proxy_peers
        Internal clients and outside addresses from which a host is a proxy, whatever its port.
    server_clients
        Outside clients that a public server answers.
    short_log
        Seconds below which a log is called short.
    weak_score
        Score below which a rhythm is weak, and information only.
    shared_jitter, shared_period
        Jitter below which, and seconds from which, a rhythm to a network that rents servers to
        anybody is that of a scheduled task, and information only. Implants in such networks vary
        their sleep, or call more often.
    high_score
        Score from which a finding about a network that a single host calls is of high severity.
    """

    popular_hosts: int = 3
    popular_share: float = 0.5
    rare_hosts: int = 5
    proxy_clients: int = 3
    proxy_peers: int = 20
    server_clients: int = 200
    short_log: float = 21_600.0
    weak_score: float = 0.6
    shared_jitter: float = 0.02
    shared_period: float = 60.0
    high_score: float = 0.85


DETECTORS: dict[str, type[Thresholds]] = {
    "beacons": Beacons,
    "retries": Retries,
    "port_scans": PortScans,
    "host_sweeps": HostSweeps,
    "floods": Floods,
    "uploads": Uploads,
    "long_connections": LongConnections,
    "port_mismatches": PortMismatches,
    "rare_networks": RareNetworks,
    "lateral_fan_out": LateralFanOut,
}
"""Thresholds of every detector."""
