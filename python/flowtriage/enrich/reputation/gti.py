"""McAfee's GTI, through its client program."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from flowtriage.enrich.asn import embedded
from flowtriage.enrich.reputation.severity import LABELS, UNVERIFIED
from flowtriage.errors import FormatError, ServiceError
from flowtriage.humanize import sanitize

_QUERY = "###QUERY###"


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
                f"{sanitize(str(path))} does not configure gti ({error!r}); it needs "
                "refclient, server, user, password and ci"
            ) from None
        if _QUERY not in given["ci"]:
            raise FormatError(f"{sanitize(str(path))}: gti.ci lacks {_QUERY}")
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
    return sanitize(name.replace(":", " "), 60)
