"""Build the bundled ASN and country databases.

sources.json in python/flowtriage/data/ names the npm packages, their licences and
attributions. This script downloads them from the registry, checks their sha512, writes
asn.mmdb and country.mmdb next to it, fills in versions, counts and checksums, and
renders ATTRIBUTION.md from it. Files are replaced only after the new databases have been
verified. To refresh them:

    pip install maxminddb mmdb-writer
    python tools/build_embedded_data.py --version latest

Then set PINNED_VERSION to the printed version and commit the four files. A version
always gives the same bytes (with one release of mmdb-writer). The publisher announced
that npm updates will end: when `latest` no longer changes, `fetch` needs another source.

--check downloads the versions in sources.json and exits with status 1 at the
first difference between a file and its sha256, between asn.mmdb and the first, last and
a random address of every CSV range or the gap before it, or between the networks of
country.mmdb and those of the package's own file. --attribution renders ATTRIBUTION.md
without downloads; it also covers services.csv, which build_services.py builds.
"""

import argparse
import base64
import csv
import hashlib
import io
import itertools
import json
import random
import shutil
import sys
import tarfile
import tempfile
import urllib.request
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, NamedTuple

import maxminddb
from mmdb_writer import MMDBWriter, SearchTreeLeaf, SearchTreeNode
from netaddr import IPAddress, IPNetwork, IPRange, IPSet

PINNED_VERSION = "2.3.2026061719"
REGISTRY = "https://registry.npmjs.org/"
TIMEOUT_SECONDS = 60
DOWNLOAD_LIMIT = 64 * 2**20
DEFLATED_LIMIT = 15_000_000
OUTPUT = Path(__file__).resolve().parents[1] / "python" / "flowtriage" / "data"

Entry = dict[str, Any]  # of a database in sources.json
Value = dict[str, int | str]  # of a network in a database


class Range(NamedTuple):
    first: int
    last: int
    value: Value

    @property
    def width(self) -> int:
        return self.last - self.first


class Writer(MMDBWriter):
    """An IPv6 database with IPv4 in ::/96, with the date of its source."""

    def __init__(self, entry: Entry) -> None:
        source = f"{entry['package']} {entry['version']}"
        text = "; ".join([source, *entry["attributions"]])
        kind = f"flowtriage-{entry['kind']}"
        super().__init__(6, kind, ["en"], text, ipv4_compatible=True, int_type="u32")
        published = datetime.fromisoformat(entry["published"]).replace(tzinfo=UTC)
        self.epoch = int(published.timestamp())

    def _build_meta(self) -> dict[str, Any]:
        return {**super()._build_meta(), "build_epoch": self.epoch}

    def share_subtrees(self) -> None:
        """Store equal subtrees once, which reduces the country database to a third."""
        known: dict[object, Any] = {}

        def shared(node: Any) -> Any:
            if isinstance(node, SearchTreeLeaf):
                return known.setdefault(repr(node.value), node)
            if isinstance(node, SearchTreeNode):
                node.left, node.right = shared(node.left), shared(node.right)
                return known.setdefault((id(node.left), id(node.right)), node)
            return None

        self.tree = shared(self.tree)


def download(url: str) -> bytes:
    if not url.startswith(REGISTRY):
        raise ValueError(f"{url} is not under {REGISTRY}")
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
        content: bytes = response.read(DOWNLOAD_LIMIT + 1)
    if len(content) > DOWNLOAD_LIMIT:
        raise ValueError(f"{url} is larger than {DOWNLOAD_LIMIT} bytes")
    return content


def fetch(entry: Entry, version: str, folder: Path) -> None:
    """Download, verify and extract a package; record its version and date."""
    metadata = json.loads(download(f"{REGISTRY}{entry['package']}/{version}"))
    if metadata["license"] != entry["declared_licence"]:
        raise ValueError(f"{entry['package']} has another licence than before: review it")
    archive = download(metadata["dist"]["tarball"])
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if f"sha512-{digest}" not in metadata["dist"]["integrity"].split():
        raise ValueError(f"{entry['package']}: sha512 differs from the registry's")
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        tar.extractall(folder, filter="data")
    date = metadata["version"].rpartition(".")[2][:8]
    entry["version"] = metadata["version"]
    entry["published"] = datetime.strptime(date, "%Y%m%d").date().isoformat()


def asn_ranges(folder: Path, family: int) -> list[Range]:
    keys = "autonomous_system_number", "autonomous_system_organization"
    path = folder / "package" / f"asn-ipv{family}-num.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Range(int(first), int(last), {keys[0]: int(asn), keys[1]: name})
            for first, last, asn, name in csv.reader(file)
        ]


def asn_networks(folder: Path) -> Iterator[tuple[IPSet, Value]]:
    """Yield wide ranges before narrow ones, so that narrow ranges take precedence."""
    for family in (4, 6):
        ranges = asn_ranges(folder, family)
        for row in sorted(ranges, key=lambda row: row.width, reverse=True):
            ends = IPAddress(row.first, family), IPAddress(row.last, family)
            yield IPSet(IPRange(*ends)), row.value


