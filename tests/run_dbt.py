"""dbt for tests: a process of its own, on the warehouse and into the folders a test gives it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.shared_parse import lend_parse

ROOT = Path(__file__).resolve().parents[1]


def run_dbt(warehouse_path: Path, target_path: Path, *arguments: str, root: Path = ROOT) -> None:
    """Run dbt on a warehouse. What it wrote is the failure's message; root: the tree whose project is run."""
    if root == ROOT and not (target_path / "partial_parse.msgpack").exists():
        lend_parse(target_path, warehouse_path)
    done = subprocess.run(
        [
            sys.executable,
            *("-c", "from dbt.cli.main import cli; cli()"),
            *arguments,
            *("--project-dir", str(root / "dbt_project"), "--profiles-dir", str(root / "dbt_project")),
            *("--target-path", str(target_path), "--log-path", str(target_path / "logs")),
        ],
        env={**os.environ, "WAREHOUSE_PATH": str(warehouse_path), "DBT_SEND_ANONYMOUS_USAGE_STATS": "0"},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
