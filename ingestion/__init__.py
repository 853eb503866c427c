"""Ingestion: raw extracts of the source systems to the landing. Knows no orchestrator and no dbt."""
