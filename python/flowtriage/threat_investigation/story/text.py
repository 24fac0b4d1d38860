"""JSON as the files of a story have it: strict, and the same text for the same content."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import Any, NoReturn
from urllib.parse import unquote_plus

from flowtriage.errors import ArgumentError, FormatError

_UNKEPT = re.compile("[\0\ud800-\udfff]")


def check_text(name: str, text: str) -> str:
    """Refuse what cannot be kept as it is.

    Raises
    ------
    ArgumentError
        If it is no text, has a NUL character, or half of a surrogate pair.

    Examples
    --------
    >>> check_text("title", "beacon 😀")
    'beacon 😀'
    """
    if not isinstance(text, str):
        raise ArgumentError(f"the {name} is {text!r}; give a text")
    if found := _UNKEPT.search(text):
        what = "a NUL character" if found[0] == "\0" else "half of a surrogate pair"
        raise ArgumentError(
            f"the {name} has {what} as its character {found.start() + 1:,}, which no store keeps: "
            "take it out"
        )
    return text


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


HIDDEN = "***"
_SECRET = re.compile(
    r"pass|pwd|secret|token|credential|auth|signature|^sig$|(^|[_-])key$|apikey", re.I
)
_LOGIN = re.compile(r"(?<=://)\S*@")
_FOLDERS = re.compile(r"(?<=duckdb:///)/[^?#\n]*/")
_SETTING = re.compile(r"([^\s?&;#=]+)=([^\s&;#]*)")


def without_secrets(value: Any) -> Any:
    """Return a configuration as JSON has it, without what may be a secret.

    Values of keys such as `password` or `token` are hidden, and in each text the log-in of a URL
    and settings like ``password=…``. Of absolute paths and URLs of DuckDB files the name of the
    file stays: folders tell of the machine and its user.

    Parameters
    ----------
    value
        Mappings, lists, dataclasses, text, numbers, and anything else that has a text.

    Examples
    --------
    >>> without_secrets({"url": "postgresql://ann:p/w@db/flows?sslpassword=x", "token": "x"})
    {'url': 'postgresql://***@db/flows?sslpassword=***', 'token': '***'}
    >>> without_secrets({"url": "duckdb:////home/ann/a.duckdb", "data": PurePath("/home/ann/b")})
    {'url': 'duckdb:///a.duckdb', 'data': 'b'}
    """
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _of_key(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted(without_secrets(str(inner)) for inner in value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and value - value == 0:
        return value
    absolute = isinstance(value, PurePath) and value.is_absolute()
    text = value.name if absolute else _FOLDERS.sub("", str(value))
    text = _LOGIN.sub(f"{HIDDEN}@", text)
    return _SETTING.sub(_of_setting, text)


def _of_key(key: str, value: Any) -> Any:
    if _SECRET.search(key) and value is not None:
        return HIDDEN
    return without_secrets(value)


def _of_setting(found: re.Match[str]) -> str:
    return f"{found[1]}={HIDDEN}" if _SECRET.search(unquote_plus(found[1])) else found[0]
