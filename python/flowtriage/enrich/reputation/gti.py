"""McAfee's GTI, through its client program."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from flowtriage.enrich.reputation.results import result_table
from flowtriage.enrich.reputation.severity import Severity
from flowtriage.errors import FormatError, ServiceError
from flowtriage.humanize import sanitize

_QUERY = "###QUERY###"
_MAX_FAILURES = 3
_FAILED, _OK = 1, 0


@dataclass(frozen=True)
class Gti:
    """McAfee's GTI, through its client program, called as Apache Spot calls it.

    The program is started without a shell. Other users of the machine can see its arguments,
    including the password, while it runs.

    Attributes
    ----------
    refclient
        Path of the program.
    server, user, password
        Arguments of the program.
    ci
        The request: JSON in which `###QUERY###` stands for the queries.
    timeout
        Timeout of one call, in seconds.
    """

    refclient: str
    server: str
    user: str
    password: str
    ci: str
    timeout: float = 60.0
    local = False
    providers = ("gti",)

    @classmethod
    def configured(cls, path: str | os.PathLike[str], timeout: float = 60.0) -> Gti:
        """Read the key `gti` of Spot's `reputation_config.json`.

        Raises
        ------
        FileNotFoundError, PermissionError
            If the file is missing or cannot be read.
        FormatError
            If the file is not JSON, or lacks a required key.
        """
        try:
            part = json.loads(Path(path).read_text(encoding="utf-8"))["gti"]
            names = ("refclient", "server", "user", "password", "ci")
            given = {name: str(part[name]) for name in names}
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise FormatError(
                f"{sanitize(str(path))} does not configure gti ({error!r}); it needs "
                "refclient, server, user, password and ci"
            ) from None
        if _QUERY not in given["ci"]:
            raise FormatError(f"{sanitize(str(path))}: gti.ci lacks {_QUERY}")
        return cls(**given, timeout=timeout)

    def query(self, addresses: pa.Array) -> pa.Table:
        """Look up addresses; the result of a failed call has unknown severity, as in Spot.

        Raises
        ------
        ServiceError
            If every call fails, or each of the first three.
        """
        severities: list[str] = []
        errors: list[str] = []
        for address in addresses.to_pylist():
            try:
                found, error = self._query(address), None
            except ServiceError as failure:
                found, error = Severity.UNKNOWN, failure
            severities.append(found.label)
            errors.append(str(error or ""))
            if error and all(errors) and len(errors) in (len(addresses), _MAX_FAILURES):
                raise error
        return result_table(
            addresses,
            Provider="gti",
            Result=True,
            Severity=pa.array(severities, pa.string()),
            Details=pa.array(errors, pa.string()),
            Reference=self.refclient,
            Status=pa.array([_FAILED if error else _OK for error in errors], pa.int64()),
            Network=pa.scalar(None, pa.string()),
        )

    def _query(self, address: str) -> Severity:
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
            errors = done.stderr.decode(errors="replace").strip()
            raise ServiceError(f"{self.refclient} ended with {done.returncode}: {errors}")
        try:
            result = json.loads(done.stdout)["a"][0]
            unknown = "aflag" in result or "rep" not in result
            return Severity.UNKNOWN if unknown else _severity(int(result["rep"]))
        except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
            raise ServiceError(f"{self.refclient} returned no JSON result") from None


def _severity(rep: int) -> Severity:
    """Return the severity of a GTI reputation, with Spot's limits."""
    if rep < 15:
        return Severity.INFORMATION
    if rep < 30:
        return Severity.UNKNOWN
    return Severity.WARNING if rep < 50 else Severity.HIGH
