"""Match findings with the entries of an allow-list, by joins."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import AddressRanges
from flowtriage.detect.allow_entry import AllowEntry
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.enrich.services import service_ports
from flowtriage.inputs.coverage import Network

_ENDS = {"source": ("source",), "dest": ("dest",), "address": ("source", "dest")}
_COLUMNS = {"port": "dst_port", "detector": "detector", "finding": "finding"}
_FIRST_DEST = r"dst_ip (?:= |IN \()'(?P<ip>[^']+)'"
_ROW, _ENTRY = "row", "entry"


def first_matches(
    findings: pa.Table, entries: Sequence[AllowEntry], asn: AsnDatabase
) -> pa.ChunkedArray:
    """Return for each finding the index of the first entry that matches it, or null."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, entry in enumerate(entries):
        groups.setdefault(tuple(entry.criteria), []).append(index)
    rows = pa.table({_ROW: pa.array(range(findings.num_rows), pa.int64())})
    found = [
        _matches(rows, findings, names, {index: entries[index] for index in indices}, asn)
        for names, indices in groups.items()
    ]
    empty = pa.table({_ROW: pa.array([], pa.int64()), _ENTRY: pa.array([], pa.int64())})
    first = pa.concat_tables([empty, *found]).group_by(_ROW).aggregate([(_ENTRY, "min")])
    at = pc.index_in(rows[_ROW], value_set=first[_ROW].combine_chunks())
    return first[f"{_ENTRY}_min"].take(at)


def _matches(
    rows: pa.Table,
    findings: pa.Table,
    names: Sequence[str],
    entries: dict[int, AllowEntry],
    asn: AsnDatabase,
) -> pa.Table:
    """Return pairs of row and entry, for entries that have the same criteria."""
    keys = pa.table(
        {name: pa.array([str(entries[i].criteria[name]) for i in entries]) for name in names}
    ).append_column(_ENTRY, pa.array(entries, pa.int64()))
    for name in names:
        if name == "service":
            keys = keys.join(_ports_of(keys[name]), name).drop_columns([name])
            keys = keys.rename_columns({"registered": name})
        rows = rows.join(_values(findings, name, keys[name], asn), _ROW, join_type="inner")
    return rows.join(keys, list(names), join_type="inner").select([_ROW, _ENTRY])


def _values(findings: pa.Table, name: str, wanted: pa.ChunkedArray, asn: AsnDatabase) -> pa.Table:
    """Return the values of each row that a criterion can have, as text."""
    if name in _ENDS:
        networks = _Networks(pc.unique(wanted).to_pylist())
        parts = [networks.containing(findings[end], name) for end in _ENDS[name]]
        return pa.concat_tables(parts)
    if name == "asn":
        parts = [_systems(ends, asn) for ends in _addresses(findings)]
        return pa.concat_tables(parts).group_by([_ROW, name]).aggregate([])
    if name == "service":
        ports, protocols = findings["dst_port"].cast(pa.string()), findings["protocol"]
        return _numbered(pc.binary_join_element_wise(ports, protocols, "/"), name)
    return _numbered(findings[_COLUMNS[name]].cast(pa.string()), name)


def _ports_of(services: pa.ChunkedArray) -> pa.Table:
    """Return the ports of services, as `123/udp`."""
    pairs = [
        (service, f"{port}/{protocol}")
        for service in pc.unique(services).to_pylist()
        for port, protocol in service_ports(service)
    ]
    names, ports = zip(*pairs, strict=True)
    return pa.table({"service": pa.array(names), "registered": pa.array(ports)})


def _addresses(findings: pa.Table) -> Iterable[pa.ChunkedArray]:
    """Yield both ends; of several destinations in one network the first one."""
    first = pc.struct_field(pc.extract_regex(findings["flows_filter"], _FIRST_DEST), "ip")
    of_network = pc.if_else(pc.is_valid(findings["as_name"]), first, pa.scalar(None, pa.string()))
    return findings["source"], pc.coalesce(findings["dest"], of_network)


def _systems(addresses: pa.ChunkedArray, asn: AsnDatabase) -> pa.Table:
    """Return the AS number of each address that has one."""
    systems = asn._files.lookup(addresses.combine_chunks())["asn"]
    return _numbered(systems.cast(pa.string()), "asn")


def _numbered(values: pa.ChunkedArray, name: str) -> pa.Table:
    """Return the values that are not null, with their rows."""
    table = pa.table({_ROW: pa.array(range(len(values)), pa.int64()), name: values})
    return table.filter(pc.is_valid(table[name]))


class _Networks:
    """Distinct addresses and networks, which can contain each other."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._ranges = AddressRanges.from_networks(pa.array(texts, pa.string()))
        parsed = [ipaddress.ip_network(text) for text in texts]
        pairs = [(inner, texts[outer]) for inner, outer in _containing(parsed)]
        inner, outer = zip(*pairs, strict=True)
        self._containing = pa.table({"inner": pa.array(inner, pa.uint32()), "outer": outer})

    def containing(self, addresses: pa.ChunkedArray, name: str) -> pa.Table:
        """Return all networks that contain the address of each row."""
        narrowest = self._ranges.find(addresses.combine_chunks())["range"]
        joined = _numbered(narrowest, "inner").join(self._containing, "inner", join_type="inner")
        return joined.select([_ROW, "outer"]).rename_columns([_ROW, name])


def _containing(networks: Sequence[Network]) -> Iterable[tuple[int, int]]:
    """Yield for each network itself and those around it, as pairs of indices."""

    def order(index: int) -> tuple[int, int, int]:
        network = networks[index]
        return network.version, int(network.network_address), network.prefixlen

    around: list[int] = []
    for index in sorted(range(len(networks)), key=order):
        network = networks[index]
        while around and not _contains(networks[around[-1]], network):
            around.pop()
        around.append(index)
        for outer in around:
            yield index, outer


def _contains(outer: Network, inner: Network) -> bool:
    return (
        outer.version == inner.version
        and outer.prefixlen <= inner.prefixlen
        and inner.network_address in outer
    )
