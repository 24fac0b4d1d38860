"""JSON as the files of a story have it: strict, and the same text for the same content."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flowtriage.errors import FormatError


def written(value: Any) -> str:
    """Write JSON in ASCII, with a line feed at its end."""
    return json.dumps(value, allow_nan=False) + "\n"


def parsed(content: str | bytes, where: str) -> Any:
    """Read JSON.

    Parameters
    ----------
    content
        Text, or bytes in UTF-8.
    where
        What an error calls it, such as the path of the file.

    Raises
    ------
    FormatError
        If it is damaged; the message tells line and column.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise FormatError(f"{where} is not text in UTF-8") from None
    except RecursionError:
        raise FormatError(f"{where} is nested too deeply") from None
    except ValueError as error:
        raise FormatError(f"{where} is no JSON: {error}") from None
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
