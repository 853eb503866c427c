"""The close of a period."""
