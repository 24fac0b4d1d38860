"""What a run of a notebooklet is asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar

from flowtriage.errors import ArgumentError
from flowtriage.inputs.timespan import Timespan, parse_timespan
from flowtriage.msticnb import register
from flowtriage.notebooklet.environment import HasProviders, add_pivot_function
from flowtriage.notebooklet.functions import NBFunc, as_nb_func
from flowtriage.notebooklet.metadata import HasMetadata
from flowtriage.notebooklet.result import NotebookletResult
from flowtriage.render.notebook import can_show, show
from flowtriage.render.section import Section


@dataclass(frozen=True)
class RunArguments:
    """Arguments of `run` as they are meant.

    Attributes
    ----------
    value, data
        As they were given.
    options
        Names of the options that were chosen.
    span
        The span of time; None for that of the data.
    silent
        Whether to show nothing.
    """

    value: Any
    data: Any
    options: set[str]
    span: Timespan | None
    silent: bool


class Notebooklet(HasMetadata, HasProviders, ABC):
    """A packaged investigation that is run on an entity and a timespan.

    Parameters
    ----------
    data_providers
        Where flows come from when no data is given; None takes, at each run, the current
        `DataProviders`.
    silent
        Whether to show nothing while running.

    Attributes
    ----------
    metadata : Metadata
        What the notebooklet says of itself, from the YAML file beside its class.
    """

    _functions: ClassVar[dict[str, NBFunc]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Give each class functions of its own."""
        super().__init_subclass__(**kwargs)
        cls._functions = {}

    def __init__(self, data_providers: Any = None, **kwargs: Any) -> None:
        self._data_providers = data_providers
        self._silent = bool(kwargs.pop("silent", False))
        self._result: NotebookletResult | None = None
        self._context: dict[str, Any] = {}
        if kwargs:
            raise ArgumentError(f"unknown parameters: {', '.join(sorted(kwargs))}")
        register(Notebooklet)

    @abstractmethod
    def run(
        self,
        value: Any = None,
        data: Any = None,
        timespan: Any = None,
        options: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> NotebookletResult:
        """Run the notebooklet.

        Parameters
        ----------
        value
            What is looked at, such as the name or address of a host.
        data
            Where to read from, if not from the providers.
        timespan
            Only what happened in this span, both ends included.
        options
            What to do instead of the default options; names that begin with `+` or `-` add to
            them and take from them.

        Returns
        -------
        NotebookletResult
            What was found.
        """

    @property
    def result(self) -> NotebookletResult | None:
        """Result of the most recent run, or None."""
        return self._result

    @property
    def silent(self) -> bool:
        """Whether runs show nothing."""
        return self._silent

    @silent.setter
    def silent(self, value: bool) -> None:
        self._silent = bool(value)

    def check_valid_result_data(self, attrib: str | None = None, silent: bool = False) -> bool:
        """Tell whether there is a result, and whether an attribute of it holds data.

        Parameters
        ----------
        attrib
            Name of the attribute; None asks for the result only.
        silent
            Whether to print nothing where the answer is no.

        Returns
        -------
        bool
            False as well for an attribute that the result does not have, and for no rows.
        """
        problem = None
        if self._result is None:
            problem = "There is no result yet; call run() first."
        elif attrib:
            held = getattr(self._result, attrib, None)
            if held is None or (hasattr(held, "iloc") and not len(held)):
                problem = f"The result holds no data in {attrib}."
        if problem and not silent:
            print(problem)
        return problem is None

    @classmethod
    def own_classes(cls) -> list[type]:
        """Return the classes that make this notebooklet, without its bases."""
        return [kind for kind in cls.__mro__ if kind not in Notebooklet.__mro__]

    def get_methods(self) -> dict[str, Callable[..., Any]]:
        """Return the methods of the notebooklet itself, without inherited ones, by name."""
        names = {name for kind in self.own_classes() for name in vars(kind)}
        methods = {n: getattr(self, n) for n in sorted(names) if not n.startswith("_")}
        return {name: method for name, method in methods.items() if callable(method)}

    def list_methods(self) -> list[str]:
        """Return the name and description of each method of the notebooklet itself."""
        return [
            f"{name} - '{(method.__doc__ or '').strip().splitlines()[0]}'"
            for name, method in self.get_methods().items()
        ]

    def get_pivot_run(self, get_timespan: Callable[[], Any]) -> Callable[..., Any]:
        """Return `run` as a function that takes its timespan from elsewhere.

        Parameters
        ----------
        get_timespan
            Asked for the timespan at each call that does not give one.
        """

        @wraps(self.run)
        def pivot_run(*args: Any, **kwargs: Any) -> NotebookletResult:
            if len(args) < 3 and not kwargs.keys() & {"timespan", "start", "end"}:
                kwargs["timespan"] = get_timespan()
            return self.run(*args, **kwargs)

        return pivot_run

    @classmethod
    def add_pivot_function(cls, pivot: Any = None) -> None:
        """Make the notebooklet a function of msticpy's entities, in their container `nblt`.

        Parameters
        ----------
        pivot
            msticpy's `Pivot` that tells the timespan; None takes the current one.
        """
        add_pivot_function(cls, pivot)

    @classmethod
    def add_nb_function(cls, nb_func: NBFunc | Callable[..., Any] | str, **kwargs: Any) -> None:
        """Attach a function to the notebooklet's class; one of the same name is replaced.

        Parameters
        ----------
        nb_func
            An `NBFunc`, a function, or the text `package.module:function` that names one.
        **kwargs
            Parameters of `NBFunc`, for what is none yet.

        Raises
        ------
        ArgumentError
            If the text names no function.
        """
        made = as_nb_func(nb_func, **kwargs)
        cls._functions[made.name] = made

    def run_nb_func(self, nb_func: NBFunc | str, **kwargs: Any) -> Any:
        """Run a function on the latest result, and return what it returns.

        Parameters
        ----------
        nb_func
            Name of an attached function, or an `NBFunc`.
        **kwargs
            More parameters for the function, or other values for what it is given.

        Returns
        -------
        Any
            None where the latest run had none of the function's options.

        Raises
        ------
        ArgumentError
            If there is no result yet, or no function of that name.
        """
        if isinstance(nb_func, str):
            if nb_func not in self._functions:
                known = ", ".join(self._functions) or "none"
                raise ArgumentError(f"no function {nb_func!r} is attached; attached are: {known}")
            nb_func = self._functions[nb_func]
        if self._result is None:
            raise ArgumentError("there is no result yet; call run() first")
        if not nb_func.wanted(self._context["options"]):
            return None
        given = {"result": self._result, "notebooklet": self, "qry_prov": self.query_provider}
        returned = nb_func.call({**given, **self._context, **kwargs})
        if nb_func.result_attrib:
            setattr(self._result, nb_func.result_attrib, returned)
        if nb_func.header:
            shown = returned if returned is None or can_show(returned) else str(returned)
            section = Section(nb_func.header, nb_func.text or "")
            section = section if shown is None else section.with_contents(shown)
            self._present(self._result, section, silent=self._context["silent"])
        return returned

    def run_nb_funcs(self) -> dict[str, Any]:
        """Run all attached functions on the latest result.

        Returns
        -------
        dict
            What each function returns, by its name.

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
        timespan: Any,
        options: Iterable[str] | None,
        keywords: Mapping[str, Any],
        *own: str,
    ) -> RunArguments:
        """Read the arguments of `run`, whose keywords may be those of all runs and its `own`."""
        if unknown := keywords.keys() - {"start", "end", "silent", *own}:
            raise ArgumentError(f"unknown parameters of run: {', '.join(sorted(unknown))}")
        chosen = self.choose_options(options)
        span = parse_timespan(timespan, start=keywords.get("start"), end=keywords.get("end"))
        silent = keywords.get("silent")
        return RunArguments(
            value, data, chosen, span, self.silent if silent is None else bool(silent)
        )

    def _present(self, result: NotebookletResult, section: Section, *, silent: bool) -> None:
        """Keep a section in the result, and show it unless silent."""
        result.sections.append(section)
        if not silent:
            show(section)

    def _finish(self, result: NotebookletResult, asked: RunArguments) -> None:
        """Make a result the latest one, with what it was asked for."""
        self._result = result
        self._context = {
            "value": asked.value,
            "data": asked.data,
            "timespan": result.timespan,
            "options": sorted(asked.options),
            "silent": asked.silent,
        }
