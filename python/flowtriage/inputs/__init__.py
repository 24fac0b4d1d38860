"""Parsers of arguments: addresses, hosts, networks, times and Arrow data."""

from flowtriage.inputs.addresses import address_argument, hosts_argument, parse_address
from flowtriage.inputs.hosts import parse_host, parse_single_address
from flowtriage.inputs.networks import parse_networks
from flowtriage.inputs.timespan import parse_day, parse_timespan

__all__ = [
    "address_argument",
    "hosts_argument",
    "parse_address",
    "parse_day",
    "parse_host",
    "parse_networks",
    "parse_single_address",
    "parse_timespan",
]
