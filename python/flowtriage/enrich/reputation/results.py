"""Columns of reputation results, and how they are read from a source."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.enrich.reputation.severity import Severity, parse_severity
from flowtriage.errors import ServiceError
from flowtriage.humanize import sanitize

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("Ioc", "IocType", "QuerySubtype", "Provider", "Result", "Severity", "Details"),
    *("RawResult", "Reference", "Status"),
)
"""Columns of msticpy's `TILookup`."""
SAFE_IOC = "SafeIoc"
"""Column of newer versions of msticpy: the address as it was sent to the provider."""
FOUND = pa.schema(
    [
        ("address", pa.string()),
        ("provider", pa.string()),
        ("known", pa.bool_()),
        ("severity", pa.int8()),
        ("network", pa.string()),
        ("answered", pa.bool_()),
        ("reason", pa.string()),
    ]
)
"""`severity` is a `Severity`, `network` the entry of a block list, `reason` that of a failure."""
MAX_REASON = 160
_ANSWERED = (0, 4, 404)  # found, no data, and not found where a service reports it by HTTP
_TEMPORARY = (408, 425, 429)


def result_table(addresses: pa.Array, **columns: Any) -> pa.Table:
    """Build results in msticpy's columns and `Network`; a scalar fills its column."""
    count = len(addresses)
    usual = {
        "Ioc": addresses,
        "IocType": ioc_types(addresses),
        "QuerySubtype": pa.scalar(None, pa.string()),
        "RawResult": pa.scalar(None, pa.string()),
        "Status": pa.scalar(0, pa.int64()),
    }
    filled = {
        name: values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.repeat(values, count)
        for name, values in (usual | columns).items()
    }
    return pa.table({name: filled[name] for name in (*COLUMNS, "Network")})


def ioc_types(addresses: pa.Array) -> pa.Array:
    """Return msticpy's type of each address, `ipv4` or `ipv6`."""
    return pc.if_else(pc.match_substring(addresses, ":"), "ipv6", "ipv4")


def answer_rows(answer: Any, asked: Collection[str], provider: str) -> pd.DataFrame:
    """Return the rows of an answer about the addresses asked for, named as they were.

    Raises
    ------
    ServiceError
        If the answer is not a DataFrame in msticpy's columns.
    """
    import pandas as pd

    if not isinstance(answer, pd.DataFrame):
        found = "None" if answer is None else f"{type(answer).__name__} instead of a DataFrame"
        raise ServiceError(f"returned {found}")
    if answer.empty:
        return answer
    if "Ioc" not in answer.columns:
        raise ServiceError("returned results without the column Ioc")
    names: Any = [_canonical(ioc, asked) for ioc in answer["Ioc"].tolist()]
    rows = answer.assign(Ioc=names)
    if "Provider" not in rows.columns:
        rows["Provider"] = provider
    return rows[rows["Ioc"].notna()]


def _canonical(ioc: Any, asked: Collection[str]) -> str | None:
    """Return an address as it was asked for; None if it was not."""
    text = str(ioc).strip()
    if text in asked:
        return text
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    known = str(mapped or address)
    return known if known in asked else None


def read_results(raw: pa.Table | pd.DataFrame) -> pa.Table:
    """Read results in msticpy's columns as `FOUND`, row by row; a failure has no known severity."""
    columns = _columns(raw)
    results = [result in (True,) for result in columns["Result"]]
    answered = list(map(_is_answer, columns["Status"], columns["RawResult"], results))
    details = zip(answered, columns["Details"], columns["RawResult"], strict=True)
    return pa.table(
        [
            columns["Ioc"],
            list(map(str, columns["Provider"])),
            results,
            [
                parse_severity(severity) if known else Severity.UNKNOWN
                for known, severity in zip(answered, columns["Severity"], strict=True)
            ],
            columns["Network"],
            answered,
            [None if known else _reason(text, raw) for known, text, raw in details],
        ],
        schema=FOUND,
    )


def temporary_failures(raw: pd.DataFrame) -> set[str]:
    """Return the addresses whose failure may end: not, for example, for a missing key."""
    columns = _columns(raw)
    pairs = zip(columns["Ioc"], columns["Status"], strict=True)
    return {ioc for ioc, status in pairs if status in _TEMPORARY or not _is_refusal(status)}


def _is_refusal(status: Any) -> bool:
    return isinstance(status, int | float) and 400 <= status < 500


def _columns(raw: pa.Table | pd.DataFrame) -> Mapping[str, list[Any]]:
    names = (*COLUMNS, "Network")
    if isinstance(raw, pa.Table):
        return {name: raw[name].to_pylist() for name in names}
    frame = raw.reindex(columns=[*names]).astype(object)
    frame = frame.where(frame.notna(), None)
    columns = {name: frame[name].tolist() for name in names}
    return columns | {"Network": [None] * len(frame)}


def _is_answer(status: Any, raw: Any, result: bool) -> bool:
    """Check whether a provider answered.

    msticpy puts the text of an error into the raw result, and takes JSON that is not an object
    for an address that was not found.
    """
    error = not result and isinstance(raw, str | int | float | list) and raw != []
    return status is None or (status in _ANSWERED and not (error and status == 0))


def _reason(details: Any, raw: Any) -> str:
    """Return the reason of a failure from `Details`, or from the raw result if they are empty."""
    if isinstance(details, tuple):
        details = ", ".join(map(str, details))
    if details == "Not found.":
        details = "the answer is not a JSON object"
    if not details:
        details = str(raw or "no reason given").strip().partition("\n")[0].rstrip(":")
    return sanitize(str(details), MAX_REASON)
