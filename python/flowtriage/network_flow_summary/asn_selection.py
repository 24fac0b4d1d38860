"""Choosing autonomous systems: which there are, which are least used, whose addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.peers import index_peers
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.errors import MissingExtraError
from flowtriage.humanize import joined, sanitize_array


@dataclass(frozen=True)
class AsnChoices:
    """The autonomous systems that a host communicated with.

    Attributes
    ----------
    peers : pyarrow.Table
        `label` (safe to look at) of the autonomous system and `address` of each public peer,
        with its allowed `flows`.
    own : tuple of str
        Labels of the host's own addresses, without repetition.
    """

    peers: pa.Table
    own: tuple[str, ...]

    @property
    def labels(self) -> list[str]:
        """All autonomous systems, in order."""
        return sorted(pc.unique(self.peers["label"]).to_pylist())

    @property
    def least_used(self) -> list[str]:
        """Those with as few flows as the least used quarter has, without the host's own."""
        sums = self.peers.group_by("label", use_threads=False).aggregate([("flows", "sum")])
        if not len(sums):
            return []
        limit = pc.quantile(sums["flows_sum"], q=0.25)[0]
        rare = sums.filter(pc.less_equal(sums["flows_sum"], limit))["label"].to_pylist()
        return sorted(set(rare) - set(self.own))

    def addresses(self, labels: Iterable[str]) -> pa.Array:
        """Return the addresses of some autonomous systems."""
        chosen = pc.is_in(self.peers["label"], value_set=pa.array(list(labels), pa.string()))
        return self.peers.filter(chosen)["address"].combine_chunks()


def asn_choices(index: pa.Table, host_addresses: Sequence[str], asn: AsnDatabase) -> AsnChoices:
    """Find the autonomous systems at the other ends of a host's flows.

    Parameters
    ----------
    index
        Result of `flowtriage.flow_index`.
    host_addresses
        Addresses of the host.
    asn
        Database of autonomous systems.
    """
    hosts = pc.unique(asn.lookup(host_addresses)["address"].drop_null())
    peers, _ = index_peers(index, hosts)
    known = asn.lookup(peers["address"])
    columns = {"label": _labels(known), "address": known["address"], "flows": peers["allowed"]}
    public = pa.table(columns).filter(pc.equal(known["ip_type"], "Public"))
    return AsnChoices(public, tuple(pc.unique(_labels(asn.lookup(hosts))).to_pylist()))


def _labels(known: pa.Table) -> pa.Array:
    """Name autonomous systems as `flowtriage.flow_summary` does."""
    number = joined("AS", pc.cast(known["asn"], pa.string()))
    name = known["as_name"]
    both = pc.coalesce(joined(number, " ", name), name)
    return sanitize_array(pc.if_else(pc.fill_null(pc.equal(number, name), False), name, both))


def selector(choices: AsnChoices, selected: Iterable[str] | None) -> Any:
    """Make the widget to choose with.

    Parameters
    ----------
    choices
        What to choose from; at least one.
    selected
        What is chosen to begin with; None takes the least used.

    Returns
    -------
    msticpy.nbwidgets.SelectSubset

    Raises
    ------
    MissingExtraError
        If msticpy or ipywidgets is not installed.
    """
    try:
        from msticpy.nbwidgets import SelectSubset
    except ImportError as error:
        raise MissingExtraError(
            f'choosing needs msticpy and ipywidgets: pip install "flowtriage[notebook]" ({error})'
        ) from error
    begin = choices.least_used if selected is None else list(selected)
    return SelectSubset(choices.labels, default_selected=begin, auto_display=False)
