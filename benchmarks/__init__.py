"""Benchmarks: generators, the runner that measures whole processes, and the runs docs/performance.md reports."""
