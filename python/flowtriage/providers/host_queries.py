"""What a provider knows of a host: its latest heartbeat and its network interfaces."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowtriage.errors import AmbiguousHostError, ArgumentError
from flowtriage.inputs.addresses import parse_address
from flowtriage.inputs.hosts import matching_name
from flowtriage.providers.local_flows import LocalFlows
from flowtriage.providers.queries import answers, checked_name

if TYPE_CHECKING:
    import pandas as pd

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
    """What a provider knows of a host.

    Attributes
    ----------
    name
        Name of the host, as the provider has it.
    addresses
        Its own addresses in canonical text: those given, of its interfaces, and of its heartbeat
        the private ones. The public address of a heartbeat may be one that many hosts share.
    private, public
        Addresses of its network interfaces by kind, and the public one of its heartbeat.
    heartbeat
        Columns of its latest heartbeat that hold something.
    candidates
        The names that the provider has for its addresses, where there are several.
    problems
        What could not be asked, and why.
    """

    name: str | None = None
    addresses: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    heartbeat: tuple[tuple[str, Any], ...] = ()
    candidates: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def query_host(provider: Any, name: str | None, addresses: tuple[str, ...]) -> HostFacts:
    """Ask a provider what it knows of a host.

    Parameters
    ----------
    provider
        `LocalFlows`, which knows nothing, or a msticpy `QueryProvider`.
    name, addresses
        The host: by its name if there is one, else by its addresses.

    Returns
    -------
    HostFacts
        Queries that the provider lacks are left out; those that fail are told in `problems`.

    Raises
    ------
    AmbiguousHostError
        If the provider knows several hosts of that name.
    """
    if isinstance(provider, LocalFlows):
        return HostFacts(name, addresses)
    problems: list[str] = []

    def rows(by_host: Any, by_address: Any) -> list[pd.DataFrame]:
        try:
            if name:
                label = checked_name(name).partition(".")[0]
                return list(answers(provider, by_host, host_name=label))
            return [f for a in addresses for f in answers(provider, by_address, ip_address=a)]
        except ArgumentError:
            raise
        except Exception as error:
            problems.append(f"{by_host[0][0]} could not be asked: {' '.join(str(error).split())}")
            return []

    beats = rows(_HEARTBEAT_OF_HOST, _HEARTBEAT_OF_ADDRESS)
    interfaces = [_named(f) for f in rows(_INTERFACES_OF_HOST, _INTERFACES_OF_ADDRESS)]
    computers = _texts([*beats, *interfaces], "Computer")
    if name:
        known = [matching_name(name, _texts(part, "Computer")) for part in (beats, interfaces)]
    else:
        known = [_only(computers)]
    sure = next((text for text in known if text), name)
    beat = _latest(beats, sure) if sure else {}
    interfaces = [_of_computer(frame, sure) for frame in interfaces] if sure else []
    private, public = (_addresses(interfaces, column) for column in (_PRIVATE, _PUBLIC))
    own = [*addresses, *private, *public]
    reported = _found(f"{beat.get('ComputerIP', '')} {beat.get('ComputerPrivateIPs', '')}")
    inside = [a for a in reported if not ipaddress.ip_address(a).is_global]
    outside = [a for a in reported if a not in inside]
    public = tuple(dict.fromkeys([*public, *outside]))
    return HostFacts(
        name=sure,
        addresses=tuple(dict.fromkeys([*own, *inside])),
        private=private,
        public=public,
        heartbeat=tuple(beat.items()),
        candidates=() if sure else tuple(computers),
        problems=tuple(problems),
    )


def _only(computers: list[str]) -> str | None:
    """Return the one computer that all these names are, with or without its domain."""
    longest = max(computers, key=len, default="")
    try:
        same = all(matching_name(name, [longest]) for name in computers)
    except AmbiguousHostError:
        same = False
    return longest if longest and same else None


def _texts(frames: Iterable[pd.DataFrame], column: str) -> list[str]:
    found = {
        str(text)
        for frame in frames
        if column in frame.columns
        for text in frame[column].dropna().unique()
    }
    return sorted(found)


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the column `Computer` to interfaces that have only the path of their machine."""
    paths = [column for column in ("VirtualMachine", "VirtualMachine_s") if column in frame]
    if not paths:
        return frame
    return frame.assign(Computer=frame[paths[0]].astype(str).str.rpartition("/")[2])


def _of_computer(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    if "Computer" not in frame:
        return frame
    same = [text for text in _texts([frame], "Computer") if matching_name(name, [text])]
    return frame[frame["Computer"].isin(same)]


def _latest(beats: list[pd.DataFrame], name: str) -> dict[str, Any]:
    """Columns of the latest heartbeat of a computer that hold something."""
    import pandas as pd

    own = [frame for beat in beats if len(frame := _of_computer(beat, name))]
    if not own:
        return {}
    joined = pd.concat(own)
    if "TimeGenerated" in joined.columns:
        joined = joined.sort_values("TimeGenerated")
    row = joined.iloc[-1].dropna()
    return {str(column): value for column, value in row.items() if str(value) != ""}


def _addresses(frames: Iterable[pd.DataFrame], column: str) -> tuple[str, ...]:
    cells = _texts(
        [f.assign(**{column: f[column].map(str)}) for f in frames if column in f], column
    )
    return tuple(dict.fromkeys(a for cell in cells for a in _found(cell)))


def _found(text: str) -> list[str]:
    return [a for part in _ADDRESSES.findall(text) if (a := parse_address(part))]
