"""Query the facts about a host: its latest heartbeat and its network interfaces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from flowtriage.enrich.asn import bundled
from flowtriage.errors import AmbiguousHostError
from flowtriage.inputs.addresses import parse_address
from flowtriage.inputs.hosts import matching_name
from flowtriage.inputs.timespan import Timespan
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
INTERFACE, _BEAT = "network interface", "heartbeat"
"""Origins of addresses."""
_ADDRESSES = re.compile(r"[0-9A-Fa-f:.]{2,}")
_COLUMNS = (
    *("TimeGenerated", "Computer", "ComputerIP", "ComputerPrivateIPs", "VirtualMachine"),
    *(_PRIVATE, _PUBLIC, "OSType", "OSName", "OSMajorVersion", "OSMinorVersion", "VMUUID"),
    *("SourceComputerId", "ComputerEnvironment", "Solutions", "SubscriptionId"),
    *("ResourceProvider", "ResourceType", "ResourceGroup", "ResourceId"),
    *("RemoteIPCountry", "RemoteIPLongitude", "RemoteIPLatitude"),
)
_NEAR = timedelta(days=1)
"""Time from the timespan within which the addresses of a heartbeat or interface are valid in it."""


@dataclass(frozen=True)
class HostFacts:
    """The facts that a provider has about a host.

    Attributes
    ----------
    name
        Name of the host in the provider's notation.
    addresses
        Addresses whose flows are the host's, in canonical notation: those given and, for a host
        given by name, those of its interfaces and the private ones of its heartbeat within the
        timespan. Many hosts may share the public address of a heartbeat.
    private, public
        Addresses of its network interfaces by kind, and the public one of its heartbeat.
    heartbeat
        Columns of its latest heartbeat that are not empty, with their values.
    origins
        Where each of its known addresses comes from.
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
    origins: tuple[tuple[str, str], ...] = ()
    candidates: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def query_host(
    provider: QueryProvider | LocalFlows,
    name: str | None,
    addresses: tuple[str, ...],
    span: Timespan,
    *,
    all_addresses: bool = False,
) -> HostFacts:
    """Query a provider for the facts about a host, by its name or else by its addresses.

    The other addresses of a host given by its addresses are its own only with `all_addresses`.

    Raises
    ------
    AmbiguousHostError
        If the name matches several hosts of the provider.
    """
    if isinstance(provider, LocalFlows):
        return HostFacts(name, addresses)
    problems: list[str] = []
    label = check_host_name(name).partition(".")[0] if name else None

    def rows(by_host: _Queries, by_address: _Queries) -> list[pd.DataFrame]:
        queries, parameter = (by_host, "host_name") if label else (by_address, "ip_address")
        frames = []
        for asked in [label] if label else addresses:
            found = run_queries(provider, queries, **{parameter: asked})  # type: ignore[arg-type]
            problems.extend(found.failed)
            frames += [_named(frame) for frame in found.frames]
        return frames

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
    known = _KnownAddresses(span)
    for frame in interfaces:
        known.add(frame)
    private, public = (_addresses(interfaces, column) for column in (_PRIVATE, _PUBLIC))
    reported = _find_addresses(f"{beat.get('ComputerIP', '')} {beat.get('ComputerPrivateIPs', '')}")
    kinds = bundled().lookup(pa.array(reported, pa.string()))["ip_type"].to_pylist()
    internal = [a for a, kind in zip(reported, kinds, strict=True) if kind != "Public"]
    external = [a for a in reported if a not in internal]
    known.add_beat(beat, internal)
    public = tuple(dict.fromkeys([*public, *external]))
    own = known.current if name or all_addresses else []
    origins = dict.fromkeys(external, _BEAT) | known.origins
    return HostFacts(
        name=resolved,
        addresses=tuple(dict.fromkeys([*addresses, *own])),
        private=tuple(dict.fromkeys([*private, *internal])),
        public=public,
        heartbeat=tuple(beat.items()),
        origins=tuple(origins.items()),
        candidates=() if resolved else tuple(computers),
        problems=tuple(dict.fromkeys(problems)),
    )


@dataclass
class _KnownAddresses:
    """Addresses of a host, where each comes from, and which are `current` in a timespan."""

    span: Timespan
    current: list[str] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)

    def add(self, interfaces: pd.DataFrame) -> None:
        """Add the addresses of interfaces."""
        if "TimeGenerated" not in interfaces:
            self._add(INTERFACE, None, _addresses([interfaces], _PRIVATE, _PUBLIC))
            return
        for time, state in interfaces.groupby(_times(interfaces), dropna=False):
            self._add(INTERFACE, time, _addresses([state], _PRIVATE, _PUBLIC))

    def add_beat(self, beat: dict[str, Any], addresses: Iterable[str]) -> None:
        """Add addresses of a heartbeat."""
        self._add(_BEAT, beat.get("TimeGenerated"), addresses)

    def _add(self, origin: str, time: Any, addresses: Iterable[str]) -> None:
        import pandas as pd

        time = pd.to_datetime(time, utc=True, errors="coerce")
        start, end = self.span.start, self.span.end
        known = time is not None and not pd.isna(time)
        before = known and start is not None and time < start - _NEAR
        after = known and end is not None and time > end + _NEAR
        if not (before or after):
            self.current += addresses
            self.origins |= dict.fromkeys(addresses, origin)
        else:
            for address in set(addresses).difference(self.current):
                self.origins[address] = f"{origin} of {time:%Y-%m-%d}"


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


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the usual names of its columns, whatever their letter case and suffix."""
    found = {str(name).casefold().removesuffix("_s"): name for name in reversed(frame.columns)}
    usual = {found[name.casefold()]: name for name in _COLUMNS if name.casefold() in found}
    return frame.rename(columns={n: name for n, name in usual.items() if name not in frame})


def _times(frame: pd.DataFrame) -> pd.Series[Any]:
    import pandas as pd

    return pd.to_datetime(frame["TimeGenerated"], utc=True, errors="coerce", format="ISO8601")


def _with_computer(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the column `Computer` to interfaces that have only the path of their machine."""
    if "VirtualMachine" not in frame:
        return frame
    return frame.assign(Computer=frame["VirtualMachine"].astype(str).str.rpartition("/")[2])


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
        times = _times(rows).reset_index(drop=True)
        rows = rows.iloc[times.sort_values(kind="stable", na_position="first").index]
    row = rows.iloc[-1]
    return {str(column): value for column, value in row.items() if not _is_empty(value)}


def _is_empty(value: Any) -> bool:
    """Return whether a cell is null, empty or a dash."""
    import pandas as pd

    return str(value).strip() in ("", "-") or (pd.api.types.is_scalar(value) and pd.isna(value))


def _addresses(frames: Iterable[pd.DataFrame], *columns: str) -> tuple[str, ...]:
    found = ((f.assign(**{c: f[c].map(str)}), c) for f in frames for c in columns if c in f)
    cells = (cell for frame, column in found for cell in _strings([frame], column))
    return tuple(dict.fromkeys(a for cell in cells for a in _find_addresses(cell)))


def _find_addresses(text: str) -> list[str]:
    return [a for part in _ADDRESSES.findall(text) if (a := parse_address(part))]
