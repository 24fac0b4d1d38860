"""Measurements of one run, stored as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.jobs import JOBS
from benchmarks.measure import Case, Measurement, MeasurementError


@dataclass(frozen=True)
class Results:
    """Measurements of one run, and its environment."""

    machine: dict[str, str]
    measurements: list[Measurement] = field(default_factory=list)

    def add(self, measured: Measurement) -> None:
        """Add a measurement whose result equals those of its case.

        Raises
        ------
        MeasurementError
            If the result differs: times of different results are not comparable.
        """
        for other in self.of(measured.case):
            differing = [
                f"{what} ({other.digests.get(what)}, {measured.digests.get(what)})"
                for what in sorted(other.digests.keys() | measured.digests.keys())
                if other.digests.get(what) != measured.digests.get(what)
            ]
            if differing:
                raise MeasurementError(
                    f"{other.peer} and {measured.peer} differ at {measured.case} in: "
                    + ", ".join(differing)
                )
        self.measurements.append(measured)

    def cases(self, job: str) -> list[Case]:
        """Return the cases of a job, in the order measured."""
        return list(dict.fromkeys(m.case for m in self.measurements if m.case.job == job))

    def of(self, case: Case) -> list[Measurement]:
        """Return the measurements of a case."""
        return [m for m in self.measurements if m.case == case]

    def find(self, case: Case, peer: str) -> Measurement | None:
        """Return the measurement of a peer in a case."""
        return next((m for m in self.of(case) if m.peer == peer), None)

    def ours(self, case: Case) -> Measurement | None:
        """Return flowtriage's measurement, the reference of ratios."""
        return self.find(case, JOBS[case.job].peers[0].name)

    def ratio(self, case: Case, peers: Iterable[str]) -> float | None:
        """Return the time of the fastest of these peers divided by flowtriage's."""
        ours = self.ours(case)
        others = [m.median for peer in peers if (m := self.find(case, peer))]
        return min(others) / ours.median if ours and others else None

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read the JSON of `write`."""
        content = json.loads(path.read_text(encoding="utf-8"))
        measured = [Measurement.from_json(fields) for fields in content["measurements"]]
        return cls(content["machine"], measured)
