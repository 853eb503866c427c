"""Definitions, found by folder: each module contributes what its `defs` function returns."""
