"""Inputs written as text logs of sensors."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pyarrow as pa

from benchmarks.shapes import SEED

_TOP = """\
#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\tconn
#open\t2026-03-02-00-00-00
"""
ZEEK_TOP_LINES = _TOP.count("\n") + 2
"""Lines before the first record, including names and types."""

_TEXTS = {"uid", "id.orig_h", "id.resp_h", "proto", "service", "conn_state", "history"}
_SECOND = 1_000_000


@dataclass(frozen=True)
class Written:
    """A log on disk for the lifetime of the object, and its column names."""

    path: Path
    names: list[str]
    _folder: TemporaryDirectory[str] | None

    @property
    def is_json(self) -> bool:
        """Whether records are JSON objects."""
        return self.path.suffix == ".json"


def zeek(table: pa.Table) -> Written:
    """Write a table of the shape `zeek` as a Zeek log."""
    frame = _flows(table)
    random = np.random.default_rng(SEED)
    uids = random.integers(0, 1 << 60, len(frame))
    values: dict[str, pl.Expr | pl.Series] = {
        "ts": _seconds(pl.col("start")),
        "uid": pl.Series(uids).cast(pl.String).str.zfill(19).str.replace("^", "C"),
        "id.orig_h": pl.col("source"),
        "id.orig_p": pl.col("src_port"),
        "id.resp_h": pl.col("dest"),
        "id.resp_p": pl.col("dst_port"),
        "proto": pl.col("protocol").replace_strict({6: "tcp", 17: "udp"}),
        "service": pl.col("L7Protocol"),
        "duration": _seconds(pl.col("end") - pl.col("start")),
        "orig_bytes": pl.col("src_bytes"),
        "resp_bytes": pl.col("dst_bytes"),
        "conn_state": pl.Series(random.choice(["SF", "S0", "REJ", "RSTO"], len(frame))),
        "local_orig": pl.lit("-"),
        "local_resp": pl.lit("-"),
        "missed_bytes": pl.lit(0),
        "history": pl.lit("ShADadFf"),
        "orig_pkts": pl.col("src_packets"),
        "orig_ip_bytes": pl.col("src_bytes") + 28 * pl.col("src_packets"),
        "resp_pkts": pl.col("dst_packets"),
        "resp_ip_bytes": pl.col("dst_bytes") + 28 * pl.col("dst_packets"),
        "tunnel_parents": pl.lit("(empty)"),
    }
    names, types = "\t".join(values), "\t".join(["string"] * len(values))
    return _write(frame, values, "\t", f"{_TOP}#fields\t{names}\n#types\t{types}\n")


def zeek_json(table: pa.Table) -> Written:
    """Write a table of the shape `zeek` as a Zeek log of JSON objects without missing values."""
    log = zeek(table)
    frame = pl.read_csv(
        log.path,
        separator="\t",
        has_header=False,
        skip_rows=ZEEK_TOP_LINES,
        new_columns=log.names,
        infer_schema=False,
        null_values=["-", "(empty)"],
    )
    texts = {name: pl.format('"{}"', pl.col(name)) for name in _TEXTS}
    fields = [pl.format('"' + name + '":{}', texts.get(name, pl.col(name))) for name in log.names]
    line = pl.concat_str(fields, separator=",", ignore_nulls=True)
    path = log.path.with_suffix(".json")
    lines = frame.select(pl.concat_str([pl.lit("{"), line, pl.lit("}")]))
    lines.write_csv(path, include_header=False, quote_style="never")
    log.path.unlink()
    return replace(log, path=path)


def packed(log: Written) -> Written:
    """Compress a log by gzip."""
    path = log.path.with_suffix(".log.gz")
    with log.path.open("rb") as plain, gzip.open(path, "wb", compresslevel=6) as file:
        shutil.copyfileobj(plain, file)
    log.path.unlink()
    return replace(log, path=path)


def aws(table: pa.Table) -> Written:
    """Write a table of the shape `zeek` as an AWS log of unidirectional records."""
    values = {
        "version": pl.lit(2),
        "account-id": pl.lit("123456789012"),
        "interface-id": pl.lit("eni-0a1b2c3d4e5f60718"),
        "srcaddr": pl.col("source"),
        "dstaddr": pl.col("dest"),
        "srcport": pl.col("src_port"),
        "dstport": pl.col("dst_port"),
        "protocol": pl.col("protocol"),
        "packets": pl.col("src_packets"),
        "bytes": pl.col("src_bytes"),
        "start": pl.col("start") // _SECOND,
        "end": pl.col("end") // _SECOND,
        "action": pl.lit("ACCEPT"),
        "log-status": pl.lit("OK"),
    }
    return _write(_flows(table), values, " ", " ".join(values) + "\n")


def _flows(table: pa.Table) -> pl.DataFrame:
    """Add columns that an index does not contain."""
    random = np.random.default_rng(SEED)
    rows = table.num_rows
    return pl.DataFrame(table).with_columns(
        src_port=pl.Series(random.integers(1024, 65536, rows)),
        dst_port=pl.Series(random.choice([443, 80, 53, 22, 445, 123], rows)),
        protocol=pl.Series(random.choice([6, 17], rows)),
        start=pl.col("first_seen").cast(pl.Int64),
        end=pl.col("last_seen").cast(pl.Int64),
    )


def _seconds(micros: pl.Expr) -> pl.Expr:
    fraction = (micros % _SECOND).cast(pl.String).str.zfill(6)
    return pl.concat_str([micros // _SECOND, fraction], separator=".")


def _write(
    frame: pl.DataFrame,
    values: Mapping[str, pl.Expr | pl.Series],
    delimiter: str,
    top: str,
) -> Written:
    folder = TemporaryDirectory(prefix="flowtriage-bench-")
    path = Path(folder.name) / "flows.log"
    lines = frame.select(value.alias(name) for name, value in values.items())
    with path.open("wb") as file:
        file.write(top.encode())
        lines.write_csv(file, separator=delimiter, include_header=False, null_value="-")
    return Written(path, list(values), folder)
