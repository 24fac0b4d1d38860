"""docs/accuracy.md: the scorecard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accuracy import acceptance
from accuracy.captures import Scored
from accuracy.document import details, labelled, synthetic, text
from accuracy.document.markdown import table
from accuracy.figures import Figure
from accuracy.rules import FLOWTRIAGE, PEERS
from accuracy.speed import Speed
from accuracy.synthetic.scores import GridScore

__all__ = ["Results", "render"]


@dataclass(frozen=True)
class Results:
    """All that a run measured; the grids are empty if only captures were scored."""

    scored: Sequence[Scored]
    grid: Sequence[GridScore]
    hard: Sequence[GridScore]
    figures: Sequence[Figure]
    speed: Speed | None
    truth: str

    @property
    def ours(self) -> list[Scored]:
        """The scores of flowtriage on captures."""
        return [each for each in self.scored if each.rule == FLOWTRIAGE.name]


def render(results: Results) -> str:
    """Render the scorecard."""
    ours = next((each for each in results.grid if each.rule == FLOWTRIAGE.name), None)
    rows = (bound.row() for bound in acceptance.bounds(results.ours, ours, results.speed))
    parts = [
        text.INTRODUCTION.format(truth=results.truth),
        "## Targets\n\n" + table(("Figure", "Target", "Measured", ""), rows),
        labelled.section(results.scored),
        labelled.captures(results.scored),
        labelled.worth(results.ours),
        details.false_alarms(results.ours),
        details.misses(results.ours),
    ]
    if results.grid:
        parts.append(synthetic.section(results.grid, results.hard))
    parts += [text.MATCHING, text.THRESHOLDS, _peers(), _tolerances(results.figures)]
    return "\n".join(part.strip() + "\n" for part in parts if part)


def _peers() -> str:
    lines = [f"- **{rule.name}**: {rule.note}" for rule in (FLOWTRIAGE, *PEERS)]
    return text.PEERS + "\n".join(lines) + "\n"


def _tolerances(figures: Sequence[Figure]) -> str:
    rows = (
        (
            figure.name,
            "–" if figure.value is None else f"{figure.value:.3f}",
            f"{'+' if figure.lower_is_better else '-'}{figure.tolerance:g}"
            if figure.tolerance
            else "none",
        )
        for figure in figures
    )
    return text.TOLERANCES + table(("Figure", "Value", "Tolerance"), rows)
