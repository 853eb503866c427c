"""What the main job leaves out of its dbt commands: the unit tests, which prove the SQL and not the data."""

import os
import subprocess

import pytest

from dagster_project.lib.dbt_parse import child_environment
from dagster_project.lib.dbt_project import load_project
from dagster_project.lib.dbt_runner import DBT_EXECUTABLE
from dagster_project.lib.environment import DBT_PROJECT_DIR, dbt_target_path
from ingestion.settings import Settings
from tests.conftest import DemoWarehouse

pytestmark = pytest.mark.slow


def test_every_dbt_unit_test_passes(demo_copy: DemoWarehouse):
    settings = Settings.from_env()
    manifest = load_project(settings).manifest
    unit_tests = manifest["unit_tests"]
    assert len(unit_tests) > 10
    done = subprocess.run(
        [DBT_EXECUTABLE, "--no-use-colors", "test", "--select", "test_type:unit"],
        env={**child_environment(dbt_target_path(settings)), **demo_copy.environment, "DO_NOT_TRACK": "1"},
        cwd=DBT_PROJECT_DIR,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    # dbt counts the hooks at the end of the run with them
    hooks = [name for name in manifest["nodes"] if name.startswith("operation.") and "-on-run-end-" in name]
    assert f"PASS={len(unit_tests) + len(hooks)} WARN=0 ERROR=0 SKIP=0" in done.stdout
    assert os.environ["WAREHOUSE_PATH"] == str(demo_copy.warehouse_path)
