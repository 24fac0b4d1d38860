"""The figures that a test holds, with their tolerances."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from accuracy.captures import Scored, total
from accuracy.kinds import BEACON, FLOOD, LONG, SCAN, UPLOAD
from accuracy.matching import alarming
from accuracy.synthetic.beacons import HARD_PATHS, Beacon, grid
from accuracy.synthetic.scores import GridScore, accepted
from accuracy.tally import Tally

PATH = Path(__file__).parent / "results" / "figures.json"

SEED, REDUCED_SEED = 1, 2
"""Seeds of the grid, and of the part of it that tests run."""

REDUCED, FULL, HARD = "synthetic, reduced", "synthetic", "synthetic, hard"


@dataclass(frozen=True)
class Figure:
    """A measured value, and by how much it may become worse.

    Attributes
    ----------
    name
        What was measured.
    value
        The value; None if there was nothing to measure.
    tolerance
        Largest permitted deterioration.
    lower_is_better
        Whether a higher value is worse.
    """

    name: str
    value: float | None
    tolerance: float
    lower_is_better: bool = False

    def permits(self, value: float | None) -> bool:
        """Return whether a later value is not worse than the tolerance allows."""
        if self.value is None or value is None:
            return self.value is None
        worse = value - self.value if self.lower_is_better else self.value - value
        return worse <= self.tolerance + 1e-9


def cells() -> list[Beacon]:
    """Return the cells of the grid."""
    return grid()


def reduced_cells() -> list[Beacon]:
    """Return the cells that tests run."""
    return grid((60, 900, 3600), (0.0, 0.2, 0.3, 0.5), (0.0, 0.2, 0.4))


def hard_cells() -> list[Beacon]:
    """Return the cells whose path hides the rhythm or the network."""
    return grid((60, 300, 900, 3600), (0.0, 0.2), (0.0, 0.1), HARD_PATHS)


def labelled_figures(scored: Sequence[Scored]) -> list[Figure]:
    """Return the figures of flowtriage on labelled captures."""
    figures = []
    for kind, tolerance in ((BEACON, 0.05), (SCAN, 0.02), (UPLOAD, 0), (FLOOD, 0), (LONG, 0)):
        counts, hard = total(scored, kind), total(scored, kind, hard=True)
        figures += [
            Figure(f"captures: {kind}, recall (sure)", counts.recall, tolerance),
            Figure(f"captures: {kind}, recall (sure and hard)", hard.recall, tolerance),
            Figure(f"captures: {kind}, precision", counts.precision, 0.05),
        ]
    benign = benign_total(scored)
    figures.append(
        Figure("captures: false alarms per benign host-day", benign.false_per_host_day, 0.1, True)
    )
    figures.append(Figure("captures: inbound beacons reported", inbound_beacons(scored), 0, True))
    return figures


def grid_figures(name: str, score: GridScore) -> list[Figure]:
    """Return the figures of flowtriage on a grid."""
    counts = score.tally()
    figures = [Figure(f"{name}: recall, all cells", counts.recall, 0.02)]
    if name != HARD:
        inside = score.tally(accepted())
        figures.append(Figure(f"{name}: recall, accepted cells", inside.recall, 0.01))
    rate = counts.false_per_host_day
    return [*figures, Figure(f"{name}: false alarms per host-day", rate, 0.05, True)]


def benign_total(scored: Iterable[Scored], kind: str | None = None) -> Tally:
    """Sum the counts of the benign captures."""
    return total((each for each in scored if each.capture.benign), kind)


def inbound_beacons(scored: Iterable[Scored]) -> int:
    """Return the number of beacon alarms whose source is outside the internal networks."""
    return sum(
        each.alarm.kind == BEACON
        and each.alarm.source is not None
        and not part.capture.is_internal(each.alarm.source)
        and (each.alarm.dest is None or part.capture.is_internal(each.alarm.dest))
        for part in scored
        for each in alarming(part.judged)
    )


def write(figures: Iterable[Figure], path: Path = PATH) -> None:
    """Write figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(figure) for figure in figures], indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def read(path: Path = PATH) -> dict[str, Figure]:
    """Return the written figures by name."""
    written = json.loads(path.read_text(encoding="utf-8"))
    return {each["name"]: Figure(**each) for each in written}
