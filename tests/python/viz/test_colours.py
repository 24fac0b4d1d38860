"""Colours of protocols and directions are stable and distinct."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bokeh")

from flowtriage.viz.colours import DENIED, OTHER, UNKNOWN, direction_colours, protocol_colours


def test_colours_do_not_depend_on_the_plot_the_order_or_the_run() -> None:
    names = ["zabbix", "dns", "ssl", "mqtt", "ssh", None]
    chosen = protocol_colours(names)
    assert protocol_colours(reversed(names)) == chosen
    assert protocol_colours(["dns"])["dns"] == chosen["dns"] == "#0072B2"
    assert protocol_colours(["DNS"])["DNS"] == "#0072B2"
    assert chosen["mqtt"] == protocol_colours(["mqtt"])["mqtt"] == "#44AA77"
    assert chosen[None] == UNKNOWN
    assert protocol_colours(["https"])["https"] == chosen["ssl"]
    both = protocol_colours(["https", "ssl"])
    assert both["ssl"] == chosen["ssl"] != both["https"]


@pytest.mark.parametrize("seed", range(20))
def test_colours_of_one_plot_differ(seed: int) -> None:
    random = np.random.default_rng(seed)
    names = [f"service-{number}" for number in random.integers(0, 10**6, 8)]
    names += ["dns", "ssl", "https", "ldap", "ldaps", "ms-wbt-server", "rdp"]
    colours = protocol_colours(names)
    assert len(set(colours.values())) == len(set(names))
    assert not {DENIED, OTHER, UNKNOWN} & set(colours.values())


def test_colours_of_directions_are_fixed() -> None:
    colours = direction_colours(["U", "I", "O", "L", "X", None, "?"])
    assert len({colours[code] for code in "IOLX"}) == 4
    assert {colours[code] for code in ("U", None, "?")} == {UNKNOWN}
