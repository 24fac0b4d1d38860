"""The engine of an investigation: search, score, and save stories, without display."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.configuration import Settings
from flowtriage.detect.allow_list import AllowList
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.errors import ArgumentError
from flowtriage.humanize import counted
from flowtriage.inputs.addresses import HostsLike
from flowtriage.inputs.timespan import Timespan
from flowtriage.progress import report_progress
from flowtriage.store import FlowStore
from flowtriage.store import scores as stored
from flowtriage.threat_investigation.findings import AddressFindings, findings_about
from flowtriage.threat_investigation.flow_source import SearchSource
from flowtriage.threat_investigation.scoring import (
    THREATS,
    BulkScore,
    Integers,
    score,
    threats,
)
from flowtriage.threat_investigation.search import SearchResult, search_address
from flowtriage.threat_investigation.stories import (
    HISTORY,
    FileStories,
    Saved,
    StoreStories,
    Stories,
    day_folder,
)
from flowtriage.threat_investigation.story import Input, Story
from flowtriage.threat_investigation.story.spot_files import write_files
from flowtriage.threat_investigation.story.text import check_text


@dataclass
class Investigation:
    """An investigation of a day.

    Without a store, stories are saved in files. `top` is the number of peers in tables and
    timelines; `scored` has the scores that `undo` can revert, latest last.
    """

    source: SearchSource
    store: FlowStore | None
    settings: Settings
    asn: AsnDatabase
    top: int
    scored: list[BulkScore] = field(default_factory=list)

    @property
    def day(self) -> date:
        """Day of scores and stories, in UTC; `ArgumentError` if no flow has a time."""
        if self.source.day is None:
            raise ArgumentError("no flow has a time, so the day is unknown; give date=")
        return self.source.day

    @property
    def folder(self) -> Path:
        """Directory of the files of the day."""
        return day_folder(self.settings.folders.data, self.day)

    @property
    def stories(self) -> Stories:
        """Storage of the stories."""
        if self.store is not None:
            return StoreStories(self.store)
        return FileStories(self.settings.folders.data)

    def threats(self) -> pa.Table:
        """Return the addresses of high-risk connections that have no story."""
        if self.store is None:
            return THREATS.empty_table()
        return _without_story(threats(self.store, self.day), self.stories.addresses(self.day))

    def talkers(self) -> pa.Table:
        """Return the top initiators that have no story."""
        with_story = self.history()["ip_threat"].unique()
        talkers = self.source.talkers(self.top + len(with_story))
        return _without_story(talkers, with_story).slice(0, self.top)

    def search(self, ip: str, span: Timespan | None = None) -> SearchResult:
        """Search the flows of an address."""
        task = f"search of {ip}"
        report_progress(task, 0, 2)
        flows = self.source.flows_of(ip, span)
        report_progress(task, 1, 2)
        context = self.settings.context
        search = search_address(flows, ip, asn=self.asn, context=context, top=self.top)
        report_progress(task, 2, 2)
        return search

    def findings(
        self, search: SearchResult, span: Timespan | None, allow: AllowList | None
    ) -> AddressFindings:
        """Return the findings about a searched address."""
        report_progress(f"findings about {search.ip}", 0, 1)
        about = findings_about(
            search,
            self.source,
            span,
            store=self.store,
            ipranges=self.settings.context.ipranges,
            asn=self.asn,
            allow=allow,
        )
        report_progress(f"findings about {search.ip}", 1, 1)
        return about

    def history(self, ip: str | None = None) -> pa.Table:
        """Return all saved stories of one address or of the day, latest first."""
        if self.source.day is None:
            return HISTORY.empty_table()
        return self.stories.history(self.source.day, ip)

    def scores(self, ip: str) -> pa.Table:
        """Return the scores of the connections of an address."""
        rows = self._require_store().read(stored.TABLE, day=self.day, order=["scored", "tstart"])
        is_endpoint = pc.or_kleene(pc.equal(rows["srcip"], ip), pc.equal(rows["dstip"], ip))
        return rows.filter(is_endpoint).drop_columns(["day"])

    def save(self, search: SearchResult, title: str, text: str) -> Saved:
        """Save the story of an address, and its files."""
        check_text("title", title)
        check_text("text", text)
        files = write_files(self.folder, search.ip, search.peers, origin=search.origin)
        saved = self.stories.save(self.day, search.ip, title, text, search.timeline)
        storage = self.stories.storage(self.day, search.ip)
        return Saved(search.ip, self.day, saved, storage, tuple(vars(files).values()))

    def score(
        self,
        search: SearchResult,
        risk: int,
        *,
        peer: HostsLike | None = None,
        port: Integers | None = None,
        asn: Integers | None = None,
    ) -> BulkScore:
        """Score the connections of an address that match all filters."""
        done = score(self._require_store(), self.day, search, risk, peer=peer, port=port, asn=asn)
        if len(done):
            self.scored.append(done)
        return done

    def undo(self) -> int:
        """Revert the latest score, and return the number of connections."""
        if not self.scored:
            raise ArgumentError("nothing to undo; no connection was scored in this session")
        count = stored.undo(self._require_store(), self.scored[-1].scored)
        self.scored.pop()
        return count

    def _require_store(self) -> FlowStore:
        if self.store is None:
            raise ArgumentError("scores need a store; give store=")
        return self.store


def _without_story(addresses: pa.Table, with_story: pa.Array) -> pa.Table:
    return addresses.filter(pc.invert(pc.is_in(addresses["ip"], value_set=with_story)))


def make_story(
    engine: Investigation, search: SearchResult, title: str | None = None, text: str | None = None
) -> Story:
    """Return the story of a search; the default title and text are those saved last."""
    history = engine.history(search.ip)
    [latest] = history.slice(0, 1).to_pylist() or [{"title": "", "text": ""}]
    context = engine.settings.context
    configured = (context.ipranges, context.network_context, context.iploc, *context.mmdb)
    paths = (*search.flows.report.sources, *configured)
    scores = {} if engine.store is None else {"scored": engine.scores(search.ip)}
    return Story(
        ip=search.ip,
        title=check_text("title", (latest["title"] or "") if title is None else title),
        text=check_text("text", (latest["text"] or "") if text is None else text),
        connections=search.connections,
        peers=search.peers,
        day=engine.source.day,
        **search.tables,
        bins=search.bins,
        timeline=search.timeline,
        history=history,
        **scores,
        origin=search.origin,
        configuration={"oa": engine.settings, "top_results": search.top},
        inputs=(_flow_input(search), *_file_inputs(Path(path) for path in paths if path)),
        credits=engine.asn.credits,
    )


def _flow_input(search: SearchResult) -> Input:
    """Identify the searched flows by their content, whatever their source."""
    sink = pa.BufferOutputStream()
    table = search.flows.to_arrow().replace_schema_metadata(None).combine_chunks()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    content = sink.getvalue()
    name = f"{counted(len(table), 'row')} of {search.ip} as an Arrow stream"
    return Input(name, hashlib.sha256(content).hexdigest(), content.size)


def _file_inputs(paths: Iterable[Path]) -> Iterator[Input]:
    for path in dict.fromkeys(paths):
        if path.is_file():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            yield Input(path.name, content, path.stat().st_size)
