"""Precision, recall and false alarms of counted outcomes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Tally:
    """Counts of one rule on one kind of behaviour."""

    found: int = 0
    wanted: int = 0
    true: int = 0
    false: int = 0
    host_days: float = 0.0

    @property
    def recall(self) -> float | None:
        """Share of the truth that was found."""
        return self.found / self.wanted if self.wanted else None

    @property
    def precision(self) -> float | None:
        """Share of the alarms that are true."""
        alarms = self.true + self.false
        return self.true / alarms if alarms else None

    @property
    def false_per_host_day(self) -> float | None:
        """False alarms for each host and day."""
        return self.false / self.host_days if self.host_days else None

    def __add__(self, other: Tally) -> Tally:
        """Sum two counts."""
        return Tally(
            self.found + other.found,
            self.wanted + other.wanted,
            self.true + other.true,
            self.false + other.false,
            self.host_days + other.host_days,
        )
