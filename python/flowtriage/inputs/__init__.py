"""Parsers of arguments: addresses, hosts, networks, times and Arrow data."""
