"""Faults of sources and machines, each tried on the real landing: a clear error, and nothing lost."""
