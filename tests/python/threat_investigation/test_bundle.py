"""Bundles: written, opened, and rejected with the reason."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

pytest.importorskip("bokeh")
pytest.importorskip("jinja2")

from connection_sets import connection_sets, peer
from flowtriage.errors import ArgumentError, FormatError
from flowtriage.threat_investigation import open_bundle
from flowtriage.threat_investigation.story import Story
from flowtriage.threat_investigation.story.bundle import write_bundle
from flowtriage.threat_investigation.story.globe import Globe
from flowtriage.threat_investigation.story.story import TABLES
from flowtriage.threat_investigation.story.text import redact
from threat_story import CONFIGURATION, IP, SECRETS, story

HOSTILE = "</script><script>alert(1)</script>'; DROP TABLE x; -- \"\u202e\U0001f600\r\n\t{{ 7*7 }}"
NAMES = [
    "manifest.json",
    "globe-10_20_30_41.json",
    "stats-10_20_30_41.json",
    "threat-dendro-10_20_30_41.json",
    *(f"tables/{name}.parquet" for name in TABLES),
    "report.html",
]


def small(**changes: Any) -> Story:
    """A story of two peers."""
    found = connection_sets(
        peer("8.8.8.8", "outbound", latitude=37.4, longitude=-122.1, location="Google LLC"),
        peer("2001:db8::1", "two-way", context="office", asn=64_500, as_name=HOSTILE),
    )
    bare = story(peers=found, connections=found.select(["peer", "first_seen"]))
    return replace(bare, **dict.fromkeys(TABLES[2:6], found), **changes)


def same(one: Story, other: Story) -> bool:
    return all(
        getattr(one, each.name) == getattr(other, each.name)
        for each in fields(Story)
        if each.name != "configuration"
    )


@pytest.fixture(scope="module")
def whole() -> Story:
    return small()


@pytest.fixture(scope="module")
def bundle(whole: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(whole, tmp_path_factory.mktemp("bundle") / "story.zip")


def contents(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def forged(path: Path, folder: Path, packing: int = ZIP_DEFLATED, **changes: Any) -> Path:
    """Change members, by name or as `manifest=`, so that all hashes fit again."""
    members = contents(path)
    manifest = json.loads(members.pop("manifest.json"))
    change: Callable[[dict[str, Any]], None] | None = changes.pop("manifest", None)
    for name, content in changes.pop("members", {}).items():
        members.pop(name, None)
        manifest["members"].pop(name, None)
        if content is not None:
            members[name] = content
            manifest["members"][name] = hashlib.sha256(content).hexdigest()
    if change:
        change(manifest)
    made = folder / "forged.zip"
    with ZipFile(made, "w", packing) as archive:
        for name, content in {"manifest.json": json.dumps(manifest).encode(), **members}.items():
            archive.writestr(name, content)
    return made


def test_bundle_opens_as_the_story_that_was_written(bundle: Path, whole: Story) -> None:
    opened = open_bundle(bundle)
    assert same(opened, whole)
    assert opened.configuration == redact(CONFIGURATION)
    assert opened.globe == Globe.of(whole.peers, whole.origin)


def test_tables_of_a_search_keep_their_types(tmp_path: Path) -> None:
    made = story()
    opened = open_bundle(write_bundle(made, tmp_path / "story.zip"))
    assert same(opened, made)
    assert opened.connections.schema.field("src_port").type == pa.uint16()
    assert len(opened.connections) > 7000


def test_members_match_the_manifest(bundle: Path, whole: Story) -> None:
    members = contents(bundle)
    assert list(members) == NAMES
    manifest = json.loads(members["manifest.json"])
    hashes = {n: hashlib.sha256(c).hexdigest() for n, c in members.items() if n != "manifest.json"}
    assert manifest["members"] == hashes
    assert manifest["inputs"] == [{"name": "conn.log", "sha256": "ab" * 32, "size": 12_345}]
    read = parquet.read_table(io.BytesIO(members["tables/peers.parquet"]))
    assert read.to_pylist() == whole.peers.to_pylist()
    assert json.loads(members["stats-10_20_30_41.json"])["size"] == 2


def test_no_member_contains_a_secret(bundle: Path) -> None:
    members = contents(bundle)
    assert b"***" in members["manifest.json"] and b"***" in members["report.html"]
    for name, content in members.items():
        for secret in SECRETS:
            assert secret.encode() not in content, name


@pytest.mark.parametrize(
    ("value", "public"),
    [
        ("postgresql://ann:secret@db/x", "postgresql://***@db/x"),
        ("postgresql://ann:a/b@c@db/x", "postgresql://***@db/x"),
        ("https://h/blob?sv=1&sig=secret", "https://h/blob?sv=1&sig=***"),
        ("postgresql://db/x?pass%77ord=secret", "postgresql://db/x?pass%77ord=***"),
        ("host=db password=secret dbname=x", "host=db password=*** dbname=x"),
        (
            {"gti": {"Password": "secret", "user": "ann"}},
            {"gti": {"Password": "***", "user": "ann"}},
        ),
        ({"api_key": ["secret"], "keys": 3}, {"api_key": "***", "keys": 3}),
        ({"path": Path("a/b"), "none": None, "inf": float("inf")}, None),
        ("duckdb:///flows.duckdb", "duckdb:///flows.duckdb"),
    ],
)
def test_secrets_are_redacted(value: Any, public: Any) -> None:
    expected = {"path": "a/b", "none": None, "inf": "inf"} if public is None else public
    assert redact(value) == expected


CODE = """
import sys
sys.path.insert(0, {folder!r})
from bokeh.plotting import figure
for _ in range({before}):
    figure()
