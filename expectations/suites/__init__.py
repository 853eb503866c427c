"""The gates' checks, one module a gate, as plain data."""
