"""Selection of autonomous systems and their addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.peers import index_peers
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.errors import ArgumentError, MissingExtraError
from flowtriage.humanize import did_you_mean, joined, sanitize_array
from flowtriage.quality.sums import aggregated

if TYPE_CHECKING:
    from msticpy.nbwidgets import SelectSubset

AsnLike: TypeAlias = str | int
"""An autonomous system: its label, its name, `AS15169` or the number."""
_NUMBER = re.compile(r"(?:ASN?\s*)?(\d+)", re.IGNORECASE)
_LABEL = re.compile(r"(AS\d+)(?: (.+))?", re.DOTALL)


@dataclass(frozen=True)
class AsnChoices:
    """The autonomous systems that a host communicated with.

    `peers` has the `label` of the autonomous system, the `address` and the number of allowed
    `flows` of each public peer, and whether its rows are `folded`; `own` has the labels of the
    host's own addresses.
    """

    peers: pa.Table
    own: tuple[str, ...]

    @property
    def labels(self) -> list[str]:
        """Labels of all autonomous systems, sorted."""
        return sorted(pc.unique(self.peers["label"]).to_pylist())

    @property
    def folded_only(self) -> int:
        """Number of autonomous systems all of whose peers are folded."""
        sums = aggregated(self.peers, "label", [("folded", "all")])
        return int(pc.sum(sums["folded_all"]).as_py() or 0)

    @property
    def least_used(self) -> list[str]:
        """Labels of the least used quarter, except the host's own.

        Autonomous systems of folded peers alone are not among them.
        """
        sums = aggregated(self.peers, "label", [("flows", "sum"), ("folded", "all")])
        sums = sums.filter(pc.invert(sums["folded_all"]))
        if not len(sums):
            return []
        limit = pc.quantile(sums["flows_sum"], q=0.25)[0]
        rare = sums.filter(pc.less_equal(sums["flows_sum"], limit))["label"].to_pylist()
        return sorted(set(rare) - set(self.own))

    def labels_of(self, asns: AsnLike | Iterable[AsnLike]) -> list[str]:
        """Return the labels of autonomous systems.

        Raises
        ------
        ArgumentError
            If there is no such autonomous system; the message has the nearest labels.
        """
        several = [asns] if isinstance(asns, (str, int)) else asns
        labels = self.labels
        known: dict[str, list[str]] = {}
        for label in labels:
            for notation in dict.fromkeys(_notations(label)):
                known.setdefault(notation, []).append(label)
        found: dict[str, None] = {}
        for asn in (str(one).strip() for one in several):
            number = _NUMBER.fullmatch(asn)
            wanted = {asn.casefold(), *([f"as{int(number[1])}"] if number else [])}
            matching = {label for notation in wanted for label in known.get(notation, ())}
            if not matching:
                raise ArgumentError(f"unknown AS {asn!r}{did_you_mean(asn, labels)}")
            found |= dict.fromkeys(sorted(matching))
        return list(found)

    def addresses(self, labels: Iterable[str]) -> pa.Array:
        """Return the addresses of autonomous systems by label."""
        selected = pc.is_in(self.peers["label"], value_set=pa.array(list(labels), pa.string()))
        return self.peers.filter(selected)["address"].combine_chunks()


def _notations(label: str) -> list[str]:
    parts = _LABEL.fullmatch(label)
    return [part.casefold() for part in (label, *(parts.groups() if parts else ())) if part]


def asn_choices(
    index: pa.Table,
    host_addresses: Sequence[str],
    asn: AsnDatabase,
    folded: pa.Array | None = None,
) -> AsnChoices:
    """Return the autonomous systems of a host's peers, from its flow index.

    `folded` has the addresses whose rows in it are folded.
    """
    hosts = pc.unique(asn.lookup(host_addresses)["address"].drop_null())
    peers, _ = index_peers(index, hosts)
    known = asn.lookup(peers["address"])
    several = pa.array([], pa.string()) if folded is None else folded
    columns = {
        "label": _labels(known),
        "address": known["address"],
        "flows": peers["allowed"],
        "folded": pc.is_in(known["address"], value_set=several),
    }
    public = pa.table(columns).filter(pc.equal(known["ip_type"], "Public"))
    return AsnChoices(public, tuple(pc.unique(_labels(asn.lookup(hosts))).to_pylist()))


def _labels(known: pa.Table) -> pa.Array:
    """Return labels of autonomous systems as in `flowtriage.flow_summary`."""
    number = joined("AS", pc.cast(known["asn"], pa.string()))
    name = known["as_name"]
    both = pc.coalesce(joined(number, " ", name), name)
    return sanitize_array(pc.if_else(pc.fill_null(pc.equal(number, name), False), name, both))


def selector(choices: AsnChoices, selected: AsnLike | Iterable[AsnLike] | None) -> SelectSubset:
    """Return a widget to select ASNs; initially, None selects the least used."""
    try:
        from msticpy.nbwidgets import SelectSubset
    except ImportError as error:
        raise MissingExtraError(
            f'select_asns needs msticpy ({error}): pip install "flowtriage[notebook]"'
        ) from error
    initial = choices.least_used if selected is None else choices.labels_of(selected)
    return SelectSubset(choices.labels, default_selected=initial, auto_display=False)
