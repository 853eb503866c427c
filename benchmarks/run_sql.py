"""Run SQL on a DuckDB file as a process of its own, so that measure can see what it takes.

python -m benchmarks.run_sql FILE "select ..." [--memory-limit 2GB] [--threads 2]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import duckdb


def main(arguments: list[str] | None = None) -> int:
    """Command line: run the statements, print the last one's first row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run_sql")
    parser.add_argument("database", type=Path)
    parser.add_argument("sql")
    parser.add_argument("--memory-limit", default="2GB")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    with duckdb.connect(str(options.database)) as connection:
        connection.execute(f"set threads = {options.threads}")
        connection.execute(f"set memory_limit = '{options.memory_limit}'")
        connection.execute("set timezone = 'UTC'")
        row = connection.execute(options.sql).fetchone()
    sys.stdout.write(f"{row}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
