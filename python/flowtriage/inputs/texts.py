"""Text that can be encoded: Python strings may have unpaired surrogates, and paths null bytes."""

from __future__ import annotations

import os

from flowtriage.errors import ArgumentError


def is_text(value: str) -> bool:
    r"""Return whether a string has no unpaired surrogates.

    Examples
    --------
    >>> is_text("web"), is_text("web\udcfc")
    (True, False)
    """
    return value == escaped(value)


def escaped(value: str) -> str:
    r"""Return a string with unpaired surrogates escaped.

    Examples
    --------
    >>> print(escaped("web\udcfc"))
    web\udcfc
    """
    return value.encode("utf-8", "backslashreplace").decode()


def path_argument(path: str | os.PathLike[str]) -> str:
    """Return a path that the operating system can have; a surrogate may stand for a byte.

    Raises
    ------
    ArgumentError
        If the path has a null byte or an unpaired surrogate.
    """
    try:
        encoded = os.fsencode(path)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise ArgumentError(
            f"{os.fspath(path)!r} is not a path; it has characters that no path has"
        )
    return os.fspath(path)
