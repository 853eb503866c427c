"""The runner on small tables: what fails, what is skipped, what cannot be judged; and the file is let go."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.checks import FromModels, FromQuery, On
from expectations.outcomes import GateResult
from expectations.runner import GateError, run_gate

ON = On("staging.ticket", "ticket", keys=("number",))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runner") / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            create schema staging; create schema landing; create schema reference;
            create table staging.ticket as
            select 'INC' || i as number, case when i % 2 = 0 then 'open' else 'shut' end as state,
                cast(i as decimal(18, 2)) as amount,
                case when i <= 30 then null else 'net-ops' end as team_code, i // 2 as pair,
                interval 1 day as age
            from range(100) as r (i);
            create table staging.empty as select * from staging.ticket where false;
            create table reference.state as select unnest(['open', 'shut', null]) as state;
            create table reference.nothing as select 1 as state where false;
            create table landing.source_status as select * from (values
                ('servicenow', true, 'SERVICENOW_URL is set'),
                ('payroll', false, 'PAYROLL_DROP_PATH is not set'),
                ('ledger', false, 'LEDGER_DROP_PATH is not set'),
                ('datadog', false, 'DATADOG_URL is not set')
            ) as v (source, is_configured, reason);
            create table landing.extract_state as
            select 'datadog' as source, 'slo' as entity, 'b' as current_batch_id;
            """
        )
    return path


def judge(path: Path, *specs: Any, **more: Any) -> GateResult:
    return run_gate("staging", path, specs=specs, **more)


def only(path: Path, spec: Any, **more: Any) -> Any:
    return judge(path, spec, **more).outcomes[0]


def test_figures_and_examples_of_a_row_level_failure(path: Path) -> None:
    outcome = only(path, ON.known("team_code", "give it a team"))
    assert (outcome.success, outcome.is_blocking) == (False, True)
    assert (outcome.element_count, outcome.unexpected_count) == (100, 31)
    assert len(outcome.examples) == 20
    assert set(outcome.examples[0]) == {"number", "team_code"} and outcome.examples[0]["team_code"] is None
    assert outcome.observed == "31 of 100 values (31.00%)"


def test_mostly_forgives_a_share(path: Path) -> None:
    assert only(path, ON.known("team_code", "mend", mostly=0.69)).success
    assert not only(path, ON.known("team_code", "mend", mostly=0.70)).success


def test_a_warning_does_not_close_the_gate(path: Path) -> None:
    result = judge(path, ON.known("team_code", "mend", "warn"))
    assert result.is_open and [o.check_name for o in result.warnings] == ["ticket_team_code_is_given"]


def test_repeated_keys_are_examples_with_their_count(path: Path) -> None:
    single, compound, fine = judge(
        path,
        ON.unique(("pair",), "Pairs are unique.", "mend"),
        ON.unique(("pair", "team_code"), "Pairs are unique.", "mend", name="compound"),
        ON.unique(("pair", "state"), "Pairs are unique.", "mend", name="fine"),
    ).outcomes
    assert single.unexpected_count == 100 and single.examples[0] == {"pair": 0, "row_count": 2}
    assert not compound.success and set(compound.examples[0]) == {"pair", "team_code", "row_count"}
    assert fine.success


def test_failing_rows_come_with_what_the_query_says(path: Path) -> None:
    outcome = only(
        path,
        ON.no_rows(
            "small",
            "select number, amount, age, ':b {c} %H:%M' as note from checked where amount < 2 order by amount",
            "No small amount.",
            "mend",
        ),
    )
    assert outcome.unexpected_count == 2
    assert outcome.examples[1] == {
        "number": "INC1", "amount": "1.00", "age": "1 day, 0:00:00", "note": ":b {c} %H:%M",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("share", "of", "success"),
    [
        (0.30, "count(*)", False),
        (0.31, "count(*)", True),
        (0.50, "count(distinct pair)", False),
        (0.62, "count(distinct pair)", True),
    ],
)
def test_a_share_of_rows_can_be_tolerated(path: Path, share: float, of: str, success: bool) -> None:
    failing = "select number from checked where team_code is null"
    spec = ON.no_rows("few", failing, "Few.", "mend", tolerated_share=share, tolerated_of=of)
    outcome = only(path, spec)
    assert outcome.success is success and outcome.unexpected_count == 31


def test_the_rows_under_check_can_be_narrowed(path: Path) -> None:
    rows = "select number, nullif(state, 'shut') as state from staging.ticket where amount >= 90"
    outcome = only(path, ON.known("state", "mend", rows=rows))
    assert (outcome.element_count, outcome.unexpected_count) == (10, 5)


