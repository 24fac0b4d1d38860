"""Colours of plots, protocols and directions: the same in every plot and every run."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

INK, FAINT, RULE, PANEL = "#24292F", "#57606A", "#E4E7EB", "#F6F8FA"
WHITE, COUNTRY_CODE = "#FFFFFF", "#A9B2BC"
UNKNOWN = "#8A8F98"
OTHER = "#C3C8CF"
DENIED = "#C1121F"
TOTAL = "#7A8699"
TWO_WAY = "#332288"
DIRECTIONS = {"I": "#AA4499", "O": "#0072B2", "L": "#228B55", "X": "#E69F00"}
_WELL_KNOWN = {
    "dns": "#0072B2",
    "ssl": "#1B9E8A",
    "http": "#E69F00",
    "quic": "#56B4E9",
    "smb": "#AA4499",
    "krb": "#332288",
    "ldap": "#DDCC77",
    "ssh": "#882255",
    "rdp": "#D9650D",
    "ntp": "#999933",
    "icmp": "#7B5B3A",
}
_ALIASES = {
    "domain": "dns",
    "http-alt": "http",
    "ms-wbt-server": "rdp",
    **dict.fromkeys(("https", "tls"), "ssl"),
    **dict.fromkeys(("microsoft-ds", "cifs"), "smb"),
    **dict.fromkeys(("kerberos", "krb_tcp", "krb_udp"), "krb"),
    **dict.fromkeys(("ldaps", "ldap_tcp", "ldap_udp"), "ldap"),
    **dict.fromkeys(("icmp6", "ipv6-icmp"), "icmp"),
}
_PALETTE = (
    *("#6699CC", "#EE8866", "#44AA77", "#CC79A7", "#B8A100", "#5566AA", "#EE99AA", "#88AA44"),
    *("#997799", "#22A2B8", "#AA6633", "#77CCAA", "#9467BD", "#556B2F", "#E377C2", "#4A6FA5"),
)


def protocol_colours(names: Iterable[str | None]) -> dict[str | None, str]:
    """Assign colours to the protocols of one plot.

    Well-known protocols have a fixed colour. Any other takes the first free colour of the
    palette, from an index that depends on its name alone. The same names always get the same
    colours, and two names share one only when the palette is exhausted.

    Examples
    --------
    >>> protocol_colours(["dns", None])
    {'dns': '#0072B2', None: '#8A8F98'}
    """
    wanted = list(dict.fromkeys(names))
    chosen: dict[str | None, str] = {}
    for name in sorted((n for n in wanted if n is not None), key=_precedence):
        chosen[name] = _colour(name, set(chosen.values()))
    return {name: UNKNOWN if name is None else chosen[name] for name in wanted}


def direction_colours(codes: Iterable[str | None]) -> dict[str | None, str]:
    """Assign colours to direction codes: blue outbound, purple inbound, as on the maps."""
    return {code: DIRECTIONS.get(code or "", UNKNOWN) for code in codes}


def _precedence(name: str) -> tuple[int, str]:
    folded = name.strip().casefold()
    if folded in _WELL_KNOWN:
        return 0, name
    return (1 if folded in _ALIASES else 2), name


def _colour(name: str, taken: set[str]) -> str:
    folded = name.strip().casefold()
    own = _WELL_KNOWN.get(_ALIASES.get(folded, folded))
    if own is not None and own not in taken:
        return own
    start = zlib.crc32(folded.encode()) % len(_PALETTE)
    turn = (*_PALETTE[start:], *_PALETTE[:start], *_WELL_KNOWN.values())
    return next((colour for colour in turn if colour not in taken), turn[0])
