"""Exceptions of flowtriage.

File errors of the operating system keep their standard classes (`FileNotFoundError`,
`IsADirectoryError`, `PermissionError`).
"""

from __future__ import annotations


class FlowtriageError(Exception):
    """Base class of all exceptions of flowtriage."""


class InputError(FlowtriageError, ValueError):
    """Invalid data; the message states the position and the reason."""


class FormatError(InputError):
    """An unknown format, or a file or table that violates its format."""


class DatabaseError(FlowtriageError, ValueError):
    """An unreadable address database."""


class ArgumentError(FlowtriageError, ValueError):
    """An invalid argument."""


class ConfigurationError(FlowtriageError, ValueError):
    """An invalid configuration; the message states the key and the reason."""


class StoreError(FlowtriageError):
    """A failure to open, read or write a store; the transaction is rolled back."""


class StoreLockedError(StoreError):
    """A DuckDB file that is locked by another process."""


class ServiceError(FlowtriageError):
    """A service or program that did not respond."""


class MissingExtraError(FlowtriageError, ImportError):
    """A library of an optional extra that is not installed."""


class MsticnbMissingParameterError(FlowtriageError, ValueError):
    """A missing or invalid parameter of a notebooklet."""


class MsticnbDataProviderError(FlowtriageError):
    """A data provider that is unknown, not loaded, or lacks a requested query."""


class AmbiguousHostError(ArgumentError):
    """A host name that matches several hosts.

    Attributes
    ----------
    name : str
        The ambiguous name.
    candidates : tuple of str
        Full names of the matching hosts, sorted.
    """

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        super().__init__(
            f"host name {name!r} is ambiguous: it may be {', '.join(candidates)}; "
            "give one of these, or an address"
        )
        self.name, self.candidates = name, candidates

    def __reduce__(self) -> tuple[type[AmbiguousHostError], tuple[str, tuple[str, ...]]]:
        """Return the arguments for pickling."""
        return type(self), (self.name, self.candidates)
