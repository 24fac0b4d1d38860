"""Looking up addresses, with an account of who was asked and who answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flowtriage.enrich.asn import embedded
from flowtriage.enrich.reputation.threat_intelligence import Answers, ask
from flowtriage.humanize import sanitize
from flowtriage.progress import report_progress

if TYPE_CHECKING:
    import pandas as pd

RESULTS = (
    *("Ioc", "IocType", "QuerySubtype", "Provider", "Result", "Severity", "Details"),
    *("RawResult", "Reference", "Status"),
)
_RANK = {"unknown": -1, "information": 0, "warning": 1, "high": 2}
_ANSWERED = (0, 4, 404)  # found, no data, and not found where a service says so by HTTP
_REASON = 160


@dataclass(frozen=True)
class Reputation:
    """What is known against addresses, and how much of it could be known.

    Attributes
    ----------
    results : pandas.DataFrame
        The answers, the most severe first: `Ioc` (the address), `IocType`, `QuerySubtype`,
        `Provider`, `Result` (whether it knows the address), `Severity`, `Details`, `RawResult`,
        `Reference`, `Status`.
    coverage : pandas.DataFrame
        A row for each provider: how many addresses it was `asked` about, of how many it
        `answered`, how many are `hits`, and how many are `unsupported` or `failed`, with the
        first `reason`. The asked are the answered, the unsupported and the failed.
    asked : int
        Number of distinct public addresses.
    withheld : int
        Number of distinct addresses that were not asked about because they are not public.
    unanswered : int
        Number of distinct public addresses that no provider answered.
    """

    results: pd.DataFrame
    coverage: pd.DataFrame
    asked: int
    withheld: int
    unanswered: int

    @property
    def hits(self) -> pd.DataFrame:
        """The answers of severity warning or high."""
        rank = self.results["Severity"].map(_RANK)
        return self.results[(rank >= _RANK["warning"]) & _answered(self.results)]

    def messages(self) -> list[str]:
        """Say what was found; that nothing was found only of addresses that were answered."""
        told = []
        if self.withheld:
            told.append(f"{_are(self.withheld)} not public, and sent to nobody.")
        if not self.asked:
            return [*told, "Nothing was asked."]
        if self.coverage.empty:
            return [*told, f"No provider is loaded: {_are(self.asked)} not asked about."]
        answered, hits = self.asked - self.unanswered, self.hits["Ioc"].nunique()
        if not answered:
            return [*told, f"No provider answered: nothing is known of {self.asked:,} asked about."]
        found = "none is" if not hits else f"{_are(hits)}"
        told.append(
            f"{answered:,} of {self.asked:,} public addresses have an answer; "
            f"{found} known as a threat."
        )
        if self.unanswered:
            told.append(f"Nothing is known of the other {self.unanswered:,}.")
        return told


def look_up(
    addresses: Iterable[str], sources: Sequence[Any], *, progress: bool = False
) -> Reputation:
    """Look up what is known against addresses.

    Only public addresses are asked about, each once, with its type.

    Parameters
    ----------
    addresses
        IPv4 and IPv6 addresses; null and empty text stand for a missing one.
    sources
        What to ask: msticpy's `TILookup`, `BlockLists`, or anything with their `lookup_iocs`.
    progress
        Whether msticpy may show a progress bar.

    Returns
    -------
    Reputation

    Raises
    ------
    InputError
        If a text is not an address.

    Examples
    --------
    >>> found = look_up(["10.0.0.1"], [])
    >>> found.messages()
    ['1 address is not public, and sent to nobody.', 'Nothing was asked.']
    """
    known = embedded().lookup(pa.array(list(addresses), pa.string()))
    types = dict(zip(*(known[name].to_pylist() for name in ("address", "ip_type")), strict=True))
    types.pop(None, None)
    public = [address for address, kind in types.items() if kind == "Public"]
    kinds = {address: "ipv6" if ":" in address else "ipv4" for address in public}
    answers = []
    for done, source in enumerate(sources if kinds else ()):
        report_progress("threat intelligence", done, len(sources))
        answers.append(ask(source, kinds, progress=progress))
    results = _results(answers)
    answered = results[_answered(results)]["Ioc"].nunique()
    return Reputation(
        results=results,
        coverage=_coverage(answers, results, kinds),
        asked=len(public),
        withheld=len(types) - len(public),
        unanswered=len(public) - answered,
    )


def _results(answers: Sequence[Answers]) -> pd.DataFrame:
    import pandas as pd

    frames = [frame for one in answers for frame in one.frames if len(frame)]
    if not frames:
        return pd.DataFrame(columns=list(RESULTS))
    results = pd.concat([frame.astype(object) for frame in frames], ignore_index=True)
    results = results.reindex(columns=list(RESULTS))
    results["Severity"] = _severity_names(results["Severity"])
    rank = results["Severity"].map(_RANK)
    return results.iloc[(-rank).argsort(kind="stable")].reset_index(drop=True)


def _severity_names(severities: pd.Series[Any]) -> pd.Series[Any]:
    names = severities.astype("string").str.lower().str.removeprefix("resultseverity.")
    numbers = {str(number): name for name, number in _RANK.items()}
    names = names.replace(numbers)
    return names.where(names.isin(list(_RANK)), "unknown").astype(object)


def _answered(results: pd.DataFrame) -> pd.Series[bool]:
    """Tell which rows are answers; msticpy puts an error, as text, in place of a raw result."""
    error = results["RawResult"].map(lambda raw: isinstance(raw, str)).eq(True) & ~results[
        "Result"
    ].eq(True)
    return results["Status"].isin(_ANSWERED) & ~(error & results["Status"].eq(0))


def _coverage(
    answers: Sequence[Answers], results: pd.DataFrame, kinds: dict[str, str]
) -> pd.DataFrame:
    import pandas as pd

    good = _answered(results)
    hits = good & (results["Severity"].map(_RANK) >= _RANK["warning"])
    rows = []
    for one in answers:
        for name, supported in one.supported.items():
            mine = results["Provider"].eq(name)
            answered = set(results[mine & good]["Ioc"])
            failed = set(results[mine & ~good]["Ioc"]) - answered
            silent = kinds.keys() - answered - failed
            unsupported = {a for a in silent if supported and kinds[a] not in supported}
            told = [one.errors[name]] if name in one.errors else []
            told += [str(text) for text in results[mine & ~good]["Details"].head(1)]
            told += ["gave no answer"] if silent - unsupported else []
            rows.append(
                {
                    "provider": name,
                    "asked": len(kinds),
                    "answered": len(answered),
                    "hits": results[mine & hits]["Ioc"].nunique(),
                    "unsupported": len(unsupported),
                    "failed": len(failed | (silent - unsupported)),
                    "reason": sanitize(told[0], _REASON) if told else None,
                }
            )
    names = ["provider", "asked", "answered", "hits", "unsupported", "failed", "reason"]
    return pd.DataFrame(rows, columns=names)


def _are(count: int) -> str:
    return f"{count:,} {'address is' if count == 1 else 'addresses are'}"
