"""Functions attached to notebooklets."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from flowtriage.errors import ArgumentError


class NBFunc:
    """A function that a notebooklet runs on its latest result.

    Parameters
    ----------
    func
        The function. Its keyword arguments are those of the following that it has parameters
        for: `result`, `notebooklet`, `qry_prov` (the query provider, or None), `value`, `data`,
        `timespan`, `options`, `silent`.
    name
        Name to run it by; None takes that of the function.
    options
        One or more options of the notebooklet: the function runs only if the latest run had one
        of them. Default: it always runs.
    header, text
        Title and explanation of the result section with the returned value. Without a header
        there is no section.
    result_attrib
        Name of the result attribute for the returned value.

    Attributes
    ----------
    func, name, options, header, text, result_attrib
        As given; `options` is a tuple.
    doc : str or None
        The function's docstring.

    Examples
    --------
    >>> from flowtriage import NetworkFlowSummary, sample
    >>> def denied(result):
    ...     return int(result.network_flows["denied_flows"].sum())
    >>> nb = NetworkFlowSummary(silent=True)
    >>> run = nb.run(sample.HOST_IP, data=sample.office_day(), options=["flow_summary"])
    >>> nb.run_nb_func(NBFunc(denied, result_attrib="denied")) == run.denied
    True
    """

    def __init__(
        self,
        func: Callable[..., Any],
        name: str | None = None,
        options: str | Iterable[str] | None = None,
        header: str | None = None,
        text: str | None = None,
        result_attrib: str | None = None,
    ) -> None:
        self.func = func
        self.name = name or func.__name__
        self.options = (options,) if isinstance(options, str) else tuple(options or ())
        self.header = header
        self.text = text
        self.result_attrib = result_attrib
        self.doc = inspect.getdoc(func)

    def wanted(self, options: Iterable[str]) -> bool:
        """Return whether the function runs after a run with these options.

        Parameters
        ----------
        options
            Options of the run.
        """
        return not self.options or not set(self.options).isdisjoint(options)

    def call(self, context: dict[str, Any]) -> Any:
        """Call the function with the arguments that it has parameters for.

        Parameters
        ----------
        context
            All arguments by name.

        Returns
        -------
        object
            What the function returns.
        """
        parameters = inspect.signature(self.func).parameters
        if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            return self.func(**context)
        return self.func(**{name: value for name, value in context.items() if name in parameters})

    def __repr__(self) -> str:
        """Return the class and the name."""
        return f"NBFunc({self.name})"


def as_nb_func(
    nb_func: NBFunc | Callable[..., Any] | str,
    *,
    name: str | None = None,
    options: str | Iterable[str] | None = None,
    header: str | None = None,
    text: str | None = None,
    result_attrib: str | None = None,
) -> NBFunc:
    """Make an `NBFunc` of a function, or of its name as `module:function`."""
    parameters = {
        "name": name,
        "options": options,
        "header": header,
        "text": text,
        "result_attrib": result_attrib,
    }
    if isinstance(nb_func, NBFunc):
        if given := [key for key, value in parameters.items() if value is not None]:
            raise ArgumentError(
                f"{nb_func!r} takes no parameters ({', '.join(given)}); give them to NBFunc"
            )
        return nb_func
    if isinstance(nb_func, str):
        module, _, function = nb_func.partition(":")
        try:
            nb_func = getattr(import_module(module), function)
        except (ImportError, AttributeError, ValueError) as error:
            raise ArgumentError(
                f"unknown function {nb_func!r} ({error}); give package.module:function"
            ) from None
    if not callable(nb_func):
        raise ArgumentError(f"{nb_func!r} is not callable; give a function or its name")
    return NBFunc(nb_func, name, options, header, text, result_attrib)
