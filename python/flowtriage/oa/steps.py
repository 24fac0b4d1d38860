"""The steps of a run, in order; each takes what is there and hands on what it makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from flowtriage.oa import details as of_details
from flowtriage.oa import enrichment
from flowtriage.oa import notebooks as of_notebooks
from flowtriage.oa.day import Day
from flowtriage.oa.enrichment import open_sources
from flowtriage.oa.stored_feedback import feedback_before, settings_of


@dataclass(frozen=True)
class Outcome:
    """What a step did: rows, files or addresses, and what there is to say of it."""

    count: int
    note: str = ""


@dataclass(frozen=True)
class Step:
    """A step of a run.

    Parameters
    ----------
    name
        Its name, for `run(steps=…)`.
    title
        What it does, for people.
    do
        Does it.
    stores
        Whether it changes the store; all such steps of a run are one transaction.
    """

    name: str
    title: str
    do: Callable[[Day], Outcome]
    stores: bool = False


def ingest(work: Day) -> Outcome:
    """Add the flows of log files to the raw flows."""
    if not work.logs:
        return Outcome(0, "no logs given" if work.given is None else "flows are in memory")
    done = work.raw.ingest(work.logs, **work.reading)
    return Outcome(done.flows, str(done))


def folders(work: Day) -> Outcome:
    """Create the folders of the day."""
    for folder in (work.data, work.ipynb):
        folder.mkdir(parents=True, exist_ok=True)
    return Outcome(2, f"{work.data}, {work.ipynb}")


def notebooks(work: Day) -> Outcome:
    """Copy the notebooks, but for those that are there, since analysts may have worked in them."""
    copied = of_notebooks.copy(work)
    return Outcome(len(copied), ", ".join(copied) or "all are there already")


def results(work: Day) -> Outcome:
    """Read ranked results, or make them."""
    from flowtriage.oa import results as of_results

    if work.results is not None:
        limit = work.settings.ranking.limit
        read = of_results.read(work.results, work.mapping.results, limit)
        work.scores = work.mapping.scores(read)
        return Outcome(read.num_rows, f"read from {work.results}")
    from flowtriage.oa.model import load_model
    from flowtriage.oa.ranking import rank

    chosen = work.settings.ranking
    settings = settings_of(chosen)
    flows = work.need_flows()
    stored = load_model(chosen.model) if chosen.model else None
    feedback = None if stored else feedback_before(work.store, work.day, chosen.feedback_days)
    ranked = rank(flows, settings, feedback, chosen.seed, model=stored)
    place = work.waiting()
    of_results.write(ranked.results, place / "flow_results.csv")
    ranked.model.save(place / "model.parquet")
    work.scores = work.mapping.scores(ranked.results)
    note = (
        f"{ranked.scored:,} flows scored, {ranked.suspicious:,} at or below {settings.threshold:g}"
    )
    if ranked.unscored:
        note += f", {ranked.unscored:,} without address, time or protocol"
    if feedback is not None and feedback.num_rows:
        note += f"; {feedback.num_rows:,} scores of analysts weighed in"
    return Outcome(ranked.results.num_rows, note)


def context(work: Day) -> Outcome:
    """Add whether addresses are internal, and what their networks are called."""
    chosen = work.settings.context
    work.scores = enrichment.add_context(work.scores, chosen.ipranges, chosen.network_context)
    return Outcome(work.scores.num_rows, _without(chosen.ipranges, chosen.network_context))


def geolocation(work: Day) -> Outcome:
    """Add where addresses are, and their domains."""
    chosen = work.settings.context
    work.scores = enrichment.add_geolocation(work.scores, chosen.iploc, chosen.mmdb)
    return Outcome(work.scores.num_rows, _without(chosen.iploc))


def reputation(work: Day) -> Outcome:
    """Add what is known against addresses; services that fail are told."""
    chosen = work.settings.reputation
    sources = open_sources(chosen.block_lists, chosen.msticpy, chosen.gti, chosen.timeout)
    work.scores, found = enrichment.add_reputation(work.scores, sources)
    failed = [f"{name} failed: {reason}" for name, reason in found.problems.items()]
    note = f"{found.known:,} addresses known" if sources else "no source is configured"
    return Outcome(work.scores.num_rows, "; ".join([note, *failed]))


def store(work: Day) -> Outcome:
    """Store the suspicious connections."""
    return _replaced(work, "flow_scores", work.scores)


def details(work: Day) -> Outcome:
    """Store what else passed between suspicious addresses."""
    edges = _replaced(work, "flow_edge", of_details.edges(work.flows, work.scores))
    chords = _replaced(work, "flow_chords", of_details.chords(work.flows, work.scores))
    return Outcome(edges.count + chords.count, f"{edges.note}, {chords.note}")


def ingest_summary(work: Day) -> Outcome:
    """Store how many connections there were in each minute."""
    return _replaced(work, "flow_ingest_summary", of_details.ingest_summary(work.flows))


def _without(*files: Path | None) -> str:
    """Say which optional files there are not."""
    absent = [path.name for path in files if path is not None and not path.is_file()]
    return f"without {', '.join(absent)}" if absent else ""


def _replaced(work: Day, name: str, rows: pa.Table) -> Outcome:
    assert work.change is not None  # noqa: S101
    work.change.replace_day(name, work.day, rows)
    return Outcome(rows.num_rows, f"{rows.num_rows:,} rows of {name}")
