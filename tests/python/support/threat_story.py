"""A story of the sample's host."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

import flowtriage as ft
from connection_sets import SCHEMA
from flowtriage import sample
from flowtriage.threat_investigation.story import Input, Story
from flowtriage.threat_investigation.story.globe import Location

IP = sample.HOST_IP
SECRETS = ("hunter2", "t0ken", "p/w@1")
CONFIGURATION = {
    "store": {"url": f"postgresql://ann:{SECRETS[2]}@db/flows?sslpassword={SECRETS[0]}&port=1"},
    "ranking": {"limit": 500, "threshold": 1.0},
    "api_token": SECRETS[1],
    "mmdb": ["city.mmdb"],
}


def peers(connections: pa.Table) -> pa.Table:
    """The peers, with the columns of facts; every third one has a place and a context."""
    sets = ft.connection_sets(connections, IP)
    for field in [field for field in SCHEMA if field.name not in sets.column_names]:
        sets = sets.append_column(field, pa.nulls(len(sets), field.type))
    facts = {"context": "dmz", "location": "CH Example", "latitude": 47.0, "longitude": 8.0}
    third = pc.equal(pc.bit_wise_and(pc.cumulative_sum(pa.repeat(1, len(sets))), 3), 0)
    for name, value in facts.items():
        at, kind = sets.column_names.index(name), SCHEMA.field(name).type
        values = pc.if_else(third, pa.scalar(value, kind), pa.scalar(None, kind))
        sets = sets.set_column(at, name, values)
    return sets


def story(**changes: Any) -> Story:
    day = sample.office_day()
    connections = ft.expanded_search(day, IP)
    found = peers(connections)
    own = pc.equal(day["src_ip"], IP)
    other = pc.if_else(own, day["dst_ip"], day["src_ip"])
    greatest = found.sort_by([("connections", "descending")]).slice(0, 5)
    made = Story(
        ip=IP,
        title="Beacon <b>& more</b>",
        text="First line\nsecond line\n\nSecond paragraph",
        connections=connections,
        peers=found,
        day=dt.date(2026, 3, 2),
        top_sources_by_connections=greatest,
        top_sources_by_bytes=greatest,
        top_destinations_by_connections=greatest,
        top_destinations_by_bytes=greatest,
        bins=ft.timeline(day.append_column("peer", other), by="peer"),
        timeline=pa.table({"ip_threat": [IP], "tstart": ["2026-03-02 08:00:00"], "sport": [443]}),
        history=pa.table({"saved": ["2026-03-02T10:00:00"], "title": ["First"], "text": ["?"]}),
        scored=pa.table({"srcip": [IP], "score": pa.array([1], pa.int32())}),
        origin=Location(IP, 8.5, 47.4, "CH Office"),
        configuration=CONFIGURATION,
        inputs=(Input("conn.log", "ab" * 32, 12_345),),
        credits={"DB-IP": "https://db-ip.com"},
    )
    return replace(made, **changes)
