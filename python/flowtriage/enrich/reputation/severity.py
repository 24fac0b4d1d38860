"""The severity scale of block lists and threat intelligence."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """Severity of a reputation result, with msticpy's numbers.

    Examples
    --------
    >>> Severity.WARNING < Severity.HIGH, Severity.HIGH.label
    (True, 'high')
    """

    UNKNOWN = -1
    INFORMATION = 0
    WARNING = 1
    HIGH = 2

    @property
    def label(self) -> str:
        """The name in lower case."""
        return self.name.lower()


SEVERITY_WORDS = {
    **{severity.label: severity for severity in Severity},
    **dict.fromkeys(("info", "low"), Severity.INFORMATION),
    "medium": Severity.WARNING,
    "critical": Severity.HIGH,
}
"""Severity by the words that block lists and services use."""
_PARSED = {str(int(severity)): severity for severity in Severity} | SEVERITY_WORDS


def parse_severity(value: object) -> Severity:
    """Parse a severity of msticpy: a word, a number, or a member of its `ResultSeverity`.

    A whole number may be a float, as integers beside missing values are in pandas.

    Examples
    --------
    >>> parse_severity("High").label, parse_severity(1.0).label, parse_severity(None).label
    ('high', 'warning', 'unknown')
    """
    word = str(value).lower().removeprefix("resultseverity.").removesuffix(".0")
    return _PARSED.get(word, Severity.UNKNOWN)
