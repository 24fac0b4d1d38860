"""The bounds that the detectors must keep, and the measured values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accuracy.captures import Scored, total
from accuracy.figures import benign_total, inbound_beacons
from accuracy.kinds import BEACON, FLOOD, SCAN, UPLOAD
from accuracy.speed import ROWS, Speed
from accuracy.synthetic.scores import GridScore, accepted


@dataclass(frozen=True)
class Bound:
    """A bound on a measured value."""

    work: str
    bound: float
    value: float | None
    minimum: bool = True

    @property
    def reached(self) -> bool:
        """Whether the value keeps the bound."""
        if self.value is None:
            return False
        return self.value >= self.bound if self.minimum else self.value <= self.bound

    def row(self) -> tuple[str, str, str, str]:
        """Return the work, the bound, the value, and whether it is reached."""
        bound = f"at {'least' if self.minimum else 'most'} {self.bound:g}"
        if self.value is None:
            return self.work, bound, "–", "not measured"
        value = f"{self.value:.0f}" if float(self.value).is_integer() else f"{self.value:.3f}"
        return self.work, bound, value, "reached" if self.reached else "**not reached**"


def bounds(scored: Sequence[Scored], grid: GridScore | None, speed: Speed | None) -> list[Bound]:
    """Return the bounds of flowtriage's scores."""
    beacons, scans = total(scored, BEACON), total(scored, SCAN)
    benign = benign_total(scored)
    benign_uploads = benign_total(scored, UPLOAD).false + benign_total(scored, FLOOD).false
    rows = [
        Bound('Beacons and retries: recall on "sure" truth, inbound left out', 0.9, beacons.recall),
        Bound("Beacons and retries: precision", 0.8, beacons.precision),
        Bound("False alarms per host-day, benign captures", 1, benign.false_per_host_day, False),
        Bound('Port scans and host sweeps: recall on "sure" truth', 0.95, scans.recall),
        Bound("Port scans and host sweeps: precision", 0.95, scans.precision),
        Bound('Uploads: recall on "sure" truth', 1, total(scored, UPLOAD).recall),
        Bound('Floods: recall on "sure" truth', 1, total(scored, FLOOD).recall),
        Bound("Uploads and floods: false alarms, all benign captures", 1, benign_uploads, False),
        Bound("Inbound periodic clients reported", 0, inbound_beacons(scored), False),
    ]
    if grid is not None:
        inside = grid.tally(accepted())
        work = "Synthetic grid, jitter ≤ 30 %, loss ≤ 20 %, ≥ 12 calls: recall"
        rows.append(Bound(work, 0.95, inside.recall))
        work = "Synthetic grid: false alarms per host-day"
        rows.append(Bound(work, 1, inside.false_per_host_day, False))
    size = f"{ROWS // 1_000_000} million flows"
    time, memory = (None, None) if speed is None else (speed.ratio, speed.memory)
    rows.append(Bound(f"`hunt` of {size}: time, of that of `flow_index`", 3, time, False))
    rows.append(Bound(f"`hunt` of {size}: peak memory, of the input", 1, memory, False))
    return rows
