"""A seeded grid of synthetic beacons in the benign background of offices."""
