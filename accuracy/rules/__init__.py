"""The rules that are scored: flowtriage first, then what stands beside it."""

from __future__ import annotations

from accuracy.rules.elastic import ELASTIC
from accuracy.rules.flowtriage import FLOWTRIAGE, INBOUND, INFORMATION
from accuracy.rules.gap_share import GAP_SHARE
from accuracy.rules.rita import RITA
from accuracy.rules.rule import Rule
from accuracy.rules.scans import WALK, ZEEK
from accuracy.rules.sentinel import SENTINEL

__all__ = ["FLOWTRIAGE", "INBOUND", "PEERS", "Rule"]

PEERS = (INFORMATION, *RITA, SENTINEL, ELASTIC, GAP_SHARE, ZEEK, WALK)