from test_bundle import small
from flowtriage.threat_investigation.story.bundle import write_bundle
write_bundle(small(), {path!r})
"""


@pytest.mark.slow
def test_bundles_are_reproducible(tmp_path: Path) -> None:
    made = []
    for before in (0, 3):
        path = tmp_path / f"{before}.zip"
        code = CODE.format(folder=str(Path(__file__).parent), before=before, path=str(path))
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": str(before), "PYTHONPATH": ":".join(sys.path)},
            check=True,
        )
        made.append(path.read_bytes())
    assert made[0] == made[1]


def test_untrusted_and_long_text_is_unchanged(tmp_path: Path) -> None:
    made = small(title=HOSTILE, text=HOSTILE * 1500)
    assert len(made.text) > 100_000
    opened = open_bundle(write_bundle(made, tmp_path / "story.zip"))
    assert (opened.title, opened.text) == (made.title, made.text)


def test_ipv6_address_without_day_or_origin(tmp_path: Path) -> None:
    made = small(ip="fe80::1", day=None, origin=None)
    path = write_bundle(made, tmp_path / "story.zip")
    assert "globe-fe80__1.json" in contents(path)
    assert same(open_bundle(path), made)


def test_invalid_story_leaves_the_earlier_bundle(tmp_path: Path) -> None:
    path = tmp_path / "story.zip"
    path.write_text("earlier")
    for wrong in ({"ip": "../x"}, {"title": "\ud800"}, {"text": "\0"}):
        with pytest.raises(ArgumentError):
            write_bundle(small(**wrong), path)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


@settings(max_examples=150)
@given(data=st.data())
def test_damage_is_an_error_or_has_no_effect(
    bundle: Path, whole: Story, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(bundle.read_bytes())
    at = data.draw(
        st.integers(0, len(content) - 1) | st.integers(len(content) - 1500, len(content) - 1)
    )
    content[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(content)
    try:
        opened = open_bundle(path)
    except FormatError:
        return
    assert same(opened, whole)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
def test_truncated_bundle_is_an_error(bundle: Path, tmp_path: Path, part: float) -> None:
    path = tmp_path / "part.zip"
    content = bundle.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(FormatError, match=r"part\.zip is damaged or not a bundle"):
        open_bundle(path)


def test_error_names_a_changed_member(bundle: Path, tmp_path: Path) -> None:
    members = contents(bundle) | {"report.html": b"<h1>other</h1>"}
    path = tmp_path / "changed.zip"
    with ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(FormatError, match=r"report\.html does not match its hash in the manifest"):
        open_bundle(path)


def set_(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_("version", to=2), "has version 2; this flowtriage reads version 1"),
        (set_("version", to=True), "version is not an integer"),
        (set_("format", to="other"), "is not a manifest"),
        (set_("story", to=[]), "story is not an object"),
        (set_("story", "ip", to="../../x"), "invalid address"),
        (set_("story", "day", to="2026-13-01"), "day is not a date"),
        (set_("story", "title", to=5), "title is not a string"),
        (set_("story", "text", to="\ud800"), "not valid UTF-8"),
        (set_("story", "home", "latitude", to="x"), "home: latitude is not a number"),
        (set_("story", "credits", to={"x": "javascript:alert(1)"}), "does not start with https"),
        (set_("inputs", to=[5]), r"inputs\[0\] is not an object"),
        (set_("inputs", 0, "sha256", to="<script>"), r"inputs\[0\]: sha256 is not 64"),
        (set_("members", to=None), "members is not an object"),
        (set_("members", "report.html", to=None), "report.html does not match its hash"),
        (set_("members", "../../evil", to="00"), "unexpected member '../../evil'"),
    ],
)
def test_error_names_the_invalid_field_of_a_manifest(
    bundle: Path, tmp_path: Path, change: Any, message: str
) -> None:
    path = forged(bundle, tmp_path, manifest=change)
    with pytest.raises(FormatError, match=rf"forged\.zip: .*{message}"):
        open_bundle(path)


@pytest.mark.parametrize(
    "name", ["../../evil", "/etc/passwd", "C:\\evil", "tables/../../evil", "tables/more.parquet"]
)
def test_unexpected_member_is_an_error(bundle: Path, tmp_path: Path, name: str) -> None:
    path = forged(bundle, tmp_path, members={name: b"x"})
    with pytest.raises(FormatError, match="unexpected member"):
        open_bundle(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", NAMES)
def test_error_names_a_missing_member(bundle: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "less.zip"
    with ZipFile(path, "w") as archive:
        for other, content in contents(bundle).items():
            if other != name:
                archive.writestr(other, content)
    with pytest.raises(FormatError, match=f"{name} is missing"):
        open_bundle(path)


def test_json_files_have_to_match_the_peers(bundle: Path, tmp_path: Path) -> None:
    name = "stats-10_20_30_41.json"
    other = contents(bundle)[name].replace(b'"size": 2', b'"size": 3')
    path = forged(bundle, tmp_path, members={name: other})
    with pytest.raises(FormatError, match=f"{name} does not match tables/peers.parquet"):
        open_bundle(path)


def packed(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink, **options)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PAR1", "is damaged"),
        (packed(pa.table({"a": [1]}), compression="zstd"), "is compressed or has nested columns"),
        (packed(pa.table({"a": [[1]]}), compression="none"), "is compressed or has nested columns"),
        (packed(pa.table({"a": pa.nulls(10**7, pa.int64())}), compression="none"), "too large"),
        (
            packed(
                pa.table({"a": pa.array(["x" * 1_000_000] * 40)}),
                compression="none",
                use_dictionary=True,
            ),
            "too large",
        ),
    ],
)
def test_table_in_another_layout_is_an_error(
    bundle: Path, tmp_path: Path, content: bytes, message: str
) -> None:
    path = forged(bundle, tmp_path, members={"tables/scored.parquet": content})
    with pytest.raises(FormatError, match=rf"tables/scored\.parquet {message}|.*{message}"):
        open_bundle(path, max_bytes=20_000_000)


def test_table_without_columns_of_peers_is_an_error(bundle: Path, tmp_path: Path) -> None:
    other = packed(pa.table({"a": [1]}), compression="none")
    path = forged(bundle, tmp_path, members={"tables/peers.parquet": other})
    with pytest.raises(FormatError, match=r"tables/peers\.parquet is not a table of peers"):
        open_bundle(path)


def test_zip_bomb_is_not_decompressed(bundle: Path, tmp_path: Path) -> None:
    path = forged(bundle, tmp_path, members={"report.html": b"\0" * 50_000_000})
    assert path.stat().st_size < 1_000_000
    with pytest.raises(FormatError, match=r"max_bytes is 20,000,000"):
        open_bundle(path, max_bytes=20_000_000)


def test_other_archives_are_errors(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("readme", "x")
    with pytest.raises(FormatError, match=r"manifest\.json is missing"):
        open_bundle(path)
    with pytest.raises(FormatError, match="unsupported compression"):
        open_bundle(forged(bundle, tmp_path, packing=ZIP_BZIP2))
    with pytest.warns(UserWarning, match="Duplicate"), ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", "{}")
        archive.writestr("manifest.json", "{}")
    with pytest.raises(FormatError, match="duplicate member 'manifest.json'"):
        open_bundle(path)
    with pytest.raises(FileNotFoundError):
        open_bundle(tmp_path / "absent.zip")


def test_member_names_have_the_address_of_the_sample() -> None:
    assert IP == "10.20.30.41"
