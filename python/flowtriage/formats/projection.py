"""Projection: the columns of a log that an aggregate of its flows needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from flowtriage.formats.declaration import Binding

_TEXTS = ("text", "observer", "protocol", "flags")
"""Kinds whose values are never bad."""
_SIDES = (("src_bytes", "src_packets"), ("dst_bytes", "dst_packets"))


def projected(binding: Binding, targets: Iterable[str]) -> Binding:
    """Return the binding without strings that are neither wanted nor evidence of the initiator.

    Other values are read, because a bad one makes its record bad.
    """
    wanted = {*targets, *(["protocol"] if _is_protocol_evidence(binding) else [])}
    fields = [f for f in binding.fields if f.target in wanted or f.kind not in _TEXTS]
    return replace(binding, fields=fields, projected=sorted(wanted))


def _is_protocol_evidence(binding: Binding) -> bool:
    """Return whether the protocol may show who initiated a flow."""
    initiator = binding.initiator
    declared = initiator.history, initiator.flags, initiator.icmp, initiator.icmp_ports
    found = {field.target for field in binding.fields}
    counted = all(found.intersection(side) for side in _SIDES)
    ports_of_icmp = any(field.unit == "icmp" for field in binding.fields)
    return counted or ports_of_icmp or any(declared) or bool(initiator.unassigned)
