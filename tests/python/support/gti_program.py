"""A program that stands for the client of GTI, and the configuration that names it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

PROGRAM = """#!/usr/bin/env python3
import json, sys
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
asked = json.loads(sys.argv[sys.argv.index("-q") + 1])["q"][0]["ip"]
known = {known!r}
if asked not in known:
    sys.exit("no route; $(touch {log}.hacked)")
print(known[asked])
"""


def written(folder: Path, known: dict[str, str], **settings: Any) -> tuple[Path, Path]:
    """Write both into a folder; return the configuration, and where calls are logged."""
    log = folder / "calls"
    program = folder / "ref client"
    program.write_text(PROGRAM.format(log=str(log), known=known), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    part = {
        "refclient": str(program),
        "server": "gti.example",
        "user": "o'hara",
        "password": "'; touch hacked; '",
        "ci": '{"ci":{"cliid":"1"},"q":[###QUERY###]}',
    }
    config = folder / "reputation_config.json"
    config.write_text(json.dumps({"gti": part | settings}), encoding="utf-8")
    return config, log
