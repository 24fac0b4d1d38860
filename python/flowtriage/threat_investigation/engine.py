"""The investigation itself: what it finds and keeps, without showing anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from flowtriage.asn import AsnDatabase
from flowtriage.errors import ArgumentError
from flowtriage.oa import scoring as of_oa
from flowtriage.oa.configuration import Settings
from flowtriage.store import FlowStore
from flowtriage.threat_investigation import saving
from flowtriage.threat_investigation.saving import Saved
from flowtriage.threat_investigation.scoring import BulkScore, score
from flowtriage.threat_investigation.search import Found, search
from flowtriage.threat_investigation.source import FlowSource
from flowtriage.threat_investigation.threats import THREATS, threats
from flowtriage.timespan import Span


@dataclass
class Investigation:
    """An investigation of a day.

    Parameters
    ----------
    source
        Where flows come from.
    store
        Where scores and stories are kept; None keeps none.
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
        """The day that findings belong to."""
        return self.source.day

    def threats(self) -> pa.Table:
        """Return the addresses of connections of high risk that have no story yet."""
        return THREATS.empty_table() if self.store is None else threats(self.store, self.day)

    def talkers(self) -> pa.Table:
        """Return the busiest addresses, where nobody could score any."""
        return self.source.busiest(self.top)

    def search(self, ip: str, span: Span | None = None) -> Found:
        """Search the flows of an address."""
        flows = self.source.of(ip, span or self.source.span)
        context = self.settings.context
        return search(flows, ip, asn=self.asn, context=context, top=self.top)

    def history(self, ip: str | None = None) -> pa.Table:
        """Return all stories that were saved, of one address or of the day."""
        return saving.history(self.need_store(), self.day, ip)

    def scores(self, ip: str) -> pa.Table:
        """Return the scores that connections of an address have."""
        rows = self.need_store().read(of_oa.TABLE, day=self.day, order=["scored", "tstart"])
        return rows.filter(with_end(rows, ip)).drop_columns(["day"])

    def save(self, found: Found, title: str, text: str) -> Saved:
        """Save the story of an address."""
        store = self.need_store()
        saved = saving.save(store, self.day, found.ip, title, text, found.timeline)
        return Saved(found.ip, self.day, saved, found.timeline.num_rows, store.url)

    def score(
        self,
        found: Found,
        risk: int,
        *,
        peer: str | Iterable[str] | None = None,
        port: int | Iterable[int] | None = None,
        asn: int | Iterable[int] | None = None,
    ) -> BulkScore:
        """Score connections of an address."""
        store = self.need_store()
        done = score(store, self.day, found, risk, peer=peer, port=port, asn=asn)
        if len(done):
            self.scored.append(done)
        return done

    def undo(self) -> int:
        """Take back what was scored last.

        Raises
        ------
        ArgumentError
            If nothing was, or all is taken back.
        """
        if not self.scored:
            raise ArgumentError("there is nothing to undo: nothing was scored here")
        count = of_oa.undo(self.need_store(), self.scored[-1].scored)
        self.scored.pop()
        return count

    def need_store(self) -> FlowStore:
        """Return the store.

        Raises
        ------
        ArgumentError
            If there is none.
        """
        if self.store is None:
            raise ArgumentError(
                "there is no store to keep this in: give store=, such as FlowStore()"
            )
        return self.store


def with_end(rows: pa.Table, ip: str) -> pa.ChunkedArray:
    """Tell which rows have an address at either end."""
    import pyarrow.compute as pc

    return pc.or_kleene(pc.equal(rows["srcip"], ip), pc.equal(rows["dstip"], ip))
