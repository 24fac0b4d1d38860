"""The detectors in naive Python, from their description in docs/findings.md."""

from __future__ import annotations

from collections import defaultdict
from ipaddress import ip_address
from itertools import pairwise
from math import comb
from statistics import median_low
from typing import Any

from random_flows import is_internal

Row = dict[str, Any]
Key = tuple[Any, ...]


def is_group(row: Row) -> bool:
    """Whether the destination is multicast or the broadcast address of the source's network."""
    source, dest = ip_address(row["src_ip"]), ip_address(row["dst_ip"])
    if dest.is_multicast or str(dest) == "255.255.255.255":
        return True
    same_net = source.version == dest.version == 4 and source.packed[:3] == dest.packed[:3]
    return same_net and dest.packed[3] == 255 and source != dest


def is_multicast(address: str) -> bool:
    """Whether an address is that of a group everywhere."""
    return ip_address(address).is_multicast or address == "255.255.255.255"


def outcome(row: Row) -> bool | None:
    """Whether a flow was answered; None if unknown."""
    if is_group(row):
        return None
    if row["denied_flows"]:
        return False
    if row["state"] is not None:
        return bool(row["state"] == "SF")
    return None if row["dst_bytes"] is None else row["dst_bytes"] > 0


def grouped(rows: list[Row], *names: str) -> dict[Key, list[Row]]:
    """Group rows by columns, in order of their starts."""
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return {key: sorted(of, key=lambda r: r["start_time"] or -1) for key, of in groups.items()}


def by_conversation(rows: list[Row]) -> dict[Key, list[Row]]:
    """Group rows by source, destination, port and protocol."""
    return grouped(rows, "src_ip", "dst_ip", "dst_port", "protocol")


def direction(key: Key) -> str:
    """Direction of a group whose key starts with both addresses."""
    names = {(1, 1): "internal", (1, 0): "outbound", (0, 1): "inbound", (0, 0): "external"}
    return names[is_internal(key[0]), is_internal(key[1])]


def starts(rows: list[Row]) -> list[int]:
    """The known starts in order."""
    return sorted(row["start_time"] for row in rows if row["start_time"] is not None)


def failed_share(rows: list[Row]) -> float | None:
    """Share of the flows with a known outcome that failed."""
    known = [answered for answered in map(outcome, rows) if answered is not None]
    return known.count(False) / len(known) if known else None


def most_within(times: list[int], seconds: float) -> int:
    """The largest number of times within a window."""
    return max((sum(0 <= t - s <= seconds * 1e6 for t in times) for s in times), default=0)


def is_retry(rows: list[Row], tries: int, failed: float, span: float) -> bool:
    """Whether the rows of a conversation are a persistent retry."""
    share, times = failed_share(rows), starts(rows)
    count = [outcome(row) for row in rows].count(False)
    time = (times[-1] - times[0]) / 1e6 if times else 0
    enough = len(rows) >= tries and count >= tries * failed and time >= span
    return share is not None and share >= failed and enough


def retries(rows: list[Row], tries: int, failed: float, span: float) -> set[Key]:
    """Keys of the persistent retries."""
    return {
        key
        for key, of in by_conversation(rows).items()
        if key[3] in ("tcp", "udp") and direction(key) != "inbound"
        and is_retry(of, tries, failed, span)
    }  # fmt: skip


def port_scans(rows: list[Row], ports: int, failed: float, window: float) -> dict[Key, float]:
    """Source and destination of port scans, with the share of failed ports."""
    found = {}
    for (source, dest), pair in grouped(rows, "src_ip", "dst_ip").items():
        own = {
            (row["protocol"], row["src_port"])
            for row in rows
            if row["src_ip"] == dest and (row["dst_ip"] == source or is_multicast(row["dst_ip"]))
        }
        tried = {
            key: of
            for key, of in grouped(pair, "protocol", "dst_port").items()
            if key[0] in ("tcp", "udp") and key not in own
        }
        known = [of for of in tried.values() if failed_share(of) is not None]
        share = sum(failed_share(of) == 1 for of in known) / max(1, len(known))
        firsts = [starts(of)[0] for of in tried.values() if starts(of)]
        if known and share >= failed and most_within(firsts, window) >= ports:
            found[source, dest] = share
    return found


