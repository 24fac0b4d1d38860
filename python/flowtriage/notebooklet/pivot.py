"""Notebooklets as pivot functions of msticpy's entities."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flowtriage.errors import MissingExtraError

if TYPE_CHECKING:
    from flowtriage.notebooklet.base import Notebooklet

_ENTITIES = {"host": {"Host": "HostName"}, "ip_address": {"IpAddress": "Address"}}


def add_pivot_function(notebooklet: type[Notebooklet], pivot: Any = None) -> None:
    """Add a notebooklet to the entities that it takes, in their container `nblt`.

    Parameters
    ----------
    notebooklet
        The class; each call runs a new instance, with the providers that are current then.
    pivot
        msticpy's `Pivot`, whose timespan is used unless a call gives its own; None takes the
        current one.

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

    def run(**kwargs: Any) -> Any:
        return notebooklet().get_pivot_run((pivot or Pivot()).get_timespan)(**kwargs)

    name = re.sub(r"(?<!^)(?=[A-Z])", "_", notebooklet.name()).lower()
    run.__name__ = name
    run.__doc__ = notebooklet.run.__doc__
    entities = [_ENTITIES[kind] for kind in notebooklet.entity_types() if kind in _ENTITIES]
    registration = PivotRegistration(
        input_type="value",
        entity_map={entity: field for of_kind in entities for entity, field in of_kind.items()},
        func_new_name=name,
        func_input_value_arg="value",
        src_func_name="run",
        can_iterate=False,
        return_raw_output=True,
    )
    Pivot.add_pivot_function(func=run, pivot_reg=registration, container="nblt")
