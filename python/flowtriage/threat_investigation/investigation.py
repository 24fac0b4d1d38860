"""The investigation itself: what it finds and keeps, without showing anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.configuration import Settings
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.errors import ArgumentError
from flowtriage.inputs.timespan import Timespan
from flowtriage.progress import report_progress
from flowtriage.store import FlowStore
from flowtriage.store import scores as of_oa
from flowtriage.threat_investigation.flow_source import FlowSource
from flowtriage.threat_investigation.scoring import THREATS, BulkScore, score, threats
from flowtriage.threat_investigation.search import SearchResult, search
from flowtriage.threat_investigation.stories import (
    HISTORY,
    FiledStories,
    Saved,
    StoredStories,
    Stories,
    day_folder,
)
from flowtriage.threat_investigation.story import Input, Story
from flowtriage.threat_investigation.story.spot_files import write_files
from flowtriage.threat_investigation.story.text import check_text


@dataclass
class Investigation:
    """An investigation of a day.

    Parameters
    ----------
    source
        Where flows come from.
    store
        Where scores and stories are kept; without one stories are kept in files.
    settings
        The configuration of Flow OA.
    asn
        Database of autonomous systems and countries.
    top
        Number of peers in tables and timelines.
    scored
        What was scored, the latest last.
    """

    source: FlowSource
    store: FlowStore | None
    settings: Settings
    asn: AsnDatabase
    top: int
    scored: list[BulkScore] = field(default_factory=list)

    @property
    def day(self) -> date:
        """The day that findings belong to.

        Raises
        ------
        ArgumentError
            If no flow has a time.
        """
        if self.source.day is None:
            raise ArgumentError("no flow has a time, so there is no day to keep this under")
        return self.source.day

    @property
    def folder(self) -> Path:
        """Where files of the day are kept.

        Raises
        ------
        ArgumentError
            If no flow has a time.
        """
        return day_folder(self.settings.folders.data, self.day)

    @property
    def stories(self) -> Stories:
        """Where stories are kept."""
        if self.store is not None:
            return StoredStories(self.store)
        return FiledStories(self.settings.folders.data)

    def threats(self) -> pa.Table:
        """Return the addresses of connections of high risk that have no story yet."""
        if self.store is None:
            return THREATS.empty_table()
        return _without_story(threats(self.store, self.day), self.stories.addresses(self.day))

    def talkers(self) -> pa.Table:
        """Return the busiest addresses that have no story yet."""
        told = self.history()["ip_threat"].unique()
        return _without_story(self.source.busiest(self.top + len(told)), told).slice(0, self.top)

    def search(self, ip: str, span: Timespan | None = None) -> SearchResult:
        """Search the flows of an address."""
        task = f"search of {ip}"
        report_progress(task, 0, 2)
        flows = self.source.of(ip, span)
        report_progress(task, 1, 2)
        context = self.settings.context
        found = search(flows, ip, asn=self.asn, context=context, top=self.top)
        report_progress(task, 2, 2)
        return found

    def history(self, ip: str | None = None) -> pa.Table:
        """Return all stories that were saved, of one address or of the day."""
        if self.source.day is None:
            return HISTORY.empty_table()
        return self.stories.history(self.source.day, ip)

    def scores(self, ip: str) -> pa.Table:
        """Return the scores that connections of an address have."""
        rows = self._need_store().read(of_oa.TABLE, day=self.day, order=["scored", "tstart"])
        ends = pc.or_kleene(pc.equal(rows["srcip"], ip), pc.equal(rows["dstip"], ip))
        return rows.filter(ends).drop_columns(["day"])

    def save(self, found: SearchResult, title: str, text: str) -> Saved:
        """Save the story of an address, and the files about it."""
        check_text("title", title)
        check_text("text", text)
        files = write_files(self.folder, found.ip, found.peers, home=found.home)
        saved = self.stories.save(self.day, found.ip, title, text, found.timeline)
        place = self.stories.place(self.day, found.ip)
        return Saved(found.ip, self.day, saved, place, tuple(vars(files).values()))

    def score(
        self,
        found: SearchResult,
        risk: int,
        *,
        peer: str | Iterable[str] | None = None,
        port: int | Iterable[int] | None = None,
        asn: int | Iterable[int] | None = None,
    ) -> BulkScore:
        """Score connections of an address."""
        done = score(self._need_store(), self.day, found, risk, peer=peer, port=port, asn=asn)
        if len(done):
            self.scored.append(done)
        return done

    def undo(self) -> int:
        """Take back what was scored last, and return the number of connections."""
        if not self.scored:
            raise ArgumentError("there is nothing to undo: nothing was scored here")
        count = of_oa.undo(self._need_store(), self.scored[-1].scored)
        self.scored.pop()
        return count

    def _need_store(self) -> FlowStore:
        if self.store is None:
            raise ArgumentError("scores are kept in a store, and there is none: give store=")
        return self.store


def _without_story(addresses: pa.Table, told: pa.Array) -> pa.Table:
    return addresses.filter(pc.invert(pc.is_in(addresses["ip"], value_set=told)))


def story_of(
    engine: Investigation, found: SearchResult, title: str | None = None, text: str | None = None
) -> Story:
    """Put together what was found of an address, and what was saved of it last.

    Parameters
    ----------
    engine
        The investigation.
    found
        What its search found.
    title, text
        What is told of it; None takes what was saved last.

    Raises
    ------
    ArgumentError
        If a text has a character that no file keeps.
    StoreError
        If the store cannot be read.
    OSError
        If a file that the story was made of cannot be read.
    """
    history = engine.history(found.ip)
    [latest] = history.slice(0, 1).to_pylist() or [{"title": "", "text": ""}]
    context = engine.settings.context
    named = (context.ipranges, context.network_context, context.iploc, *context.mmdb)
    files = [Path(one) for one in (*found.flows.report.sources, *named) if one is not None]
    stored = {} if engine.store is None else {"scored": engine.scores(found.ip)}
    return Story(
        ip=found.ip,
        title=check_text("title", (latest["title"] or "") if title is None else title),
        text=check_text("text", (latest["text"] or "") if text is None else text),
        connections=found.connections,
        peers=found.peers,
        day=engine.source.day,
        **found.tables,
        bins=found.bins,
        timeline=found.timeline,
        history=history,
        **stored,
        home=found.home,
        configuration={"oa": engine.settings, "top_results": found.top},
        inputs=(_flows(found), *_files(files)),
        credits=engine.asn.credits,
    )


def _flows(found: SearchResult) -> Input:
    """Identify the flows that were searched, wherever they came from."""
    sink = pa.BufferOutputStream()
    table = found.flows.to_arrow().replace_schema_metadata(None).combine_chunks()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    content = sink.getvalue()
    name = f"{len(table):,} flows of {found.ip} as an Arrow stream"
    return Input(name, hashlib.sha256(content).hexdigest(), content.size)


def _files(paths: Iterable[Path]) -> list[Input]:
    inputs = []
    for path in dict.fromkeys(paths):
        if path.is_file():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            inputs.append(Input(path.name, content, path.stat().st_size))
    return inputs
