"""Styles, scripts and the template of pages: files beside this module."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def asset(name: str) -> str:
    """Read a file as text."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
