"""Run rules over the synthetic grid, and count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import polars as pl

import flowtriage as ft
from accuracy import alarms
from accuracy.kinds import BEACON
from accuracy.rules import Rule
from accuracy.synthetic.beacons import PATHS, Beacon
from accuracy.synthetic.site import INTERNAL, Planted, Site, sites
from accuracy.tally import Tally

MIN_CALLS, MAX_JITTER, MAX_LOSS = 12, 0.3, 0.2
"""Bounds of the cells that the acceptance figure counts."""


@dataclass(frozen=True)
class GridScore:
    """What one rule found in a grid.

    `planted` has a row for each beacon: its parameters, `calls` in the log, and `found`. `false`
    has a row for each false alarm: detector, severity, port, protocol and AS name.
    """

    rule: str
    planted: pl.DataFrame
    false: pl.DataFrame
    host_days: int

    def tally(self, chosen: pl.Expr | None = None) -> Tally:
        """Count beacons that an expression selects, and all false alarms."""
        beacons = self.planted if chosen is None else self.planted.filter(chosen)
        found = int(beacons["found"].sum())
        true = int(self.planted["found"].sum())
        return Tally(found, beacons.height, true, self.false.height, self.host_days)


def accepted() -> pl.Expr:
    """Select the beacons of the acceptance figure."""
    return (
        pl.col("path").is_in(PATHS)
        & (pl.col("jitter") <= MAX_JITTER)
        & (pl.col("loss") <= MAX_LOSS)
        & (pl.col("calls") >= MIN_CALLS)
    )


def score_grid(cells: Sequence[Beacon], rules: Sequence[Rule], seed: int) -> list[GridScore]:
    """Return the scores of rules that look for beacons on the planted cells."""
    looking = [rule for rule in rules if rule.kinds is None or BEACON in rule.kinds]
    parts: dict[str, list[tuple[pl.DataFrame, pl.DataFrame]]] = {rule.name: [] for rule in looking}
    host_days = 0
    for site in sites(cells, seed):
        host_days += site.hosts
        planted = _planted(site)
        for rule in looking:
            parts[rule.name].append(_score(site, planted, rule))
    return [
        GridScore(
            name,
            pl.concat(planted for planted, _ in scored),
            pl.concat(false for _, false in scored),
            host_days,
        )
        for name, scored in parts.items()
    ]


def _planted(site: Site) -> pl.DataFrame:
    names = ft.AsnDatabase().lookup([each.dest for each in site.planted])
    known = dict(zip(names["address"].to_pylist(), names["as_name"].to_pylist(), strict=True))
    return pl.DataFrame(list(_rows(site.planted, known)))


def _rows(
    planted: Iterable[Planted], as_names: dict[str, str | None]
) -> Iterator[dict[str, object]]:
    for number, each in enumerate(planted):
        yield {
            "number": number,
            "source": each.source,
            "controller": each.dest,
            "network": as_names.get(each.dest),
            "port": each.port,
            "calls": each.calls,
            **asdict(each.beacon),
        }


def _score(site: Site, planted: pl.DataFrame, rule: Rule) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the planted beacons with `found`, and the false alarms."""
    raised = alarms.distinct(rule.run(site.flows, INTERNAL)).filter(
        pl.col("rank") >= alarms.WARNING
    )
    raised = raised.with_row_index("alarm")
    met = raised.join(planted, on="source", how="inner").filter(
        _same("dest", "controller")
        & _same("dst_port", "port")
        & (pl.col("dest").is_not_null() | _same("as_name", "network"))
    )
    hits = met.filter(pl.col("kind") == BEACON)
    found = pl.col("number").is_in(hits["number"].to_list())
    false = raised.filter(~pl.col("alarm").is_in(met["alarm"].to_list()))
    columns = ["detector", "severity", "source", "dest", "dst_port", "protocol", "as_name"]
    return planted.with_columns(found=found), false.select(*columns, "explanation")


def _same(ours: str, theirs: str) -> pl.Expr:
    return pl.col(ours).is_null() | (pl.col(ours) == pl.col(theirs)).fill_null(False)
