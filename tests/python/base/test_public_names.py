"""The names that `flowtriage` exports."""

from __future__ import annotations

from rlcompleter import Completer

import flowtriage as ft
from flowtriage import errors
from flowtriage.enrich.online import Online
from flowtriage.enrich.reputation.block_lists import BlockLists


def test_dir_and_completion_list_the_public_names() -> None:
    assert dir(ft) == sorted(ft.__all__)
    completer = Completer({"ft": ft})
    completed = [completer.complete("ft.", state) for state in range(len(ft.__all__) + 1)]
    public = {text.removeprefix("ft.").rstrip("()") for text in completed if text}
    assert public == set(ft.__all__)
    assert ft.__version__


def test_all_exceptions_are_exported() -> None:
    exceptions = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert exceptions <= set(ft.__all__)
    assert all(getattr(ft, name) is getattr(errors, name) for name in exceptions)


def test_arguments_of_public_functions_are_exported() -> None:
    assert ft.Online is Online
    assert ft.BlockLists is BlockLists
