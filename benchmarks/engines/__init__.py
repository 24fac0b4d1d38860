"""Other engines that answer flowtriage's questions: naive Python, DuckDB and Polars."""

from benchmarks.engines.engine import Engine, Search, comparable, in_any_order
from benchmarks.engines.frames import Polars
from benchmarks.engines.naive import Naive
from benchmarks.engines.sql import DuckDb

__all__ = ["DuckDb", "Engine", "Naive", "Polars", "Search", "comparable", "in_any_order"]
