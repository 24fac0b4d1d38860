"""A small picture of amounts over time, without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STEP, _BAR, _HEIGHT, _MIN_BAR = 4, 3, 32, 2


@dataclass(frozen=True)
class Sparkline:
    """Amounts in intervals of equal length.

    Parameters
    ----------
    amounts
        Amount in each interval, in order.
    unit
        What an amount is, such as `flows per 20 min`.
    start, end
        The time of the first interval and the end of the last one.
    peak
        The largest amount.
    """

    amounts: Sequence[float]
    unit: str
    start: str
    end: str
    peak: str

    def as_html(self) -> str:
        """Render bars as SVG with a text alternative, and the times below them."""
        largest = max(self.amounts, default=0) or 1
        busy = sum(amount > 0 for amount in self.amounts)
        bars = "".join(
            _bar(at, amount / largest) for at, amount in enumerate(self.amounts) if amount > 0
        )
        label = (
            f"{self.unit} from {self.start} to {self.end}: in {busy} of {len(self.amounts)} "
            f"intervals, at most {self.peak}"
        )
        return (
            f'<div class="ft-spark"><svg viewBox="0 0 {_STEP * len(self.amounts)} {_HEIGHT}" '
            f'preserveAspectRatio="none" role="img" aria-label="{escape(label)}">'
            f'<path d="{bars}"/></svg><div aria-hidden="true"><p><span>{escape(self.start)}</span>'
            f"<span>{escape(self.end)}</span></p><p>{escape(self.unit)}, max. "
            f"{escape(self.peak)}</p></div></div>"
        )


def _bar(at: int, share: float) -> str:
    height = max(_MIN_BAR, round(share * _HEIGHT))
    return f"M{_STEP * at} {_HEIGHT}v-{height}h{_BAR}v{height}z"
