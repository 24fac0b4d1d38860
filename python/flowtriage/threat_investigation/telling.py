"""From what an investigation found and kept to its story."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from flowtriage.threat_investigation.engine import Investigation
from flowtriage.threat_investigation.saving import check_text
from flowtriage.threat_investigation.search import Found
from flowtriage.threat_investigation.story import Input, Story


def story_of(
    engine: Investigation, found: Found, title: str | None = None, text: str | None = None
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


def _flows(found: Found) -> Input:
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
