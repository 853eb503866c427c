"""A failed gate: nothing below it is built, the earlier files stand, and the run says what is wrong.

Each test spoils a copy of the warehouse in one place and runs the real job on it.
"""

import duckdb
import pytest

from dagster_project.cli import main
from dagster_project.lib.instance import open_instance
from dagster_project.lib.run_lock import hold, run_lock_path
from tests.conftest import DemoWarehouse, run_main_job

pytestmark = pytest.mark.slow


def spoil(copy: DemoWarehouse, sql: str) -> int:
    """Change the warehouse behind everybody's back; returns how many rows were changed."""
    with duckdb.connect(str(copy.warehouse_path)) as connection:
        return connection.execute(sql).fetchone()[0]


def contents(copy: DemoWarehouse) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in copy.publish_path.iterdir()}


def steps_of(copy: DemoWarehouse, run_id: str) -> dict[str, str]:
    """How each step of a run ended: success, failure, or started without an end."""
    ended = {"STEP_SUCCESS": "success", "STEP_FAILURE": "failure", "STEP_SKIPPED": "skipped"}
    with open_instance(copy.dagster_home) as instance:
        return {
            entry.step_key: ended[entry.dagster_event.event_type_value]
            for entry in instance.all_logs(run_id)
            if entry.dagster_event and entry.dagster_event.event_type_value in ended
        }


def test_a_record_twice_in_a_batch_closes_the_raw_gate(demo_copy):
    before = contents(demo_copy)
    assert (
        spoil(
            demo_copy,
            "insert into raw_datadog.monitor from (from raw_datadog.monitor "
            "where _batch_id in (select current_batch_id from landing.extract_state) order by id limit 2)",
        )
        == 2
    )
    run = run_main_job(demo_copy.environment)
    assert not run.success
    ((step, message),) = run.errors
    assert step == "gate_raw"
    assert "gate raw is closed" in message
    assert "raw_datadog.monitor" in message
    assert "example: " in message
    steps = steps_of(demo_copy, run.run_id)
    assert steps["close_landing"] == "success"
    assert not {"dbt_staging", "gate_staging", "dbt_marts", "gate_marts", "publish"} & {
        step for step, end in steps.items() if end != "skipped"
    }
    assert contents(demo_copy) == before


def test_tickets_of_a_group_nobody_knows_close_the_staging_gate(demo_copy):
    """Found only where the layers meet; core and the marts stay as they were."""
    before = contents(demo_copy)
    with duckdb.connect(str(demo_copy.warehouse_path), read_only=True) as connection:
        payouts = connection.execute("from incentives.fct_incentive_payout order by all").fetchall()
    assert spoil(demo_copy, "update raw_servicenow.incident set assignment_group = repeat('f', 32)") > 1000
    run = run_main_job(demo_copy.environment)
    assert [step for step, _ in run.errors] == ["gate_staging"], run.errors
    message = run.errors[0][1]
    assert "stg_servicenow__incidents_assignment_group_id_refers_mostly" in message
    assert "staging.stg_servicenow__incidents" in message
    steps = steps_of(demo_copy, run.run_id)
    assert steps["dbt_staging"] == "success"
    assert not {"dbt_marts", "gate_marts", "publish"} & {s for s, end in steps.items() if end != "skipped"}
    with duckdb.connect(str(demo_copy.warehouse_path), read_only=True) as connection:
        assert connection.execute("from incentives.fct_incentive_payout order by all").fetchall() == payouts
    assert contents(demo_copy) == before


def test_a_payout_a_cent_off_closes_the_marts_gate_and_the_command_fails(demo_copy, capfd):
    before = contents(demo_copy)
    assert (
        spoil(
            demo_copy,
            "update incentives.fct_incentive_payout set payout_amount = payout_amount + 0.01 where payout_line_id = "
            "(select min(payout_line_id) from incentives.fct_incentive_payout where payout_amount > 0)",
        )
        == 1
    )
    assert main(["publish"]) == 1
    said = capfd.readouterr().out
    assert "gate marts is closed" in said
    assert "incentives." in said
    assert said.strip().splitlines()[-1].startswith("publish: FAILED in gate_marts")
    assert contents(demo_copy) == before


def test_publish_again_replaces_the_files(demo_copy, capfd):
    before = contents(demo_copy)
    assert main(["publish"]) == 0
    assert capfd.readouterr().out.strip().splitlines()[-1].startswith("publish: 2 files in ")
    after = contents(demo_copy)
    assert after.keys() == before.keys()
    with duckdb.connect(str(demo_copy.publish_path / "bi.duckdb"), read_only=True) as connection:
        publishing, built = connection.execute(
            "select publishing_run_id, warehouse_run_id from published.about"
        ).fetchone()
    assert built == demo_copy.run.run_id
    assert publishing != built


def test_a_command_beside_a_run_says_who_holds_the_warehouse(demo_copy, capfd):
    before = contents(demo_copy)
    with hold(run_lock_path(demo_copy.warehouse_path), {"what": "run 4711 of job warehouse"}):
        assert main(["publish"]) == 1
    said = capfd.readouterr().out
    assert "is being written by run 4711 of job warehouse (process " in said
    assert contents(demo_copy) == before


def test_the_documentation_is_one_page(demo_copy, capfd):
    assert main(["docs"]) == 0
    page = demo_copy.folder / "docs" / "index.html"
    assert "fct_incentive_payout" in page.read_text()
    last = capfd.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("docs: ")
    assert str(page) in last
