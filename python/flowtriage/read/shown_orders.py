"""Look-ahead at the sources of a call, for the order of day and month that their dates show."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import pyarrow as pa

from flowtriage.errors import FlowtriageError
from flowtriage.inputs.arrow import is_dataframe, is_rows
from flowtriage.quality import BadRow, ReadReport
from flowtriage.read.date_order import MAX_WAITING, DateOrders
from flowtriage.read.locate import locate
from flowtriage.read.logs import read_file
from flowtriage.read.objects import read_dataframe, read_rows
from flowtriage.read.options import Options
from flowtriage.read.tables import read_batches

_Read = Callable[[Options, ReadReport], Iterator[pa.Table]]


def with_date_orders(options: Options, source: Any) -> Options:
    """Return the options of one call, whose ambiguous dates follow those of its other logs.

    Open files and streams can be read once only; of these, only what was read before counts.
    """

    def look() -> Iterator[Mapping[str, BadRow]]:
        for read in _readings(source):
            yield _shown(read, options)

    return replace(options, orders=DateOrders(look))


def _shown(read: _Read, options: Options) -> Mapping[str, BadRow]:
    """Read the first parts of a log, until a date shows the order."""
    orders = DateOrders()
    # Errors are raised where the flows are read.
    with (
        suppress(FlowtriageError, OSError),
        closing(read(replace(options, orders=orders), ReadReport())) as tables,  # type: ignore[type-var]
    ):
        for _ in islice(tables, MAX_WAITING):
            if orders.shown:
                break
    return orders.shown


def _readings(source: Any) -> Iterator[_Read]:
    """Yield a function for each source that can be read twice."""
    if isinstance(source, (str, os.PathLike)):
        with suppress(FlowtriageError, OSError):
            for file in locate(source):
                if not file.hidden:
                    yield partial(read_file, file)
    elif is_dataframe(source):
        yield lambda options, report: read_batches(
            read_dataframe(source, options), "DataFrame", options, report
        )
    elif isinstance(source, pa.Table):
        yield lambda options, report: read_batches(source.to_reader(), "Table", options, report)
    elif is_rows(source):
        yield lambda options, report: read_batches(read_rows(source), "rows", options, report)
    elif isinstance(source, (list, tuple)):
        for part in source:
            yield from _readings(part)
