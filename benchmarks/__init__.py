"""Benchmarks of flowtriage against what an analyst would otherwise use; see docs/benchmarks.md."""
