"""The base class of notebooklets."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partialmethod
from typing import TYPE_CHECKING, Any, ClassVar

from flowtriage.errors import ArgumentError
from flowtriage.humanize import did_you_mean
from flowtriage.inputs.arrow import FlowSource
from flowtriage.inputs.timespan import (
    TimeLike,
    Timespan,
    TimespanLike,
    as_msticpy,
    parse_timespan,
)
from flowtriage.msticnb import is_silent, keep_registered
from flowtriage.notebooklet.environment import HasProviders, load_named
from flowtriage.notebooklet.functions import NBFunc, as_nb_func
from flowtriage.notebooklet.pivot import HasPivot
from flowtriage.notebooklet.result import NotebookletResult
from flowtriage.options import get_opt
from flowtriage.providers import DataProviders
from flowtriage.render.notebook import can_show
from flowtriage.render.section import Section

if TYPE_CHECKING:
    from msticpy.common.timespan import TimeSpan


@dataclass(frozen=True)
class RunArguments:
    """Parsed arguments of `run`; without a timespan, `span` is None."""

    value: Any
    data: Any
    options: set[str]
    span: Timespan | None
    silent: bool


class Notebooklet(HasPivot, HasProviders, ABC):
    """A packaged investigation that runs on an entity and a timespan.

    Parameters
    ----------
    data_providers
        Providers of flows and other data; None takes the current `DataProviders` at each run.
    silent
        Whether runs display nothing; None takes the option `silent` of the session.
    **parameters
        Parameters of providers that are not loaded yet, as for `DataProviders`.

    Attributes
    ----------
    metadata : Metadata
        Name, options and section titles, from the YAML file beside the class.
    module_path : str
        Path of the module of the class.

    Raises
    ------
    ArgumentError
        If a parameter has no provider.
    MsticnbDataProviderError
        If there are parameters, but no query provider.
    """

    _functions: ClassVar[dict[str, NBFunc]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Create the dictionary of attached functions, and document the options of `run`."""
        super().__init_subclass__(**kwargs)
        cls._functions = {}
        cls.document_options()

    def __init__(
        self,
        data_providers: DataProviders | None = None,
        *,
        silent: bool | None = None,
        **parameters: Any,
    ) -> None:
        """Make a new instance of the notebooklet."""
        self._data_providers = data_providers
        if parameters:
            load_named(data_providers or DataProviders.current(), parameters)
        self.silent = silent
        self._result: NotebookletResult | None = None
        self._options: list[str] | None = None
        self._created = datetime.now(UTC)
        self._context: dict[str, Any] = {}

    @abstractmethod
    def run(
        self,
        value: Any = None,
        data: FlowSource | None = None,
        timespan: TimespanLike | None = None,
        options: Iterable[str] | None = None,
        *,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        silent: bool | None = None,
    ) -> NotebookletResult:
        """Run the notebooklet.

        Parameters
        ----------
        value
            The entity to investigate, such as the name or address of a host.
        data
            The data; None queries the providers.
        timespan
            The timespan of the data, start and end included.
        options
            Names of options; None takes the default ones, `+name` adds to them and `-name`
            removes from them.

        Other Parameters
        ----------------
        start, end
            Alternative to `timespan`.
        silent
            Whether this run displays nothing; None takes the setting of the notebooklet.

        Returns
        -------
        NotebookletResult
            The result.
        """

    @property
    def result(self) -> NotebookletResult | None:
        """Result of the latest run, or None."""
        return self._result

    @property
    def options(self) -> list[str]:
        """Options of the latest run; before it, the default ones."""
        return self.default_options() if self._options is None else list(self._options)

    @property
    def timespan(self) -> TimeSpan | Timespan | None:
        """Timespan of the latest run (see `NotebookletResult`); before it, the latest day."""
        if self._result is None:
            return as_msticpy(Timespan(self._created - timedelta(days=1), self._created))
        return self._result.timespan

    @property
    def silent(self) -> bool:
        """Whether runs display nothing; None takes the option `silent` of the session."""
        if self._silent is not None:
            return self._silent
        return bool(get_opt("silent")) or is_silent()

    @silent.setter
    def silent(self, value: bool | None) -> None:
        self._silent = None if value is None else bool(value)

    def check_valid_result_data(self, attrib: str | None = None, silent: bool = False) -> bool:
        """Return whether there is a result, and whether an attribute of it has data.

        Parameters
        ----------
        attrib
            Name of the attribute; None checks for a result only.
        silent
            Whether not to print why the check fails.

        Returns
        -------
        bool
            Also False if the result lacks the attribute, or the attribute has no rows.
        """
        problem = None
        if self._result is None:
            problem = "There is no result yet; call run() first."
        elif attrib:
            content = getattr(self._result, attrib, None)
            if content is None or (hasattr(content, "iloc") and not len(content)):
                problem = f"The result has no data in {attrib}."
        if problem and not silent:
            print(problem)
        return problem is None

    @classmethod
    def own_classes(cls) -> list[type]:
        """Return the notebooklet's own classes, without the bases of all notebooklets."""
        return [kind for kind in cls.__mro__ if kind not in Notebooklet.__mro__]

    def get_methods(self) -> dict[str, Callable[..., Any]]:
        """Return the notebooklet's own methods by name, without inherited ones and properties."""
        names = {name for kind in self.own_classes() for name in vars(kind)}
        public = [name for name in sorted(names) if not name.startswith("_")]
        return {name: getattr(self, name) for name in public if _is_method(type(self), name)}

    def list_methods(self) -> list[str]:
        """Return the name and description of each of the notebooklet's own methods."""
        return [
            f"{name} - '{(inspect.getdoc(method) or '').partition(chr(10))[0]}'"
            for name, method in self.get_methods().items()
        ]

    @classmethod
    def add_nb_function(
        cls,
        nb_func: NBFunc | Callable[..., Any] | str,
        *,
        name: str | None = None,
        options: str | Iterable[str] | None = None,
        header: str | None = None,
        text: str | None = None,
        result_attrib: str | None = None,
    ) -> None:
        """Attach a function to the notebooklet's class; replace one of the same name.

        Parameters
        ----------
        nb_func
            An `NBFunc`, a function, or its name as `package.module:function`.
        name, options, header, text, result_attrib
            Parameters of `NBFunc`, if `nb_func` is none.

        Raises
        ------
        ArgumentError
            If there is no function of that name, or parameters are given with an `NBFunc`.
        """
        made = as_nb_func(
            nb_func,
            name=name,
            options=options,
            header=header,
            text=text,
            result_attrib=result_attrib,
        )
        cls._functions[made.name] = made

    def run_nb_func(self, nb_func: NBFunc | str, **kwargs: Any) -> Any:
        """Run a function on the latest result.

        Parameters
        ----------
        nb_func
            Name of an attached function, or an `NBFunc`.
        **kwargs
            Further arguments of the function; they replace the default ones.

        Returns
        -------
        object
            What the function returns; None if the latest run had none of its options.

        Raises
        ------
        ArgumentError
            If there is no result yet, or no attached function of that name.
        """
        if isinstance(nb_func, str):
            if nb_func not in self._functions:
                near = did_you_mean(nb_func, self._functions) or "; no function is attached"
                raise ArgumentError(f"unknown function {nb_func!r}{near}")
            nb_func = self._functions[nb_func]
        if self._result is None:
            raise ArgumentError("there is no result yet; call run() first")
        if not nb_func.wanted(self._context["options"]):
            return None
        own = {"result": self._result, "notebooklet": self, "qry_prov": self.query_provider}
        returned = nb_func.call({**own, **self._context, **kwargs})
        if nb_func.result_attrib:
            setattr(self._result, nb_func.result_attrib, returned)
        if nb_func.header:
            section = Section(nb_func.header, nb_func.text or "")
            if returned is not None:
                section = section.with_contents(returned if can_show(returned) else str(returned))
            self._result.present(section, silent=self._context["silent"])
        return returned

    def run_nb_funcs(self) -> dict[str, Any]:
        """Run all attached functions on the latest result.

        Returns
        -------
        dict
            Returned values by name of the function.

        Raises
        ------
        ArgumentError
            If there is no result yet.
        """
        return {name: self.run_nb_func(func) for name, func in self._functions.items()}

    def _run_arguments(
        self,
        value: Any,
        data: Any,
        timespan: TimespanLike | None,
        options: Iterable[str] | None,
        *,
        start: TimeLike | None,
        end: TimeLike | None,
        silent: bool | None,
    ) -> RunArguments:
        """Parse the arguments that all `run` methods have."""
        requested = self.requested_options(options)
        self._options = [name for name in self.all_options() if name in requested]
        return RunArguments(
            value,
            data,
            requested,
            parse_timespan(timespan, start=start, end=end),
            self.silent if silent is None else bool(silent),
        )

    def _finish(self, result: NotebookletResult, arguments: RunArguments) -> None:
        """Make a result the latest one; keep the arguments for attached functions."""
        self._result = result
        self._context = {
            "value": arguments.value,
            "data": arguments.data,
            "timespan": result.timespan,
            "options": sorted(arguments.options),
            "silent": arguments.silent,
        }


def _is_method(cls: type, name: str) -> bool:
    """Return whether an attribute of a class is a method, without evaluating it."""
    attribute = inspect.getattr_static(cls, name)
    return callable(attribute) or isinstance(attribute, classmethod | partialmethod)


keep_registered(Notebooklet)
