"""All detectors over one log."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

import pyarrow as pa

from flowtriage._core import hunt as _hunt
from flowtriage.detect.allow_list import AllowLike, as_allow_list
from flowtriage.detect.allowed import count_again, with_hidden
from flowtriage.detect.findings import with_status
from flowtriage.detect.known_networks import known_networks
from flowtriage.detect.thresholds import DETECTORS, Context, Thresholds
from flowtriage.enrich.asn import AsnDatabase, as_database
from flowtriage.errors import ArgumentError
from flowtriage.humanize import did_you_mean
from flowtriage.inputs.arrow import FlowReader, FlowSource
from flowtriage.inputs.networks import NetworksLike, parse_networks
from flowtriage.read.batches import over_flows

COLUMNS = ("state",)
"""Canonical columns that detectors need beside those of an aggregate."""


class Request(NamedTuple):
    """What the core looks for."""

    detectors: list[str]
    limits: dict[str, dict[str, float]]
    known: list[tuple[str, str, bool]]
    hosts: bool


def hunt(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    detectors: Iterable[str | Thresholds] | str | Thresholds | None = None,
    context: Context | None = None,
    known: str | os.PathLike[str] | None = None,
    asn: AsnDatabase | str | os.PathLike[str] | None = None,
    allow: AllowLike | None = None,
) -> pa.Table:
    """Run the detectors and rank what they find.

    Parameters
    ----------
    flows
        Any source of `flow_index`, except an index.
    internal
        Internal networks, as for `classify_direction`.
    detectors
        Names of detectors, or their thresholds, such as `PortScans(min_ports=30)`. None means all
        with the default thresholds.
    context
        Thresholds of the context.
    known
        List of known networks, as for `flowtriage.detect.known_networks`; None means the bundled
        one.
    asn
        Database of autonomous systems, as for `flow_summary`, but without online queries.
    allow
        An `AllowList` or its file. Findings that it has are hidden; `flowtriage.detect.allowed`
        returns them.

    Returns
    -------
    pyarrow.Table
        One row per finding, ordered by severity, score and key:

        - `finding`: stable id, a hash of detector and key; `detector`;
        - `severity`: `high`, `warning` or `information`; what the finding would mean;
        - `score`: from 0 to 1; how well the behaviour fits;
        - `source`, `dest`, `dst_port`, `protocol`: null where the finding is about several;
        - `as_name`, `country`: of the outside endpoint;
        - `first_seen`, `last_seen` (UTC), `flows` (allowed and denied), `bytes_out`, `bytes_in`;
        - `summary`: a sentence;
        - `evidence`: list of name, value and threshold;
        - `technique`: MITRE ATT&CK;
        - `context`: circumstances that moved the severity, or could have;
        - `flows_filter`: SQL condition that selects the flows; see `flows_of`.

        `detector_status` returns which detectors ran, and why others could not.

    Raises
    ------
    ArgumentError
        If a detector is unknown or given twice, or `internal` is invalid.
    InputError
        If a value is invalid; the message names its row and column.

    Examples
    --------
    >>> from flowtriage import sample
    >>> findings = hunt(sample.office_day())
    >>> sample.SCAN.peer in findings["source"].to_pylist()
    True
    """
    function = hunting(
        internal=internal,
        detectors=detectors,
        context=context,
        known=known,
        asn=asn,
        hosts=False,
    )
    findings, _ = over_flows(function, flows, keys=COLUMNS)
    return findings if allow is None else with_hidden(as_allow_list(allow).apply(findings, asn=asn))


def hosts(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    detectors: Iterable[str | Thresholds] | str | Thresholds | None = None,
    context: Context | None = None,
    known: str | os.PathLike[str] | None = None,
    asn: AsnDatabase | str | os.PathLike[str] | None = None,
    allow: AllowLike | None = None,
) -> pa.Table:
    """Summarise every internal host, with the findings about it.

    Parameters
    ----------
    flows, internal, detectors, context, known, asn, allow
        As for `hunt`; findings that are allowed do not count.

    Returns
    -------
    pyarrow.Table
        One row per internal host, the most severe findings first:

        - `host`;
        - `high`, `warning`, `information`: findings whose `source` or `dest` it is;
        - `peers`: addresses that it called or that called it, without multicast; `networks`: their
          autonomous systems; `countries`: sorted list;
        - `flows` (allowed and denied), `bytes_out`, `bytes_in` (sent and received by the host),
          `first_seen`, `last_seen` (UTC).

        `detector_status` returns which detectors ran.

    Raises
    ------
    ArgumentError, InputError
        As for `hunt`.

    Examples
    --------
    >>> from flowtriage import sample
    >>> hosts(sample.office_day())["host"][0].as_py() == sample.HOST_IP
    True
    """
    _, table = survey(
        flows,
        internal=internal,
        detectors=detectors,
        context=context,
        known=known,
        asn=asn,
        allow=allow,
    )
    return table


def survey(
    flows: FlowSource,
    *,
    internal: NetworksLike | None = None,
    detectors: Iterable[str | Thresholds] | str | Thresholds | None = None,
    context: Context | None = None,
    known: str | os.PathLike[str] | None = None,
    asn: AsnDatabase | str | os.PathLike[str] | None = None,
    allow: AllowLike | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Return the results of `hunt` and `hosts` from one pass over the flows.

    Examples
    --------
    >>> from flowtriage import sample
    >>> findings, table = survey(sample.office_day())
    >>> table["high"][0].as_py() <= findings.num_rows
    True
    """
    function = hunting(
        internal=internal, detectors=detectors, context=context, known=known, asn=asn
    )
    found, table = over_flows(function, flows, keys=COLUMNS)
    if allow is None:
        return found, table
    shown, hidden = as_allow_list(allow).apply(found, asn=asn)
    return with_hidden((shown, hidden)), count_again(table, hidden)


