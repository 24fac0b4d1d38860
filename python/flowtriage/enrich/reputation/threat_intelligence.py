"""Services of threat intelligence, asked through msticpy or through its interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowtriage.enrich.reputation.block_lists import BlockLists

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Answers:
    """What the providers of one source said.

    Attributes
    ----------
    frames
        Their answers, with the columns of msticpy's `TILookup`.
    supported
        Types of address that a provider can be asked about, by provider; None where it does not
        tell.
    errors
        What went wrong while asking a provider, by provider.
    """

    frames: list[pd.DataFrame] = field(default_factory=list)
    supported: dict[str, set[str] | None] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def ask(source: Any, kinds: Mapping[str, str], *, progress: bool) -> Answers:
    """Ask all providers of a source at once.

    Where that fails as a whole, because one provider cannot be reached, each is asked by itself,
    so that the others' answers are not lost.

    Parameters
    ----------
    source
        A msticpy `TILookup`, `BlockLists`, or anything with their `lookup_iocs`.
    kinds
        Type of each address, `ipv4` or `ipv6`.
    progress
        Whether the source may show its progress.
    """
    answers = Answers(supported=providers_of(source))
    if not answers.supported:
        return answers
    names = list(answers.supported)
    try:
        answers.frames.append(_look_up(source, kinds, names, progress))
    except Exception as error:
        if len(names) == 1:
            answers.errors[names[0]] = _reason(error)
        for name in names if len(names) > 1 else ():
            try:
                answers.frames.append(_look_up(source, kinds, [name], progress))
            except Exception as failed:
                answers.errors[name] = _reason(failed)
    return answers


def providers_of(source: Any) -> dict[str, set[str] | None]:
    """Return the providers that a source asks by default, and the types they can be asked for."""
    if isinstance(source, BlockLists):
        return {one.name: None for one in source.lists}
    loaded = getattr(source, "loaded_providers", None)
    if loaded is None:
        return {type(source).__name__: None}
    # Only its text tells which of them are asked by default.
    primary = [text for text in source.provider_status if text.endswith("(primary)")]
    return {
        name: set(types) if (types := getattr(provider, "supported_types", None)) else None
        for name, provider in loaded.items()
        if any(text.startswith(f"{name} - ") for text in primary)
    }


def _look_up(source: Any, kinds: Mapping[str, str], names: list[str], progress: bool) -> Any:
    data = dict(kinds)
    if not hasattr(source, "loaded_providers"):
        return source.lookup_iocs(data=data)
    return _apart(lambda: source.lookup_iocs(data=data, providers=names, progress=progress))


def _apart(call: Callable[[], Any]) -> Any:
    """Call where msticpy can run an event loop: not within one, unless that lets itself be nested.

    In notebooks msticpy makes the loop of the kernel such a one.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return call()
    if hasattr(loop, "_nest_patched"):
        return call()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def _reason(error: Exception) -> str:
    text = str(error.args[0]) if error.args else ""
    name = type(error).__name__
    first = text.strip().partition("\n")[0]
    return f"{name}: {first}" if first else name
