"""Flows in the answers to queries by name and by address, each record once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.hosts import addresses_of_name, observed_at
from flowtriage.inputs.arrow import check_names
from flowtriage.inputs.timespan import Timespan, within
from flowtriage.providers.queries import Answer
from flowtriage.read.detect import match
from flowtriage.read.named_ends import addresses_at_ends, named_ends
from flowtriage.read.source_columns import SOURCE_ROW, SourceColumns, column_names, read_frames

if TYPE_CHECKING:
    import pandas as pd

_Mask = npt.NDArray[np.bool_]


def check_columns(answer: Answer) -> None:
    """Raise an exception if an answer does not have the columns of flows."""
    names = column_names(answer.frame)
    check_names(pa.schema([(name, pa.null()) for name in names]))
    match(names, answer.query)


@dataclass(frozen=True)
class AnsweredFlows:
    """An answer, the flows that were read from it, with `SOURCE_ROW`, and its columns."""

    answer: Answer
    flows: pa.Table
    columns: SourceColumns

    @classmethod
    def read(cls, answer: Answer) -> Self:
        """Read the flows of an answer."""
        flows, columns = read_frames([answer.frame])
        return cls(answer, flows.to_arrow(), columns)

    @property
    def hosts(self) -> list[str]:
        """Names of the hosts that observed the flows, or that are named at their ends."""
        names: list[str] = pc.unique(self.flows["host"]).drop_null().to_pylist()
        return [*names, *named_ends(self.flows, self.columns)]

    def addresses(self, name: str, span: Timespan) -> tuple[str, ...]:
        """Return the addresses of a host that the flows of a timespan report."""
        flows = within(self.flows, span)
        return (*addresses_of_name(flows, name), *addresses_at_ends(flows, self.columns, name))

    def is_observed(self, name: str) -> bool:
        """Return whether a host observed any of the flows."""
        return bool(pc.any(observed_at(self.flows, name)).as_py())

    def observed(self, name: str) -> AnsweredFlows:
        """Return the rows of a host, and those without flows, such as bad ones."""
        return self._select(~self._rows(pc.invert(observed_at(self.flows, name))))

    def unobserved(self, name: str, earlier: Sequence[AnsweredFlows]) -> AnsweredFlows:
        """Return the rows of other hosts, and those without flows that no earlier answer has."""
        rows = ~self._rows(observed_at(self.flows, name))
        without = self._without_flows
        if without.any():
            hashes = _hashes(self.answer.frame[without])
            for other in earlier:
                known = _hashes(other.answer.frame[other._without_flows])
                rows[np.flatnonzero(without)[np.isin(hashes, known)]] = False
        return self._select(rows)

    def has_endpoint(self, addresses: Sequence[str]) -> bool:
        """Return whether a flow has one of these addresses."""
        chosen = pa.array(addresses, pa.string())
        ends = (pc.is_in(self.flows[end], value_set=chosen) for end in ("src_ip", "dst_ip"))
        return bool(pc.any(pc.or_(*ends)).as_py())

    @property
    def _without_flows(self) -> _Mask:
        return ~self._rows(pa.repeat(pa.scalar(value=True), len(self.flows)))

    def _rows(self, mask: pa.ChunkedArray | pa.Array) -> _Mask:
        """Return the rows that the chosen flows were read from."""
        rows = np.zeros(len(self.answer.frame), dtype=bool)
        rows[self.flows[SOURCE_ROW].filter(mask).to_numpy()] = True
        return rows

    def _select(self, rows: _Mask) -> AnsweredFlows:
        answer = Answer(self.answer.table, self.answer.query, self.answer.frame[rows])
        # The flows are numbered by the rows of the whole answer.
        return AnsweredFlows(answer, self.flows.slice(0, 0), SourceColumns())


def joined(
    named: Sequence[AnsweredFlows],
    addressed: Sequence[AnsweredFlows],
    name: str,
    addresses: Sequence[str],
) -> list[AnsweredFlows]:
    """Join the answers about the name and about the addresses of a host, without repeated rows.

    If there are none of the host, return those that show whose the rows are.
    """
    if any(part.is_observed(name) for part in named):
        own = [part.observed(name) for part in named]
        parts = [*own, *(part.unobserved(name, named) for part in addressed)]
    elif any(part.has_endpoint(addresses) for part in addressed) or not named:
        parts = list(addressed)
    else:
        parts = list(named)
    return [part for part in parts if len(part.answer.frame)]


def _hashes(frame: pd.DataFrame) -> npt.NDArray[np.uint64]:
    import pandas as pd

    hashes: Any = pd.util.hash_pandas_object(frame.astype(str), index=False)
    return np.asarray(hashes, dtype=np.uint64)
