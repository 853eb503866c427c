"""The files people read."""
