"""Text of a story: valid strings, strict and deterministic JSON, redacted settings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from math import isfinite
from pathlib import PurePath
from typing import Any, NoReturn
from urllib.parse import unquote_plus

from flowtriage.errors import ArgumentError, FormatError

_HIDDEN = "***"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_SECRET = re.compile(
    r"pass|pwd|secret|token|credential|auth|signature|^sig$|(^|[_-])key$|apikey", re.I
)
_LOGIN = re.compile(r"(?<=://)\S*@")
_FOLDERS = re.compile(r"(?<=duckdb:///)/[^?#\n]*/")
_SETTING = re.compile(r"([^\s?&;#=]+)=([^\s&;#]*)")


def check_text(name: str, text: str) -> str:
    """Return a string if every store can hold it; errors call it `name`.

    Examples
    --------
    >>> check_text("title", "beacon 😀")
    'beacon 😀'
    """
    if not isinstance(text, str):
        raise ArgumentError(f"{name} must be a string, got {text!r}")
    if match := _UNSTORABLE.search(text):
        what = "a NUL character" if match[0] == "\0" else "an unpaired surrogate"
        raise ArgumentError(
            f"{name} contains {what} at character {match.start() + 1:,}, which stores cannot "
            "hold; remove it"
        )
    return text


def dump_json(value: Any) -> str:
    """Return a value as JSON in ASCII that ends with a line feed."""
    return json.dumps(value, allow_nan=False) + "\n"


def parse_json(content: str | bytes, where: str) -> Any:
    """Parse strict JSON, in UTF-8 if bytes; errors name the document `where`."""
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_reject_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise FormatError(f"{where} is not valid UTF-8") from None
    except RecursionError:
        raise FormatError(f"{where} is nested too deeply") from None
    except ValueError as error:
        raise FormatError(f"{where} is not valid JSON: {error}") from None
    return value


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def redact(value: Any) -> Any:
    """Return a configuration as JSON values without secrets.

    Hides the values of keys such as `password` or `token`, and in strings the login of a URL and
    settings such as ``password=…``. Reduces absolute paths and URLs of DuckDB files to the file
    name, since directories reveal the machine and its user.

    Examples
    --------
    >>> redact({"url": "postgresql://ann:p/w@db/flows?sslpassword=x", "token": "x"})
    {'url': 'postgresql://***@db/flows?sslpassword=***', 'token': '***'}
    >>> redact({"url": "duckdb:////home/ann/a.duckdb", "data": PurePath("/home/ann/b")})
    {'url': 'duckdb:///a.duckdb', 'data': 'b'}
    """
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _redact_item(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redact(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted(redact(str(inner)) for inner in value)
    if value is None or isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return value
    absolute = isinstance(value, PurePath) and value.is_absolute()
    text = value.name if absolute else _FOLDERS.sub("", str(value))
    text = _LOGIN.sub(f"{_HIDDEN}@", text)
    return _SETTING.sub(_redact_setting, text)


def _redact_item(key: str, value: Any) -> Any:
    if _SECRET.search(key) and value is not None:
        return _HIDDEN
    return redact(value)


def _redact_setting(match: re.Match[str]) -> str:
    secret = _SECRET.search(unquote_plus(match[1]))
    return f"{match[1]}={_HIDDEN}" if secret else match[0]
