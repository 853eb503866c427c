"""The kept SQLite store is the stock store in all but speed: what one writes the other reads."""

import time

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

from dagster_project.lib.event_storage import KEPT_OPEN, KeptSqliteEventLogStorage
from dagster_project.lib.instance import TEMPLATE, open_instance, prepare_home

CHECK_COUNT = 60


@dg.asset
def table():
    return dg.MaterializeResult(metadata={"dagster/row_count": 3})


@dg.multi_asset_check(specs=[dg.AssetCheckSpec(f"check_{number}", asset="table") for number in range(CHECK_COUNT)])
def checks():
    for number in range(CHECK_COUNT):
        yield dg.AssetCheckResult(passed=number % 2 == 0, check_name=f"check_{number}", asset_key="table")


def run(instance):
    return (
        dg.Definitions(
            assets=[table],
            asset_checks=[checks],
            jobs=[dg.define_asset_job("job", executor_def=dg.in_process_executor)],
        )
        .resolve_job_def("job")
        .execute_in_process(instance=instance)
    )


def test_a_prepared_home_uses_it_with_telemetry_off_and_one_run_at_a_time(tmp_path):
    with open_instance(tmp_path) as instance:
        assert isinstance(instance.event_log_storage, KeptSqliteEventLogStorage)
        assert instance.telemetry_enabled is False
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1


def test_what_it_wrote_is_read_by_the_stock_store(tmp_path):
    with open_instance(tmp_path) as instance:
        result = run(instance)
        written = [event.event_type_value for event in result.all_events]
    stock = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    read = [
        entry.dagster_event.event_type_value for entry in stock.get_logs_for_run(result.run_id) if entry.dagster_event
    ]
    assert len(written) > 2 * CHECK_COUNT
    assert [kind for kind in read if kind in set(written)] == written
    assert stock.get_latest_materialization_events([table.key])[table.key].run_id == result.run_id
    executions = stock.get_latest_asset_check_execution_by_key([spec.key for spec in checks.check_specs])
    assert len(executions) == CHECK_COUNT


def test_more_runs_than_it_keeps_open_are_all_readable(tmp_path):
    with open_instance(tmp_path) as instance:
        runs = [run(instance).run_id for _ in range(KEPT_OPEN + 1)]
        counts = {len(instance.all_logs(run_id)) for run_id in runs}
        assert len(counts) == 1
        assert counts.pop() > CHECK_COUNT


def test_an_event_costs_less_than_a_file_sync_would(tmp_path):
    with open_instance(tmp_path) as instance:
        started = time.process_time()
        events = len(run(instance).all_events)
        assert (time.process_time() - started) / events < 0.02


def test_our_configuration_is_renewed_and_a_changed_one_is_left_alone(tmp_path):
    target = prepare_home(tmp_path) / "dagster.yaml"
    ours = target.read_text()
    assert str(tmp_path) in ours
    target.write_text(ours.replace("max_concurrent_runs: 1", "max_concurrent_runs: 2"))
    prepare_home(tmp_path)
    assert target.read_text() == ours
    target.write_text("telemetry:\n  enabled: false\n")
    prepare_home(tmp_path)
    assert target.read_text() == "telemetry:\n  enabled: false\n"
    assert TEMPLATE.read_text().splitlines()[0] in ours
