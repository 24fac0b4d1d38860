"""Declaration of the columns that show who initiated a flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flowtriage.formats.conditions import (
    Condition,
    bind_conditions,
    condition_columns,
)


@dataclass(frozen=True)
class Initiator:
    """Columns that show which endpoint of a record initiated the flow.

    Addresses that only receive, and ports with ICMP type and code, need no declaration.

    Parameters
    ----------
    reversed
        Conditions of records whose second endpoint is the initiator.
    unassigned
        Conditions of records whose endpoints the source could not assign: ports decide.
    history
        Zeek's history of the connection.
    flags
        TCP flags sent by the first and by the second endpoint, hexadecimal.
    icmp
        ICMP type sent by the first endpoint, as a number or a name.
    icmp_ports
        Whether the ports of ICMP flows are the types that the endpoints sent.
    exporter
        Address of the exporter, and direction as the exporter sees it.
    at_endpoint
        Conditions of records whose exporter is one of the endpoints.
    networks
        Known networks, whose broadcast addresses only receive; empty for the default ones.
    """

    reversed: Sequence[Condition] = ()
    unassigned: Sequence[Condition] = ()
    history: str | None = None
    flags: tuple[str, str] | None = None
    icmp: str | None = None
    icmp_ports: bool = False
    exporter: tuple[str, str] | None = None
    at_endpoint: Sequence[Condition] = ()
    networks: Sequence[str] = ()

    def bind(self, names: Mapping[str, str], *, sparse: bool) -> Initiator:
        """Return the declaration under the names of a log, without columns that it lacks."""

        def column(name: str | None) -> str | None:
            return name and names.get(name.casefold(), name if sparse else None)

        def pair(columns: tuple[str, str] | None) -> tuple[str, str] | None:
            first, second = map(column, columns or (None, None))
            return (first, second) if first and second else None

        at_endpoint = bind_conditions(self.at_endpoint, names, sparse)
        return replace(
            self,
            reversed=bind_conditions(self.reversed, names, sparse),
            unassigned=bind_conditions(self.unassigned, names, sparse),
            history=column(self.history),
            flags=pair(self.flags),
            icmp=column(self.icmp),
            exporter=pair(self.exporter) if len(at_endpoint) == len(self.at_endpoint) else None,
            at_endpoint=at_endpoint,
        )

    def columns(self) -> set[str]:
        """Return the columns that are read."""
        conditions = (*self.reversed, *self.unassigned, *self.at_endpoint)
        names = {self.history, self.icmp, *(self.flags or ()), *(self.exporter or ())}
        return {name for name in names if name} | condition_columns(conditions)
