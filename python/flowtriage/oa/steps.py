"""The steps of a run, in order; each reads and updates the state of the day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from flowtriage.detect import detector_status
from flowtriage.detect.stored import as_rows
from flowtriage.humanize import counted
from flowtriage.oa import details as of_details
from flowtriage.oa import enrichment
from flowtriage.oa import notebooks as of_notebooks
from flowtriage.oa.day import Day
from flowtriage.oa.enrichment import open_sources
from flowtriage.oa.findings import note_of
from flowtriage.oa.stored_feedback import feedback_before, model_settings
from flowtriage.quality.numbers import flows_counted
from flowtriage.quality.sums import exact_sum


@dataclass(frozen=True)
class Outcome:
    """Number of rows, files or addresses that a step processed, with a note."""

    count: int
    note: str = ""


@dataclass(frozen=True)
class Step:
    """A step of a run; all steps that write to the store share one transaction.

    A step that `changes` the suspicious connections in memory is lost without a step that stores
    them.
    """

    name: str
    title: str
    do: Callable[[Day], Outcome]
    stores: bool = False
    changes: bool = False


def ingest(day: Day) -> Outcome:
    """Ingest the flows of log files."""
    if not day.logs:
        if day.in_memory is not None:
            return Outcome(0, "flows are in memory")
        bad = day.raw.report(day.date).rows_bad
        dropped = f"; {counted(bad, 'bad row')} dropped when the sources of the day were ingested"
        return Outcome(0, f"no logs given{dropped if bad else ''}")
    ingested = day.raw.ingest(day.logs, **day.read_options)
    return Outcome(ingested.flows, str(ingested))


def folders(day: Day) -> Outcome:
    """Create the folders of the day."""
    for folder in (day.data, day.ipynb):
        folder.mkdir(parents=True, exist_ok=True)
    return Outcome(2, f"{day.data}, {day.ipynb}")


def notebooks(day: Day) -> Outcome:
    """Copy the notebooks; keep existing ones, which analysts may have edited."""
    copied = of_notebooks.copy(day)
    return Outcome(len(copied), ", ".join(copied) or "all exist already")


def results(day: Day) -> Outcome:
    """Read ranked results, or rank the flows."""
    from flowtriage.oa import results as of_results

    if day.results is not None:
        limit = day.settings.ranking.limit
        read = of_results.read(day.results, day.mapping.results, limit)
        day.scores = day.mapping.scores(read)
        return Outcome(read.num_rows, f"read from {day.results}")
    from flowtriage.oa.model import load_model
    from flowtriage.oa.ranking import rank

    ranking = day.settings.ranking
    settings = model_settings(ranking)
    flows = day.require_flows()
    model = load_model(ranking.model) if ranking.model else None
    feedback = None if model else feedback_before(day.store, day.date, ranking.feedback_days)
    ranked = rank(flows, settings, feedback, ranking.seed, model=model)
    staging = day.create_staging()
    of_results.write(ranked.results, staging / "flow_results.csv")
    ranked.model.save(staging / "model.parquet")
    day.scores = day.mapping.scores(ranked.results)
    counts = (exact_sum(flows[name]) for name in ("flows", "denied_flows"))
    note = (
        f"{ranked.scored:,} of {counted(flows.num_rows, 'record')} scored "
        f"({flows_counted(*counts)}), {ranked.suspicious:,} at or below {settings.threshold:g}"
    )
    if ranked.unscored:
        note += f", {ranked.unscored:,} without address, time or protocol"
    if feedback is not None and feedback.num_rows:
        note += f"; trained with {counted(feedback.num_rows, 'analyst score')}"
    return Outcome(ranked.results.num_rows, note)


def context(day: Day) -> Outcome:
    """Add internal flags and network names."""
    files = day.settings.context
    day.scores = enrichment.add_context(day.scores, files.ipranges, files.network_context)
    return Outcome(day.scores.num_rows, _without(files.ipranges, files.network_context))


def geolocation(day: Day) -> Outcome:
    """Add locations and domains."""
    files = day.settings.context
    day.scores = enrichment.add_geolocation(day.scores, files.iploc, files.mmdb)
    return Outcome(day.scores.num_rows, _without(files.iploc))


def reputation(day: Day) -> Outcome:
    """Add reputation; report the sources that failed."""
    chosen = day.settings.reputation
    sources = open_sources(chosen.block_lists, chosen.msticpy, chosen.gti, chosen.timeout)
    day.scores, found = enrichment.add_reputation(day.scores, sources)
    failed = [f"{name} failed: {reason}" for name, reason in found.problems.items()]
    known = (
        f"{counted(found.known, 'address', 'addresses')} with reputation"
        if sources
        else "no source configured"
    )
    return Outcome(day.scores.num_rows, "; ".join([known, *failed]))


def store(day: Day) -> Outcome:
    """Store the suspicious connections."""
    return _replace(day, "flow_scores", of_details.with_flows(day.flows, day.scores))


def hunt(day: Day) -> Outcome:
    """Run all detectors over the flows of the day."""
    return Outcome(day.found.num_rows, note_of(day.found))


def findings(day: Day) -> Outcome:
    """Store the findings, and which detectors ran."""
    _replace(day, "flow_detectors", detector_status(day.found))
    return _replace(day, "flow_findings", as_rows(day.found))


def details(day: Day) -> Outcome:
    """Store the other flows between suspicious addresses."""
    edges = _replace(day, "flow_edge", of_details.edges(day.flows, day.scores))
    chords = _replace(day, "flow_chords", of_details.chords(day.flows, day.scores))
    return Outcome(edges.count + chords.count, f"{edges.note}, {chords.note}")


def ingest_summary(day: Day) -> Outcome:
    """Store the number of flows per minute."""
    return _replace(day, "flow_ingest_summary", of_details.ingest_summary(day.flows))


def _without(*files: Path | None) -> str:
    """Return a note about missing optional files."""
    absent = [path.name for path in files if path is not None and not path.is_file()]
    return f"without {', '.join(absent)}" if absent else ""


def _replace(day: Day, name: str, rows: pa.Table) -> Outcome:
    assert day.transaction is not None  # noqa: S101
    day.transaction.replace_day(name, day.date, rows)
    return Outcome(rows.num_rows, f"{counted(rows.num_rows, 'row')} of {name}")
