"""Options of a session, with the names that msticnb gives them."""

from __future__ import annotations

from flowtriage.errors import ArgumentError
from flowtriage.humanize import did_you_mean, quoted

_NO_EFFECT = "Accepted for compatibility with msticnb; no effect."
_DEFINED: dict[str, tuple[bool | None, str]] = {
    "verbose": (True, _NO_EFFECT),
    "debug": (False, _NO_EFFECT),
    "show_sample_results": (False, _NO_EFFECT),
    "silent": (False, "Runs display nothing, unless the notebooklet or the run says otherwise."),
    "temp_silent": (None, "Overrides silent until it is None again."),
}
_values = {name: default for name, (default, _) in _DEFINED.items()}


def show() -> None:
    """Print the options with their defaults and descriptions."""
    for name, (default, text) in _DEFINED.items():
        print(f"{name} (default={default}): {text}")


def current() -> None:
    """Print the options with their values."""
    for name, value in _values.items():
        print(f"{name}: {value}")


def get_opt(option: str) -> bool | None:
    """Return the value of an option.

    Parameters
    ----------
    option
        Its name (see `show`).

    Raises
    ------
    ArgumentError
        If there is no such option.

    Examples
    --------
    >>> get_opt("silent")
    False
    """
    _check(option)
    if option == "silent" and _values["temp_silent"] is not None:
        return _values["temp_silent"]
    return _values[option]


def set_opt(option: str, value: bool | None) -> None:
    """Set an option for the session.

    Parameters
    ----------
    option
        Its name (see `show`).
    value
        True or False, or a number; `temp_silent` may be None.

    Raises
    ------
    ArgumentError
        If there is no such option, or the value is of another type.
    """
    _check(option)
    if value is None and option == "temp_silent":
        _values[option] = None
        return
    if not isinstance(value, int | float):
        raise ArgumentError(f"option {option} is True or False, got {value!r}")
    _values[option] = bool(value)


def _check(option: str) -> None:
    if not isinstance(option, str) or option not in _DEFINED:
        raise ArgumentError(f"unknown option {quoted(option)}{did_you_mean(option, _DEFINED)}")