def check_asn(folder: Path, path: Path) -> str:
    draw, lookups = random.Random(0), 0
    reader = maxminddb.open_database(path)
    for family, address in ((4, IPv4Address), (6, IPv6Address)):
        ranges, end = asn_ranges(folder, family), -1
        for row in ranges:
            for number in (row.first, row.last, draw.randint(row.first, row.last)):
                found, lookups = reader.get(address(number)), lookups + 1
                if found != row.value and not any(
                    other.first <= number <= other.last and other.value == found
                    for other in ranges
                    if other.width < row.width
                ):
                    sys.exit(f"{path}: {address(number)} is {found}, not {row.value}")
            if row.first > end + 1 and reader.get(address(row.first - 1)) is not None:
                sys.exit(f"{path}: {address(row.first - 1)} should have no value")
            end = max(end, row.last)
    return f"0 differences in {lookups} lookups"


def country_reader(folder: Path) -> maxminddb.Reader:
    return maxminddb.open_database(folder / "package" / "geo-whois-asn-country.mmdb")


def country_networks(folder: Path) -> Iterator[tuple[IPSet, Value]]:
    for network, value in country_reader(folder):
        yield IPSet([IPNetwork(str(network))]), value


def check_country(folder: Path, path: Path) -> str:
    ours, count = maxminddb.open_database(path), 0
    for theirs, own in itertools.zip_longest(country_reader(folder), ours):
        if theirs != own:
            sys.exit(f"{path}: {own} differs from the package's {theirs}")
        count += 1
    return f"0 differences in {count} networks"


def verify(entry: Entry, folder: Path, path: Path) -> None:
    if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
        sys.exit(f"{path}: sha256 differs from the one in sources.json")
    check = {"asn": check_asn, "country": check_country}[entry["kind"]]
    print(f"{entry['file']} {entry['version']}: {check(folder, path)}")


def write(entry: Entry, folder: Path, path: Path) -> None:
    """Write one database and record its counts and checksum in its entry."""
    networks = {"asn": asn_networks, "country": country_networks}[entry["kind"]]
    writer = Writer(entry)
    for network, value in networks(folder):
        writer.insert_network(network, value)
    writer.share_subtrees()
    writer.to_db_file(str(path))
    content = path.read_bytes()
    values = [tuple(value.items()) for _, value in maxminddb.open_database(path)]
    entry["networks"], entry["records"] = len(values), len(set(values))
    entry["size"], entry["deflated_size"] = len(content), len(zlib.compress(content))
    entry["sha256"] = hashlib.sha256(content).hexdigest()


def attribution(sources: dict[str, Any]) -> str:
    """Render ATTRIBUTION.md."""
    lines = ["# Attribution of the bundled databases", "", sources["origin"], ""]
    for entry in sources["databases"]:
        package = f"`{entry['package']}` {entry['version']}, {entry['published']}"
        lines += [f"## {entry['file']}", "", f"From {package}; {entry['changes']}.", ""]
        lines += [f"- {text}" for text in entry["attributions"]] + [""]
    for entry in sources["lists"]:
        named = [f"`{package['package']}` {package['version']}" for package in entry["packages"]]
        lines += [f"## {entry['file']}", "", f"From {' and '.join(named)}; {entry['changes']}.", ""]
        lines += [f"- {text}" for text in entry["attributions"]]
        lines += [
            f"- `{package['package']}`: {package['attribution']}, {package['declared_licence']}"
            for package in entry["packages"]
        ]
        lines += [""]
    lines += ["## Terms", "", *(f"- {text}" for text in sources["terms"]), ""]
    return "\n".join([*lines, "## Warning", "", sources["warning"], ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--version", default=PINNED_VERSION, help="or 'latest'")
    parser.add_argument("--check", action="store_true", help="verify without writing")
    parser.add_argument("--attribution", action="store_true", help="render ATTRIBUTION.md only")
    arguments = parser.parse_args()
    sources = json.loads((OUTPUT / "sources.json").read_text(encoding="utf-8"))
    if arguments.attribution:
        (OUTPUT / "ATTRIBUTION.md").write_text(attribution(sources), encoding="utf-8")
        return
    entries = sources["databases"]
    with tempfile.TemporaryDirectory() as name:
        new = Path(name)
        for entry in entries:
            folder = new / entry["kind"]
            if arguments.check:
                fetch(entry, entry["version"], folder)
                verify(entry, folder, OUTPUT / entry["file"])
            else:
                fetch(entry, arguments.version, folder)
                write(entry, folder, new / entry["file"])
                verify(entry, folder, new / entry["file"])
        if sum(entry["deflated_size"] for entry in entries) > DEFLATED_LIMIT:
            sys.exit(f"the compressed databases exceed {DEFLATED_LIMIT} bytes")
        if not arguments.check:
            text = json.dumps(sources, indent=2, ensure_ascii=False) + "\n"
            (new / "sources.json").write_text(text, encoding="utf-8")
            (new / "ATTRIBUTION.md").write_text(attribution(sources), encoding="utf-8")
            for path in sorted(path for path in new.iterdir() if path.is_file()):
                temporary = OUTPUT / f".{path.name}.new"
                shutil.copyfile(path, temporary)
                temporary.replace(OUTPUT / path.name)


if __name__ == "__main__":
    main()
