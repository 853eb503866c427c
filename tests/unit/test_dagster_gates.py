"""Gates in Dagster: what a check shows, what a closed gate stops, and what the run says."""

from types import SimpleNamespace

import dagster as dg
import pytest

from dagster_project.lib import gates
from dagster_project.lib.job_runner import run_job
from expectations.checks import CheckSpec
from expectations.outcomes import GateResult, Outcome
from ingestion.settings import Settings

READ, UNREAD = "staging.stg_read", "staging.stg_unread"


@pytest.fixture(autouse=True)
def warehouse(tmp_path, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_PATH", str(tmp_path / "warehouse.duckdb"))


def outcome(name, table, success=True, severity="block", **more):
    return Outcome(
        **{
            "check_name": name,
            "table": table,
            "expectation_type": "expect_column_values_to_be_unique",
            "severity": severity,
            "success": success,
            "is_skipped": False,
            "skip_reason": None,
            "observed": None,
            "element_count": 50,
            "unexpected_count": 0 if success else 2,
            "examples": [] if success else [{"sys_id": "a1"}, {"sys_id": "b2"}],
            "description": f"{name} holds.",
            "how_to_mend": "ask the source's owner",
            **more,
        }
    )


class Project:
    """A parsed project with two staging models."""

    def node_of_table(self, table):
        return {"tags": ["staging"]} if table in (READ, UNREAD) else None


def definitions_with(outcomes, monkeypatch):
    """Two tables, a gate with `outcomes` on them, and a step below that reads only one of the tables."""
    specs = [
        CheckSpec(o.check_name, o.table, o.severity, o.description, o.how_to_mend, o.expectation_type) for o in outcomes
    ]
    monkeypatch.setattr(gates, "run_gate", lambda gate, path: GateResult(gate, list(outcomes), 0.1))
    project = Project()

    @dg.multi_asset(specs=[dg.AssetSpec(["staging", "stg_read"]), dg.AssetSpec(["staging", "stg_unread"])])
    def build():
        yield dg.MaterializeResult(asset_key=["staging", "stg_read"])
        yield dg.MaterializeResult(asset_key=["staging", "stg_unread"])

    @dg.multi_asset_check(
        name="gate", specs=[gates.check_spec("staging", spec, project) for spec in specs], can_subset=True
    )
    def gate(context: dg.AssetCheckExecutionContext):
        yield from gates.run_checks(context, "staging", Settings.from_env(), project)

    @dg.asset(deps=[["staging", "stg_read"]])
    def below():
        pass

    return dg.Definitions(
        assets=[build, below],
        asset_checks=[gate],
        jobs=[dg.define_asset_job("job", executor_def=dg.in_process_executor)],
    )


def evaluations(run, home):
    from dagster_project.lib.instance import open_instance

    with open_instance(home) as instance:
        found = [
            entry.dagster_event.asset_check_evaluation_data
            for entry in instance.all_logs(run.run_id)
            if entry.dagster_event and entry.dagster_event.event_type_value == "ASSET_CHECK_EVALUATION"
        ]
    return {evaluation.check_name: evaluation for evaluation in found}


def test_an_open_gate_lets_the_step_below_run(tmp_path, monkeypatch):
    definitions = definitions_with([outcome("key", READ), outcome("key_2", UNREAD)], monkeypatch)
    run = run_job(definitions, "job", tmp_path)
    assert run.success
    assert (run.checks_passed, run.checks_failed) == (2, 0)


@pytest.mark.parametrize("table", [READ, UNREAD])
def test_any_failed_blocking_check_stops_what_is_below_and_the_run(tmp_path, monkeypatch, table):
    """Even one on a table that the step below does not read: the gate is one wall."""
    outcomes = [outcome("key", READ), outcome("bad_key", table, success=False), outcome("key_3", UNREAD)]
    run = run_job(definitions_with(outcomes, monkeypatch), "job", tmp_path)
    assert not run.success
    assert [step for step, _ in run.errors] == ["gate"]
    assert (run.checks_passed, run.checks_failed) == (2, 1)
    from dagster_project.lib.instance import open_instance

    with open_instance(tmp_path) as instance:
        assert instance.get_latest_materialization_event(dg.AssetKey("below")) is None
        assert instance.get_latest_materialization_event(dg.AssetKey(["staging", "stg_read"])) is not None


def test_the_run_says_which_expectation_which_table_how_many_rows_and_an_example(tmp_path, monkeypatch):
    definitions = definitions_with([outcome("bad_key", READ, success=False)], monkeypatch)
    ((_, message),) = run_job(definitions, "job", tmp_path).errors
    for part in (
        "gate staging is closed",
        "bad_key",
        "expect_column_values_to_be_unique",
        READ,
        "2 of 50",
        "sys_id=a1",
        "ask the source's owner",
    ):
        assert part in message


def test_a_warning_is_shown_and_stops_nothing(tmp_path, monkeypatch):
    outcomes = [outcome("odd", READ, success=False, severity="warn"), outcome("key", READ)]
    run = run_job(definitions_with(outcomes, monkeypatch), "job", tmp_path)
    assert run.success
    shown = evaluations(run, tmp_path)["gate_odd"]
    assert not shown.passed
    assert shown.severity == dg.AssetCheckSeverity.WARN


def test_a_check_shows_its_figures_and_the_failing_rows_keys(tmp_path, monkeypatch):
    outcomes = [
        outcome("bad_key", READ, success=False, observed={"distinct": 48}),
        outcome("absent", UNREAD, is_skipped=True, skip_reason="servicenow is absent"),
    ]
    run = run_job(definitions_with(outcomes, monkeypatch), "job", tmp_path)
    shown = evaluations(run, tmp_path)
    metadata = {name: value.value for name, value in shown["gate_bad_key"].metadata.items()}
    assert metadata["element_count"] == 50
    assert metadata["unexpected_count"] == 2
    assert metadata["examples"] == [{"sys_id": "a1"}, {"sys_id": "b2"}]
    assert metadata["observed"] == {"distinct": 48}
    assert metadata["how_to_mend"] == "ask the source's owner"
    assert shown["gate_absent"].passed
    assert shown["gate_absent"].metadata["skipped"].value == "servicenow is absent"


def test_checks_of_the_landing_stand_on_the_batch_audit():
    assert gates.asset_of("raw", "landing.extract_state", SimpleNamespace()) == dg.AssetKey(
        ["landing", "extract_batch"]
    )
