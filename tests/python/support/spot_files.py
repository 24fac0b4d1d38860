"""Files as the configuration of Flow OA names them."""

from __future__ import annotations

import ipaddress
from pathlib import Path


def written(path: Path, text: str) -> Path:
    """Write a file; return its path."""
    path.write_text(text, encoding="utf-8")
    return path


def number(address: str) -> int:
    return int(ipaddress.ip_address(address))


def iploc(folder: Path) -> Path:
    """Write a file of places, with a row that is none."""
    lines = [
        (number("8.8.8.0"), number("8.8.8.255"), "US", "United States", "California"),
        (number("9.9.9.9"), number("9.9.9.9"), "CH", "Switzerland", ""),
        ("x", "y", "", "", ""),
    ]
    rest = ("Mountain, View", "37.4", "-122.1", 'Google "LLC"', "google.com")
    others = ("", "", "", "", ""), ("", "", "", "", "")
    text = ""
    for line, more in zip(lines, (rest, *others), strict=True):
        fields = (str(field).replace('"', '""') for field in (*line, *more))
        text += ",".join(f'"{field}"' for field in fields) + "\n"
    return written(folder / "iploc.csv", text)
