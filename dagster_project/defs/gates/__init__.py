"""The gates between the layers."""
