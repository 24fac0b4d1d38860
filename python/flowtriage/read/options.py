"""Read options of logs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from flowtriage.formats.azure_network_analytics import AZURE_NETWORK_ANALYTICS
from flowtriage.formats.azure_nta import AZURE_NTA
from flowtriage.formats.declaration import Binding, Format
from flowtriage.read.date_order import DateOrders
from flowtriage.read.extra_columns import Kept
from flowtriage.read.hosts import NAMED_ENDS, Hosts
from flowtriage.schema import RECORD_COLUMNS


@dataclass(frozen=True)
class Options:
    """Read options of logs, as in `read_flows`; `names` is for text logs without a header."""

    format: Format | None = None
    keep: Kept = False
    zone: str = "UTC"
    names: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()
    date_order: str | None = None
    hosts: Hosts = field(default_factory=Hosts)
    targets: frozenset[str] | None = None
    """Canonical columns that are read, into `FlowParts`; None for all."""
    several: bool = False
    """Whether other logs are read, too."""
    named_ends: bool = False
    """Whether the columns of `NAMED_ENDS` are kept, too."""
    orders: DateOrders = field(default_factory=DateOrders, compare=False)

    def applied(self, binding: Binding, format: Format) -> Binding:
        """Return a binding with the notation of times, internal networks and wanted hosts."""
        hosts = self.hosts.searched(format)
        return replace(
            binding,
            zone=self.zone,
            date_order=self.date_order,
            initiator=replace(binding.initiator, networks=self.internal),
            hosts=list(hosts.networks),
            host_names=hosts.texts(),
        )

    def targets_of(self, format: Format) -> frozenset[str] | None:
        """Return the columns to read of a format; None for all.

        All are read of a format whose flows or trailer are compared in `pyarrow`.
        """
        migrates = self.several and format.name in (AZURE_NETWORK_ANALYTICS.name, AZURE_NTA.name)
        if self.targets is None or migrates or format.trailer:
            return None
        return self.targets | frozenset(RECORD_COLUMNS if format.counters == "flow" else ())

    def kept(self, format: Format) -> Kept:
        """Return the extra columns of a log of this format."""
        if not self.named_ends or self.keep is True or format.name != AZURE_NTA.name:
            return self.keep
        return tuple(dict.fromkeys([*(self.keep or ()), *NAMED_ENDS, *NAMED_ENDS.values()]))
