"""Benchmarks of flowtriage against alternatives; see docs/benchmarks.md."""
