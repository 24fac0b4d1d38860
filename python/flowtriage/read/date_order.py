"""The order of day and month in the dates of a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
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


class DateOrder(Generic[Key]):
    """Reader of the parts of a log whose dates show the order of day and month.

    A number beyond 12 shows it. Parts with ambiguous dates wait until a later date does.
    """

    def __init__(self, source: str, binding: Binding, *, by_row: bool = False) -> None:
        self._source, self._by_row = source, by_row
        self._binding = binding
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
                self.finish()
            return
        waiting, self._waiting = self._waiting, []
        for earlier, waited in waiting:
            yield earlier, self._certain(waited)
        yield key, self._certain(part) if is_ambiguous else outcome

    def finish(self) -> None:
        """Raise `ArgumentError` if parts still wait."""
        if self._waiting and self._ambiguous:
            raise ArgumentError(f"{self._ambiguous}; give {_OPTIONS}")

    def _certain(self, part: Part) -> Outcome:
        outcome = part(self._binding)
        self._note(outcome)
        return outcome

    def _note(self, outcome: Outcome) -> bool:
        """Note the dates of a part; return whether it has ambiguous ones."""
        dates = outcome[3]
        for order, name in _ORDERS.items():
            if order in dates and order not in self._shown:
                self._shown[order] = self._row(*dates[order], f"is a date with the {name}")
                self._binding = replace(self._binding, date_order=order, date_order_shown=True)
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
