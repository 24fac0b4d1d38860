"""Attributes that are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Later:
    """A value to be made when an `OnDemand` attribute is first read.

    Attributes
    ----------
    make
        Makes the value; a function of a module, or a `functools.partial` of one, can be pickled.
    """

    make: Callable[[], Any]


class OnDemand:
    """An attribute that may be set to `Later`, and then holds what that makes.

    Examples
    --------
    >>> class Result:
    ...     table = OnDemand()
    >>> result = Result()
    >>> result.table = Later(lambda: ["made"])
    >>> result.table is result.table
    True
    """

    def __set_name__(self, owner: type, name: str) -> None:
        """Learn the attribute's name."""
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        """Return the value, made now if it was not yet."""
        if instance is None:
            return self
        try:
            value = vars(instance)[self._name]
        except KeyError:
            raise AttributeError(self._name) from None
        if isinstance(value, Later):
            value = vars(instance)[self._name] = value.make()
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        """Take a value, or what makes it later."""
        vars(instance)[self._name] = value
