"""Notebooklets as functions of msticpy's entities."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from flowtriage.errors import MissingExtraError
from flowtriage.inputs.timespan import TimespanLike
from flowtriage.notebooklet.metadata import HasMetadata

if TYPE_CHECKING:
    from flowtriage.notebooklet.result import NotebookletResult

_ENTITIES = {"host": ("Host", "HostName"), "ip_address": ("IpAddress", "Address")}
"""msticpy's entity and its property of each entity type."""


class HasPivot(HasMetadata):
    """Mixin that makes `run` a function of msticpy's entities."""

    run: Callable[..., NotebookletResult]

    def get_pivot_run(
        self, get_timespan: Callable[[], TimespanLike]
    ) -> Callable[..., NotebookletResult]:
        """Return `run` with a default timespan.

        Parameters
        ----------
        get_timespan
            Returns the timespan of each call without one.
        """

        @wraps(self.run)
        def pivot_run(*args: Any, **kwargs: Any) -> NotebookletResult:
            if len(args) < 3 and not kwargs.keys() & {"timespan", "start", "end"}:
                kwargs["timespan"] = get_timespan()
            return self.run(*args, **kwargs)

        return pivot_run

    @classmethod
    def add_pivot_function(cls, pivot: Any = None) -> None:
        """Add the notebooklet to msticpy's entities of its types, in their container `nblt`.

        Each call of the function runs a new instance with the current providers.

        Parameters
        ----------
        pivot
            msticpy's `Pivot` with the default timespan; None takes the current one.

        Raises
        ------
        MissingExtraError
            If msticpy is not installed.
        """
        try:
            from msticpy.init.pivot import Pivot, PivotRegistration
        except ImportError:
            raise MissingExtraError(
                'pivot functions need msticpy: pip install "flowtriage[notebook]"'
            ) from None

        def run(*args: Any, **kwargs: Any) -> NotebookletResult:
            return cls().get_pivot_run((pivot or Pivot()).get_timespan)(*args, **kwargs)

        own = inspect.signature(cls.run)
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.name()).lower()
        run.__name__ = name
        run.__doc__ = cls.run.__doc__
        vars(run)["__signature__"] = own.replace(parameters=list(own.parameters.values())[1:])
        registration = PivotRegistration(
            input_type="value",
            entity_map=dict(_ENTITIES[kind] for kind in cls.entity_types() if kind in _ENTITIES),
            func_new_name=name,
            func_input_value_arg="value",
            src_func_name="run",
            can_iterate=False,
            return_raw_output=True,
        )
        Pivot.add_pivot_function(func=run, pivot_reg=registration, container="nblt")