def hunting(
    *,
    internal: NetworksLike | None = None,
    detectors: Iterable[str | Thresholds] | str | Thresholds | None = None,
    context: Context | None = None,
    known: str | os.PathLike[str] | None = None,
    asn: AsnDatabase | str | os.PathLike[str] | None = None,
    hosts: bool = True,
) -> Callable[[FlowReader], tuple[pa.Table, pa.Table]]:
    """Return the function of `survey` over record batches; without `hosts`, their table is empty.

    The batches need the columns of an aggregate by `COLUMNS`.
    """
    chosen = _chosen(detectors)
    thresholds = {name: (chosen.get(name) or kind()) for name, kind in DETECTORS.items()}
    numbers = {name: value.as_numbers() for name, value in thresholds.items()}
    numbers["context"] = (context or Context()).as_numbers()
    ranges = None if internal is None else parse_networks(internal)
    request = Request(list(chosen), numbers, list(known_networks(known)), hosts)
    database = as_database(asn)._files

    def hunted(batches: FlowReader) -> tuple[pa.Table, pa.Table]:
        findings, status, table = _hunt(batches, ranges, database, request)
        hosts_table = pa.table({}) if table is None else table
        return with_status(findings, status), with_status(hosts_table, status)

    return hunted


def _chosen(
    detectors: Iterable[str | Thresholds] | str | Thresholds | None,
) -> dict[str, Thresholds | None]:
    """Return thresholds by detector; None means the default ones."""
    if detectors is None:
        return dict.fromkeys(DETECTORS)
    if isinstance(detectors, (str, Thresholds)):
        detectors = [detectors]
    chosen: dict[str, Thresholds | None] = {}
    for detector in detectors:
        name, thresholds = _named(detector)
        if name in chosen:
            raise ArgumentError(f"detectors has {name!r} twice; give each one once")
        chosen[name] = thresholds
    return chosen


def _named(detector: str | Thresholds) -> tuple[str, Thresholds | None]:
    if isinstance(detector, str):
        if detector not in DETECTORS:
            raise ArgumentError(f"unknown detector {detector!r}{did_you_mean(detector, DETECTORS)}")
        return detector, None
    for name, kind in DETECTORS.items():
        if type(detector) is kind:
            return name, detector
    raise ArgumentError(f"{detector!r} is neither the name of a detector nor its thresholds")
