"""Benchmarks: ossicle beside its peer (`python -m benchmarks`), and the scheduler alone."""
