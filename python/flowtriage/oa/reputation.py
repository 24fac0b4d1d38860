"""What services say of addresses, brought together by severity.

A service is anything with `name` and `check(addresses) -> {address: text}`. A text is like
`gti:High:3`: who says it, what, and how severe it is (3 high, 2 medium, 1 minimal, -1 unverified);
more may follow after another colon. Texts of one address are joined by `::`, the worst first.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from flowtriage.asn import embedded
from flowtriage.errors import FormatError, MissingExtraError, ServiceError
from flowtriage.report.text import visible
from flowtriage.reputation import BlockLists

LABELS = {"high": "High:3", "warning": "Medium:2", "information": "Minimal:1"}
UNVERIFIED = "Unverified:-1"

_SEVERITY = re.compile(r"[^:]*:[^:]*:(-?\d+)(?::|$)")
_QUERY = "###QUERY###"
_REASON = 160


class Service(Protocol):
    """What can be asked about addresses."""

    name: str

    def check(self, addresses: Sequence[str]) -> Mapping[str, str]:
        """Return what is known of addresses; those of which nothing is known may be left out."""


@dataclass(frozen=True)
class Reputations:
    """What services said.

    Attributes
    ----------
    texts : dict of str to str
        What is known of each address, the worst first.
    problems : dict of str to str
        Services that failed, and why.
    """

    texts: dict[str, str]
    problems: dict[str, str]


def check(addresses: Iterable[str], services: Sequence[Service]) -> Reputations:
    """Ask services about addresses; one that fails does not cost the answers of others.

    Examples
    --------
    >>> class Fixed:
    ...     def __init__(self, name, text):
    ...         self.name, self._text = name, text
    ...     def check(self, addresses):
    ...         return {address: f"{self.name}:{self._text}" for address in addresses}
    >>> check(["192.0.2.1"], [Fixed("a", "Minimal:1"), Fixed("b", "High:3")]).texts
    {'192.0.2.1': 'b:High:3::a:Minimal:1'}
    """
    asked = sorted(set(addresses))
    said: dict[str, list[str]] = {}
    problems: dict[str, str] = {}
    for service in services:
        try:
            answers = service.check(asked)
        except Exception as error:
            problems[service.name] = visible(f"{type(error).__name__}: {error}", _REASON)
            continue
        for address, text in answers.items():
            said.setdefault(address, []).append(text)
    texts = {
        address: "::".join(sorted(said[address], key=_worst_first)) for address in sorted(said)
    }
    return Reputations(texts, problems)


def severity(text: str) -> int:
    """Return how severe a text of a service is; 0 where it does not tell.

    Examples
    --------
    >>> severity("gti:High:3"), severity("gti:Unverified:-1"), severity("seen once")
    (3, -1, 0)
    """
    found = _SEVERITY.match(text)
    return int(found[1]) if found else 0


def _worst_first(text: str) -> tuple[int, str]:
    return -severity(text), text


class BlockListService:
    """Local block lists; nothing leaves the machine.

    Parameters
    ----------
    lists
        The lists. A listed address is told with the network that holds it.
    """

    name = "block lists"

    def __init__(self, lists: BlockLists) -> None:
        self._lists = lists

    def check(self, addresses: Sequence[str]) -> dict[str, str]:
        """Return which lists have the addresses."""
        import pyarrow.compute as pc

        asked = pa.array(addresses, pa.string())
        said: dict[str, list[str]] = {}
        for one in self._lists.lists:
            found = one.find(asked)
            listed = pc.is_valid(found["network"])
            hits = found.filter(listed).append_column("address", asked.filter(listed))
            for hit in hits.select(["address", "network", "severity"]).to_pylist():
                label = LABELS[hit["severity"] or self._lists.severity]
                text = f"{_plain(one.name)}:{label}:{hit['network']}"
                said.setdefault(hit["address"], []).append(text)
        return {address: "::".join(sorted(s, key=_worst_first)) for address, s in said.items()}


class TIService:
    """Services of threat intelligence, through msticpy; only public addresses are asked about.

    Parameters
    ----------
    source
        msticpy's `TILookup`, or anything with its `lookup_iocs`.
    """

    name = "threat intelligence"

    def __init__(self, source: Any) -> None:
        self._source = source

    def check(self, addresses: Sequence[str]) -> dict[str, str]:
        """Return what providers say; those that do not know an address are left out."""
        from flowtriage.reputation import look_up

        found = look_up(addresses, [self._source])
        known = found.results[found.results["Result"].eq(True)]
        said: dict[str, list[str]] = {}
        rows = zip(known["Ioc"], known["Provider"], known["Severity"], strict=True)
        for address, provider, level in rows:
            text = f"{_plain(str(provider))}:{LABELS.get(level, UNVERIFIED)}"
            said.setdefault(address, []).append(text)
        if found.asked and found.unanswered == found.asked and len(found.coverage):
            raise ServiceError(f"no provider answered ({found.coverage['reason'].iloc[0]})")
        return {address: "::".join(sorted(s, key=_worst_first)) for address, s in said.items()}


@dataclass(frozen=True)
class Gti:
    """McAfee's GTI, through its client program, as Apache Spot calls it.

    Only public addresses are asked about. The program is started without a shell; other users of
    the machine can see its arguments, the password among them, while it runs.

    Attributes
    ----------
    refclient
        Path of the program.
    server, user, password
        Handed to it.
    ci
        The request, JSON in which `###QUERY###` stands for the questions.
    timeout
        Seconds that one call may take.
    """

    refclient: str
    server: str
    user: str
    password: str
    ci: str
    timeout: float = 60.0
    name = "gti"

    @classmethod
    def configured(cls, path: str | os.PathLike[str], timeout: float = 60.0) -> Gti:
        """Read `gti` of Spot's `reputation_config.json`.

        Raises
        ------
        FileNotFoundError, PermissionError
            As the operating system says.
        FormatError
            If the file is not JSON with that part, or lacks a key of it.
        """
        try:
            part = json.loads(Path(path).read_text(encoding="utf-8"))["gti"]
            names = ("refclient", "server", "user", "password", "ci")
            given = {name: str(part[name]) for name in names}
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(
                f"{visible(str(path))} does not configure gti ({error!r}); it needs "
                "refclient, server, user, password and ci"
            ) from None
        if _QUERY not in given["ci"]:
            raise FormatError(f"{visible(str(path))}: gti.ci lacks {_QUERY}")
        return cls(**given, timeout=timeout)

    def check(self, addresses: Sequence[str]) -> dict[str, str]:
        """Return the label of every public address; one whose call fails is unverified.

        Raises
        ------
        ServiceError
            If every call fails.
        """
        said: dict[str, str] = {}
        failed: list[ServiceError] = []
        for address in _public(addresses):
            try:
                said[address] = f"gti:{self._ask(address)}"
            except ServiceError as error:
                said[address] = f"gti:{UNVERIFIED}"
                failed.append(error)
                if len(failed) == len(said) >= 3:
                    break
        if failed and len(failed) == len(said):
            raise failed[0]
        return said

    def _ask(self, address: str) -> str:
        query = self.ci.replace(_QUERY, json.dumps({"op": "ip", "ip": address}))
        command = [self.refclient, "-s", self.server, "-q", query]
        command += ["-i", self.user, "-p", self.password, "-t"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=self.timeout, check=False)
        except OSError as error:
            raise ServiceError(f"cannot start {self.refclient}: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            raise ServiceError(f"{self.refclient} took more than {self.timeout:g} s") from None
        if done.returncode:
            told = done.stderr.decode(errors="replace").strip()
            raise ServiceError(f"{self.refclient} ended with {done.returncode}: {told}")
        try:
            answer = json.loads(done.stdout)["a"][0]
            unknown = "aflag" in answer or "rep" not in answer
            return UNVERIFIED if unknown else _label(int(answer["rep"]))
        except (ValueError, KeyError, IndexError, TypeError):
            raise ServiceError(f"{self.refclient} gave no answer in JSON") from None


def _label(rep: int) -> str:
    """Return Spot's label of a GTI reputation."""
    if rep < 15:
        return LABELS["information"]
    if rep < 30:
        return UNVERIFIED
    return LABELS["warning"] if rep < 50 else LABELS["high"]


