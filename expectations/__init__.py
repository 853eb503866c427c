"""Gates between the layers: expectations as data, judged by Great Expectations on a read-only connection.

`checks` and `suites` say what is expected and import nothing heavy; `duckdb_engine` and `runner` judge it;
`outcomes` says what came of it; `report` draws it. No orchestrator is imported here: a gate returns plain
data.
"""