def host_sweeps(rows: list[Row], hosts: int, failed: float, window: float) -> dict[Key, float]:
    """Source, port and protocol of host sweeps, with the share of failed hosts."""
    senders = {(row["src_ip"], row["src_port"], row["protocol"], row["dst_ip"]) for row in rows}
    found = {}
    for (source, port, protocol), of_port in grouped(
        rows, "src_ip", "dst_port", "protocol"
    ).items():
        if port is None:
            continue
        tried = [
            of
            for (dest,), of in grouped(of_port, "dst_ip").items()
            if not is_multicast(dest)
            and (dest, port, protocol, source) not in senders
        ]  # fmt: skip
        known = [of for of in tried if failed_share(of) is not None]
        share = sum(failed_share(of) == 1 for of in known) / max(1, len(known))
        firsts = [starts(of)[0] for of in tried if starts(of)]
        if known and share >= failed and most_within(firsts, window) >= hosts:
            found[source, port, protocol] = share
    return found


def floods(rows: list[Row], flows: int, failed: float, unanswered: int) -> dict[Key, Key]:
    """Destination, port and protocol of floods, with the flows and silent bytes of a minute."""
    found = {}
    for key, of in grouped(rows, "dst_ip", "dst_port", "protocol").items():
        minutes: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        if is_multicast(key[0]):
            continue
        for row in of:
            if row["start_time"] is not None:
                counts, answered = minutes[row["start_time"] // 60_000_000], outcome(row)
                counts[0] += 1
                counts[1] += answered is False
                counts[2] += answered is not None
                silent = answered is False and not row["dst_bytes"]
                counts[3] += (row["src_bytes"] or 0) if silent else 0
        flooded = [
            c for c in minutes.values()
            if (c[0] >= flows and c[2] and c[1] / c[2] >= failed) or c[3] >= unanswered
        ]  # fmt: skip
        if flooded:
            found[key] = (max(c[0] for c in flooded), max(c[3] for c in flooded))
    return found


def uploads(rows: list[Row], size: int, ratio: float) -> set[Key]:
    """Source and destination of uploads."""
    found = set()
    for key, pair in grouped(rows, "src_ip", "dst_ip").items():
        of = [row for row in pair if row["protocol"] in ("tcp", "udp")]
        sent, received = (sum(row[n] or 0 for row in of) for n in ("src_bytes", "dst_bytes"))
        both = any(row["src_bytes"] is not None and row["dst_bytes"] is not None for row in of)
        large = both and sent >= size and received > 0 and sent / received >= ratio
        # A group is outside, too, but nothing that it would have sent is in the flows.
        if large and direction(key) == "outbound":
            found.add(key)
    return found


def long_connections(rows: list[Row], duration: float, gap: float) -> dict[Key, float]:
    """Keys of long connections, with the longest time in seconds."""
    found = {}
    for key, of in by_conversation(rows).items():
        longest = 0
        for (port,), ones in grouped(of, "src_port").items():
            start = end = None
            for row in ones:
                if row["start_time"] is None or row["end_time"] is None:
                    continue
                if end is None or port is None or row["start_time"] > end + gap * 1e6:
                    start, end = row["start_time"], row["end_time"]
                # The core keeps durations in milliseconds.
                until = row["start_time"] + (row["end_time"] - row["start_time"]) // 1000 * 1000
                end = until if start == row["start_time"] else max(end, until)
                longest = max(longest, end - start)
        if longest >= duration * 1e6:
            found[key] = longest / 1e6
    return found


def port_mismatches(rows: list[Row]) -> dict[Key, int]:
    """Keys of port mismatches, with their flows."""
    own = {"ssh": {22}, "dns": {53}, "rdp": {3389}, "smtp": set()}
    allowed: dict[int, set[str]] = {22: {"ssh"}, 53: {"dns"}, 80: {"http"}, 123: set(),
                                    443: {"ssl", "http"}, 139: set(), 445: set(),
                                    3389: {"rdp", "ssl"}}  # fmt: skip
    found: dict[Key, int] = defaultdict(int)
    for key, of in by_conversation(rows).items():
        for row in of:
            names = set((row["service"] or "").split(",")) & {
                "ssl",
                "ssh",
                "dns",
                "http",
                "smtp",
                "rdp",
            }
            foreign = names - allowed.get(key[2], names)
            away = {name for name in names if name in own and key[2] not in own[name]}
            if key[2] is not None and foreign | away:
                found[key] += 1
    return dict(found)


def lateral_fan_out(rows: list[Row], hosts: int, window: float) -> set[str]:
    """Sources that reach many internal hosts on administrative ports."""
    ports = {22, 23, 135, 139, 445, 3389, 5900, 5985, 5986}
    firsts: dict[str, dict[str, int]] = defaultdict(dict)
    for key, of in by_conversation(rows).items():
        reached = any(map(outcome, of)) or all(outcome(row) is None for row in of)
        if key[2] in ports and key[3] == "tcp" and direction(key) == "internal" and reached:
            for start in starts(of)[:1]:
                known = firsts[key[0]].get(key[1], start)
                firsts[key[0]][key[1]] = min(known, start)
    return {
        source for source, of in firsts.items() if most_within(list(of.values()), window) >= hosts
    }


def rhythm(times: list[int], limits: Any) -> tuple[int, float, float] | None:
    """Calls, period in seconds and share of regular gaps."""
    found = []
    gaps = [after - before for before, after in pairwise(times)]
    for burst in (1, 10, 60, 300):
        burst *= 1_000_000
        near = sum(burst <= gap < 3 * burst for gap in gaps)
        if burst > 1_000_000 and (not any(g < burst for g in gaps) or near > 0.02 * len(gaps)):
            continue
        limit = burst
        while True:
            calls = [t for t, gap in zip(times, [limit, *gaps], strict=False) if gap >= limit]
            between = [b - a for a, b in pairwise(calls)]
            wider = max(burst, median_low(between) // 10) if between else burst
            if wider <= limit:
                break
            limit = wider
        found.append(_regular(calls, between, limits))
    known = [one for one in found if one]
    return max(known, key=lambda one: (one[2], one[0])) if known else None


def _regular(calls: list[int], gaps: list[int], limits: Any) -> tuple[int, float, float] | None:
    few = len(calls) < limits.min_calls
    if not gaps or len(calls) < (limits.few_calls if few else limits.min_calls):
        return None
    period = median_low(gaps)
    if period < limits.min_period * 1e6:
        return None
    tolerance = limits.few_tolerance if few else limits.tolerance
    minimum = 1.0 if few else limits.min_share
    for most in (5, 1):
        hits = sum(
            any(abs(gap / period - times) <= tolerance for times in range(1, most + 1))
            for gap in gaps
        )
        chance = sum(
            2 ** -(times - tolerance) - 2 ** -(times + tolerance) for times in range(1, most + 1)
        )
        n, share = len(gaps), hits / len(gaps)
        tail = sum(comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(hits, n + 1))
        if share >= minimum and (n >= 200 or tail <= limits.max_chance):
            return len(calls), period / 1e6, share
    return None


def beacons(rows: list[Row], limits: Any, retry: Any) -> dict[Key, tuple[int, float, float]]:
    """Keys of beacons, with calls, period and share of regular gaps."""
    found = {}
    for key, of in by_conversation(rows).items():
        is_lost = is_retry(of, retry.min_tries, retry.min_failed, retry.min_span)
        if direction(key) == "inbound" or is_lost:
            continue
        times = starts(of)
        if len(times) >= limits.few_calls and (one := rhythm(times, limits)):
            found[key] = one
    return found
