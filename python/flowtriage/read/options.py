"""Read options of logs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from flowtriage.formats.declaration import Binding, Format
from flowtriage.read.extra_columns import Kept
from flowtriage.read.hosts import Hosts


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
    """Canonical columns that are read of tables, into `FlowParts`; None for all."""

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
