"""Exceptions of flowtriage.

Problems with files that the operating system reports keep their standard classes
(`FileNotFoundError`, `IsADirectoryError`, `PermissionError`).
"""


class FlowtriageError(Exception):
    """Base of every exception that flowtriage raises itself."""


class InputError(FlowtriageError, ValueError):
    """Data that cannot be used: the message says where and why."""


class FormatError(InputError):
    """A file or table whose format is not recognised, or which breaks its own format."""


class DatabaseError(FlowtriageError, ValueError):
    """An address database that cannot be read."""


class ArgumentError(FlowtriageError, ValueError):
    """An argument that the caller has to change."""


class ConfigurationError(FlowtriageError, ValueError):
    """A configuration that cannot be used: the message says which key and why."""


class StoreError(FlowtriageError):
    """A store that cannot be opened, read or written; nothing is half written."""


class StoreLockedError(StoreError):
    """A DuckDB file that another process has open."""


class ServiceError(FlowtriageError):
    """A service or program that was asked did not answer."""


class MissingExtraError(FlowtriageError, ImportError):
    """A library of an optional extra is not installed."""


class MsticnbMissingParameterError(FlowtriageError, ValueError):
    """A notebooklet was run without a parameter that it needs."""


class MsticnbDataProviderError(FlowtriageError):
    """A data provider is not known, not loaded, or lacks what was asked of it."""


class AmbiguousHostError(ArgumentError):
    """A host name that stands for several hosts.

    Attributes
    ----------
    candidates : tuple of str
        The names that it may stand for, in order.
    """

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        super().__init__(
            f"host name {name!r} is ambiguous: it may be {', '.join(candidates)}; "
            "give one of these, or an address"
        )
        self.candidates = candidates
