"""The dbt layers."""
