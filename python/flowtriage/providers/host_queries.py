"""Query the facts about a host: its latest heartbeat and its network interfaces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from flowtriage.enrich.asn import bundled
from flowtriage.errors import AmbiguousHostError, ArgumentError
from flowtriage.inputs.addresses import parse_address
from flowtriage.inputs.hosts import matching_name
from flowtriage.providers.data_providers import QueryProvider
from flowtriage.providers.local_flows import LocalFlows
from flowtriage.providers.queries import check_host_name, run_queries

if TYPE_CHECKING:
    import pandas as pd

_Queries: TypeAlias = tuple[tuple[str, str], ...]

_HEARTBEAT_OF_HOST = (
    ("Heartbeat", "list_heartbeats_for_host"),
    ("Heartbeat", "get_heartbeat_for_host"),
)
_HEARTBEAT_OF_ADDRESS = (("Heartbeat", "get_heartbeat_for_ip"),)
_INTERFACES_OF_HOST = (
    ("AzureNetworkAnalytics_CL", "get_ips_for_host"),
    ("NTATopologyDetails", "list_nta_interfaces_for_host"),
)
_INTERFACES_OF_ADDRESS = (
    ("AzureNetworkAnalytics_CL", "get_host_for_ip"),
    ("NTATopologyDetails", "list_nta_interfaces_for_ip"),
)
_PRIVATE, _PUBLIC = "PrivateIPAddresses", "PublicIPAddresses"
_ADDRESSES = re.compile(r"[0-9A-Fa-f:.]{2,}")


@dataclass(frozen=True)
class HostFacts:
    """The facts that a provider has about a host.

    Attributes
    ----------
    name
        Name of the host in the provider's notation.
    addresses
        Its own addresses in canonical notation: those given, those of its interfaces, and the
        private ones of its heartbeat. Many hosts may share the public address of a heartbeat.
    private, public
        Addresses of its network interfaces by kind, and the public one of its heartbeat.
    heartbeat
        Columns of its latest heartbeat that are not empty, with their values.
    candidates
        The names that the provider has for its addresses, if there are several.
    problems
        Messages about queries that failed.
    """

    name: str | None = None
    addresses: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    heartbeat: tuple[tuple[str, Any], ...] = ()
    candidates: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def query_host(
    provider: QueryProvider | LocalFlows, name: str | None, addresses: tuple[str, ...]
) -> HostFacts:
    """Query a provider for the facts about a host, by its name or else by its addresses.

    Raises
    ------
    AmbiguousHostError
        If the name matches several hosts of the provider.
    """
    if isinstance(provider, LocalFlows):
        return HostFacts(name, addresses)
    problems: list[str] = []

    def rows(by_host: _Queries, by_address: _Queries) -> list[pd.DataFrame]:
        try:
            if name:
                label = check_host_name(name).partition(".")[0]
                return list(run_queries(provider, by_host, host_name=label))
            return [f for a in addresses for f in run_queries(provider, by_address, ip_address=a)]
        except ArgumentError:
            raise
        except Exception as error:
            problems.append(f"query of {by_host[0][0]} failed: {' '.join(str(error).split())}")
            return []

    beats = rows(_HEARTBEAT_OF_HOST, _HEARTBEAT_OF_ADDRESS)
    interfaces = [_with_computer(f) for f in rows(_INTERFACES_OF_HOST, _INTERFACES_OF_ADDRESS)]
    computers = _strings([*beats, *interfaces], "Computer")
    if name:
        matches = [matching_name(name, _strings(part, "Computer")) for part in (beats, interfaces)]
    else:
        matches = [_single_name(computers)]
    resolved = next((match for match in matches if match), name)
    beat = _latest(beats, resolved) if resolved else {}
    interfaces = [_of_computer(frame, resolved) for frame in interfaces] if resolved else []
    private, public = (_addresses(interfaces, column) for column in (_PRIVATE, _PUBLIC))
    own = [*addresses, *private, *public]
    reported = _find_addresses(f"{beat.get('ComputerIP', '')} {beat.get('ComputerPrivateIPs', '')}")
    kinds = bundled().lookup(pa.array(reported, pa.string()))["ip_type"].to_pylist()
    internal = [a for a, kind in zip(reported, kinds, strict=True) if kind != "Public"]
    external = [a for a in reported if a not in internal]
    public = tuple(dict.fromkeys([*public, *external]))
    return HostFacts(
        name=resolved,
        addresses=tuple(dict.fromkeys([*own, *internal])),
        private=private,
        public=public,
        heartbeat=tuple(beat.items()),
        candidates=() if resolved else tuple(computers),
        problems=tuple(problems),
    )


def _single_name(computers: list[str]) -> str | None:
    """Return the longest name if all are names of one computer, with or without its domain."""
    longest = max(computers, key=len, default="")
    try:
        same = all(matching_name(name, [longest]) for name in computers)
    except AmbiguousHostError:
        same = False
    return longest if longest and same else None


def _strings(frames: Iterable[pd.DataFrame], column: str) -> list[str]:
    cells = [frame[column].dropna().unique() for frame in frames if column in frame]
    return sorted({str(value) for values in cells for value in values})


def _with_computer(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the column `Computer` to interfaces that have only the path of their machine."""
    for path in ("VirtualMachine", "VirtualMachine_s"):
        if path in frame:
            return frame.assign(Computer=frame[path].astype(str).str.rpartition("/")[2])
    return frame


def _of_computer(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    if "Computer" not in frame:
        return frame
    same = [one for one in _strings([frame], "Computer") if matching_name(name, [one])]
    return frame[frame["Computer"].isin(same)]


def _latest(beats: list[pd.DataFrame], name: str) -> dict[str, Any]:
    """Return the columns of a computer's latest heartbeat that are not empty."""
    import pandas as pd

    own = [frame for beat in beats if len(frame := _of_computer(beat, name))]
    if not own:
        return {}
    rows = pd.concat(own)
    if "TimeGenerated" in rows.columns:
        rows = rows.sort_values("TimeGenerated")
    row = rows.iloc[-1].dropna()
    return {str(column): value for column, value in row.items() if str(value) != ""}


def _addresses(frames: Iterable[pd.DataFrame], column: str) -> tuple[str, ...]:
    cells = _strings(
        [f.assign(**{column: f[column].map(str)}) for f in frames if column in f], column
    )
    return tuple(dict.fromkeys(a for cell in cells for a in _find_addresses(cell)))


def _find_addresses(text: str) -> list[str]:
    return [a for part in _ADDRESSES.findall(text) if (a := parse_address(part))]
