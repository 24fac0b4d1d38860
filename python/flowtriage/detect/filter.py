"""The flows behind a finding: evaluate its SQL condition on Arrow tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError
from flowtriage.inputs.arrow import FlowSource
from flowtriage.read.batches import flow_batches

COLUMNS = {
    **dict.fromkeys(("src_ip", "dst_ip", "protocol"), pa.string()),
    **dict.fromkeys(("src_port", "dst_port"), pa.int64()),
}
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+)|(?P<word>\w+)|(?P<sign>[(),=]))"
)


def flows_of(flows: FlowSource, finding: Mapping[str, Any] | str) -> pa.Table:
    """Return the flows behind a finding.

    Parameters
    ----------
    flows
        The flows that were given to `hunt`.
    finding
        A row of its result, as a mapping, or the `flows_filter` of one: conditions `column =
        literal`, `column IN (literal, …)` and `column IS NULL` over `src_ip`, `dst_ip`, `src_port`,
        `dst_port` and `protocol`, joined by AND, OR and parentheses. It is an SQL condition that
        databases evaluate in the same way.

    Returns
    -------
    pyarrow.Table
        The flows, in their order.

    Raises
    ------
    ArgumentError
        If the condition is not of this form.

    Examples
    --------
    >>> from flowtriage import hunt, sample
    >>> findings = hunt(sample.office_day(), detectors="port_scans")
    >>> flows_of(sample.office_day(), findings.to_pylist()[0]).num_rows == sample.SCAN.flows
    True
    """
    condition = finding if isinstance(finding, str) else finding["flows_filter"]
    expression = parse_filter(condition)
    reader = flow_batches(flows)
    batches = [batch.take(_rows(batch, expression)) for batch in reader]
    return pa.Table.from_batches(batches, reader.schema)


def _rows(batch: pa.RecordBatch, expression: pc.Expression) -> pa.Array:
    """Return the positions of the rows that fulfil a condition; columns may be absent."""

    def column(name: str, kind: pa.DataType) -> pa.Array:
        found = name in batch.schema.names
        return batch.column(name).cast(kind) if found else pa.nulls(batch.num_rows, kind)

    columns = {name: column(name, kind) for name, kind in COLUMNS.items()}
    rows = pa.array(range(batch.num_rows), pa.int64())
    return pa.table({**columns, "row": rows}).filter(expression)["row"].combine_chunks()


def parse_filter(condition: str) -> pc.Expression:
    """Parse the condition of a finding.

    Raises
    ------
    ArgumentError
        If it is not of the form that `flows_of` describes.

    Examples
    --------
    >>> parse_filter("dst_port IN (22, 23) AND protocol = 'tcp'")  # doctest: +ELLIPSIS
    <pyarrow.compute.Expression ...>
    """
    return _Parser(condition).parse()


class _Parser:
    """A recursive descent parser with one token of look-ahead."""

    def __init__(self, condition: str) -> None:
        self.condition = condition
        self.tokens = self._tokens()
        self.token = next(self.tokens)

    def parse(self) -> pc.Expression:
        expression = self._any()
        if self.token[0] != "end":
            raise self._error()
        return expression

    def _tokens(self) -> Iterator[tuple[str, str]]:
        text = self.condition.rstrip()
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise self._error()
            yield found.lastgroup, found[found.lastgroup]
            at = found.end()
        while True:
            yield "end", ""

    def _error(self) -> ArgumentError:
        return ArgumentError(
            f"{self.condition[:200]!r} is not the condition of a finding; give flows_filter"
        )

    def _next(self) -> str:
        _, text = self.token
        self.token = next(self.tokens)
        return text

    def _take(self, text: str) -> bool:
        """Skip a keyword or sign if it is next."""
        kind, found = self.token
        is_next = kind in ("word", "sign") and found.upper() == text
        if is_next:
            self._next()
        return is_next

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._error()

    def _any(self) -> pc.Expression:
        expression = self._all()
        while self._take("OR"):
            expression = expression | self._all()
        return expression

    def _all(self) -> pc.Expression:
        expression = self._one()
        while self._take("AND"):
            expression = expression & self._one()
        return expression

    def _one(self) -> pc.Expression:
        if self._take("("):
            expression = self._any()
            self._expect(")")
            return expression
        name = self._next()
        if name not in COLUMNS:
            raise self._error()
        column = pc.field(name)
        if self._take("IS"):
            self._expect("NULL")
            return column.is_null()
        if self._take("="):
            return column == self._literal()
        self._expect("IN")
        self._expect("(")
        values = [self._literal()]
        while self._take(","):
            values.append(self._literal())
        self._expect(")")
        return column.isin(values)

    def _literal(self) -> str | int:
        kind, text = self.token
        if kind not in ("text", "number"):
            raise self._error()
        self._next()
        return int(text) if kind == "number" else text[1:-1].replace("''", "'")
