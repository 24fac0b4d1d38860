"""The order of day and month in the dates of the logs of one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from flowtriage.errors import ArgumentError
from flowtriage.formats.declaration import Binding, Outcome
from flowtriage.quality import BadRow

MAX_WAITING = 16
"""Parts of a log that wait for a date that shows the order: 128 MB of text, or a million rows."""
_ORDERS = {"mdy": "month first", "dmy": "day first"}
_OPTIONS = (
    'read_flows(…, date_order="mdy") (month first) or "dmy" (day first), '
    "or --date-order on the command line"
)
Key = TypeVar("Key")
Part = Callable[[Binding], Outcome]


@dataclass
class DateOrders:
    """The orders that the logs of one call show, each with the first date that does.

    `look` yields those of logs that were not read yet; it is called once, if a log is ambiguous.
    """

    look: Callable[[], Iterator[Mapping[str, BadRow]]] | None = None
    shown: dict[str, BadRow] = field(default_factory=dict)

    def of_all(self) -> Mapping[str, BadRow]:
        """Return the orders of all logs."""
        if self.look:
            look, self.look = self.look, None
            for shown in look():
                self.shown = {**shown, **self.shown}
        return self.shown


class DateOrder(Generic[Key]):
    """Reader of the parts of a log whose dates show the order of day and month.

    A number beyond 12 shows it. Parts with ambiguous dates wait until a later date does. If none
    does, they have the order that the other logs of the call show.
    """

    def __init__(
        self, source: str, binding: Binding, orders: DateOrders, *, by_row: bool = False
    ) -> None:
        self._source, self._by_row = source, by_row
        self._binding = binding
        self._orders = orders
        self._other: BadRow | None = None
        self._shown: dict[str, BadRow] = {}
        self._ambiguous: BadRow | None = None
        self._waiting: list[tuple[Key, Part]] = []

    def read(self, key: Key, part: Part) -> Iterator[tuple[Key, Outcome]]:
        """Yield the outcomes that are certain now, with the keys of their parts.

        Raises
        ------
        ArgumentError
            If dates contradict each other, or too many parts are ambiguous.
        """
        outcome = part(self._binding)
        is_ambiguous = self._note(outcome)
        if not self._shown and (is_ambiguous or self._waiting):
            self._waiting.append((key, part))
            if len(self._waiting) > MAX_WAITING:
                yield from self.finish()
            return
        yield from self._waited()
        yield key, self._certain(part) if is_ambiguous else outcome

    def finish(self) -> Iterator[tuple[Key, Outcome]]:
        """Yield the outcomes of parts that wait, in the order of the other logs.

        Raises
        ------
        ArgumentError
            If these show no order, or both.
        """
        if self._waiting and self._ambiguous:
            self._follow(self._ambiguous)
        yield from self._waited()

    def orders(self) -> list[tuple[str, str]]:
        """Return the log with its order, if there is one."""
        other = f" (as in {self._other.source})" if self._other else ""
        return [(self._source, f"{_ORDERS[order]}{other}") for order in self._shown]

    def _follow(self, ambiguous: BadRow) -> None:
        others = self._orders.of_all()
        if len(others) != 1:
            both = " and ".join(map(str, others.values()))
            why = f", and other logs show both orders ({both})" if both else ""
            raise ArgumentError(f"{ambiguous}{why}; give {_OPTIONS}")
        [(order, self._other)] = others.items()
        self._set(order, self._other)

    def _set(self, order: str, row: BadRow) -> None:
        self._shown[order] = row
        self._binding = replace(self._binding, date_order=order, date_order_shown=True)

    def _waited(self) -> Iterator[tuple[Key, Outcome]]:
        waiting, self._waiting = self._waiting, []
        for key, part in waiting:
            yield key, self._certain(part)

    def _certain(self, part: Part) -> Outcome:
        outcome = part(self._binding)
        self._note(outcome)
        return outcome

    def _note(self, outcome: Outcome) -> bool:
        """Note the dates of a part; return whether it has ambiguous ones."""
        dates = outcome[3]
        for order, name in _ORDERS.items():
            if order in dates and order not in self._shown:
                row = self._row(*dates[order], f"is a date with the {name}")
                self._set(order, row)
                self._orders.shown.setdefault(order, row)
        if len(self._shown) > 1:
            first, second = self._shown.values()
            raise ArgumentError(
                f"{first}, but {second}; to drop the dates of one order as bad rows, give "
                f"{_OPTIONS}"
            )
        if "ambiguous" in dates and self._ambiguous is None:
            self._ambiguous = self._row(
                *dates["ambiguous"], "is an ambiguous date, and no other date shows the order"
            )
        return "ambiguous" in dates

    def _row(self, number: int, column: str, value: str, reason: str) -> BadRow:
        return BadRow(self._source, number, column, value, reason, self._by_row)