def test_allowed_values_are_read_from_the_warehouse(path: Path) -> None:
    known, unknown, none = judge(
        path,
        ON.in_set("state", FromQuery("select state from reference.state"), "mend"),
        ON.in_set("team_code", FromQuery("select state from reference.state"), "mend"),
        ON.in_set("state", FromQuery("select state from reference.nothing"), "mend", mostly=0.5),
    ).outcomes
    assert known.success
    assert unknown.examples[0]["team_code"] == "net-ops"
    assert not none.success and "no value is allowed" in none.error


@pytest.mark.parametrize(
    "spec",
    [
        ON.known("no_such_column", "mend"),
        ON.no_rows("broken", "select no_such_column from checked", "Broken.", "mend"),
        ON.no_rows("halted", "select 1 from checked where error('stop here') is null", "Halted.", "mend"),
        ON.check("unknown", "ExpectSomethingElse", "Unknown.", "mend"),
        ON.check("refused", "ExpectColumnValuesToBeInSet", "Refused.", "mend", arguments={"nonsense": 1}),
        ON.known("number", "mend", rows="select * from staging.nowhere"),
    ],
    ids=lambda spec: spec.check_name,
)
def test_what_cannot_be_judged_fails_and_spares_the_others(path: Path, spec: Any) -> None:
    fine = ON.known("number", "mend")
    broken, judged = judge(path, spec, On(fine.table, "other").known("number", "mend")).outcomes
    assert not broken.success and broken.is_blocking and broken.error
    assert broken.unexpected_count is None and "\n" not in broken.error
    assert judged.success


def test_a_missing_table_is_named(path: Path) -> None:
    missing, unread = judge(
        path,
        On("staging.nowhere", "nowhere").known("a", "mend"),
        ON.no_rows("joins", "select 1 from checked", "Joins.", "mend", reads=("core.nothing",)),
    ).outcomes
    assert "there is no table staging.nowhere" in missing.error
    assert "there is no table core.nothing" in unread.error and not unread.success


def test_absent_sources_are_skipped_with_the_reason(path: Path) -> None:
    def sources(*names: str, needs: str = "all") -> Any:
        return ON.known("team_code", "mend", sources=names, needs=needs)

    skipped = only(path, sources("payroll"))
    assert (skipped.success, skipped.is_skipped) == (True, True)
    assert skipped.skip_reason == "payroll is absent: PAYROLL_DROP_PATH is not set"
    assert only(path, sources("servicenow", "payroll")).is_skipped
    assert not only(path, sources("servicenow", "payroll", needs="any")).is_skipped
    assert only(path, sources("ledger", "payroll", needs="any")).is_skipped
    assert not only(path, sources("datadog")).is_skipped, "what has landed before is judged"


def test_an_empty_table_holds_what_is_said_of_rows(path: Path) -> None:
    empty = On("staging.empty", "empty")
    result = judge(path, empty.known("number", "mend"), empty.unique(("number",), "Unique.", "mend"))
    assert all(outcome.success and outcome.element_count == 0 for outcome in result.outcomes)


def test_queries_written_from_the_models(path: Path, tmp_path: Path) -> None:
    def named(folder: Path) -> str | None:
        return f"select '{folder.name}' as folder" if folder.name != "none" else None

    spec = ON.no_rows("modelled", FromModels(named), "Nothing.", "mend")
    assert only(path, spec, models_path=tmp_path).examples == [{"folder": tmp_path.name}]
    assert only(path, spec, models_path="none").is_skipped


def test_outcomes_stand_in_the_order_of_the_checks(path: Path) -> None:
    specs = [ON.known(c, "mend") for c in ("team_code", "number", "state")]
    specs.insert(1, On("staging.empty", "empty").known("number", "mend"))
    assert [o.check_name for o in judge(path, *specs).outcomes] == [spec.check_name for spec in specs]


def test_the_file_is_let_go(path: Path) -> None:
    judge(path, ON.known("number", "mend"), ON.known("no_such_column", "mend"))
    duckdb.connect(str(path)).close()
    statement = "create or replace table staging.w as select 1"
    writer = f"import duckdb; duckdb.connect({str(path)!r}).execute({statement!r})"
    subprocess.run([sys.executable, "-c", writer], check=True)


def test_no_warehouse_is_an_error_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="there is no warehouse"):
        run_gate("raw", tmp_path / "none.duckdb")
    assert not list(tmp_path.iterdir())


def test_a_writer_elsewhere_is_an_error_that_names_the_file(path: Path) -> None:
    code = f"import duckdb, time; c = duckdb.connect({str(path)!r}); print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(GateError, match=r"warehouse\.duckdb cannot be opened"):
                judge(path, ON.known("number", "mend"))
        finally:
            holder.kill()
    assert judge(path, ON.known("number", "mend")).is_open