def _public(addresses: Sequence[str]) -> list[str]:
    import pyarrow.compute as pc

    asked = pa.array(addresses, pa.string())
    kinds = embedded().lookup(asked)["ip_type"]
    public: list[str] = asked.filter(pc.equal(kinds, "Public").combine_chunks()).to_pylist()
    return public


def _plain(name: str) -> str:
    """Names stand between colons."""
    return visible(name.replace(":", " "), 60)


def open_services(
    block_lists: Sequence[str | os.PathLike[str]] = (),
    msticpy: Sequence[str] = (),
    gti: str | os.PathLike[str] | None = None,
    timeout: float = 60.0,
) -> list[Service]:
    """Open the services that are configured.

    Parameters
    ----------
    block_lists
        Files of block lists (see `BlockLists`).
    msticpy
        Names of msticpy's providers of threat intelligence.
    gti
        Spot's `reputation_config.json`.
    timeout
        Seconds that a call of the GTI client may take.

    Raises
    ------
    OSError
        As the operating system says.
    FormatError
        If a file is not what it should be.
    MissingExtraError
        If providers are named and msticpy is not installed.
    """
    services: list[Service] = []
    if block_lists:
        services.append(BlockListService(BlockLists(list(block_lists))))
    if msticpy:
        try:
            from msticpy.context.tilookup import TILookup
        except ImportError:
            raise MissingExtraError(
                "msticpy is needed for threat intelligence; "
                "install it with: pip install flowtriage[notebook]"
            ) from None
        services.append(TIService(TILookup(providers=list(msticpy))))
    if gti is not None:
        services.append(Gti.configured(gti, timeout))
    return services
