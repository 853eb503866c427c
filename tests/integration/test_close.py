"""The close of the demonstration company: what refuses it, what it archives, and what the archive gives back.

Closes are made on copies of the built warehouse; quarters' amounts are those of the company at the tests' size, which
the seeds approve as well.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib import archive, archive_content, close, close_commands
from dagster_project.lib.archive import MANIFEST, SEAL, ArchiveError, canonical, read_chain, verify
from dagster_project.lib.close import CloseRefusedError, closable_periods, close_period, register_closed_periods
from dagster_project.lib.dbt_project import load_project
from dagster_project.lib.environment import REPO_ROOT, settle_environment
from dagster_project.lib.run_lock import WarehouseBusyError, hold_run
from ingestion.demo.company import DEFAULT_TICKET_COUNT, build_company
from ingestion.demo.pay_desk import calculate_payouts, expected_reconciliation, run_pay_desk
from ingestion.settings import Settings
from tests.conftest import DemoWarehouse, paths_environment
from tests.faults.close_kills import kill_closes
from tests.run_dbt import run_dbt

pytestmark = pytest.mark.slow

QUARTERS = ["2024-Q3", "2024-Q4", "2025-Q1", "2025-Q2"]
PAYOUTS = "incentives.fct_incentive_payout"


@pytest.fixture(scope="module")
def closed(demo_warehouse: DemoWarehouse, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The warehouse with all its quarters but the last two closed. Tests read it only."""
    settings = settings_in(tmp_path_factory.mktemp("closed"), demo_warehouse)
    for quarter in closable_periods(settings):
        close_period(settings, quarter)
    return settings


@pytest.fixture
def fresh(demo_warehouse: DemoWarehouse, tmp_path: Path) -> Settings:
    """A copy of the warehouse in which nothing is closed, to write to."""
    return settings_in(tmp_path, demo_warehouse)


def settings_in(folder: Path, demo: DemoWarehouse) -> Settings:
    shutil.copy(demo.warehouse_path, folder / "warehouse.duckdb")
    environment = paths_environment(folder)
    source = demo.folder / "warehouse_state" / "dbt" / "compiled"
    shutil.copytree(source, folder / "warehouse_state" / "dbt" / "compiled", dirs_exist_ok=True)
    return Settings.from_env(environment)


def sql(settings: Settings, *statements: str) -> None:
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for statement in statements:
            connection.execute(statement)


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def refused(settings: Settings, period: str = "2024-Q3") -> dict[str, tuple[int, str]]:
    """Why a period is refused: demand -> (count, finding). Fails when it is not; nothing may have been written."""
    with pytest.raises(CloseRefusedError) as error:
        close_period(settings, period)
    assert not read_chain(settings.archive_path)
    assert not (settings.archive_path / period).exists()
    return {refusal.demand: (refusal.count, refusal.finding) for refusal in error.value.refusals}


# --- what is closed ---


def test_all_quarters_but_the_last_two_are_closed(closed: Settings) -> None:
    assert [link.period for link in read_chain(closed.archive_path)] == QUARTERS
    assert closable_periods(closed) == []
    assert not verify(closed.archive_path).findings


@pytest.mark.requirement("OPS-2.6")
@pytest.mark.requirement("SVC-5.6")
def test_a_closed_quarter_comes_out_again_to_the_cent_from_its_archive_alone(closed: Settings) -> None:
    for link in read_chain(closed.archive_path):
        done = archive_content.recompute(closed.archive_path, link)
        assert not done.differences
        expected = rows(
            closed,
            f"select currency_code, sum(payout_amount) from {PAYOUTS} "
            f"where earned_quarter = '{link.period}' group by 1",
        )
        assert done.totals == dict(expected)
        assert (done.line_count,) in rows(
            closed, f"select count(*) from {PAYOUTS} where earned_quarter = '{link.period}'"
        )


def test_the_archive_holds_every_row_of_its_tables(closed: Settings) -> None:
    """Each archived table of a quarter is, row for row, what the warehouse has of it."""
    with duckdb.connect(str(closed.warehouse_path), read_only=True) as connection:
        for link in read_chain(closed.archive_path)[:2]:
            manifest = archive.read_manifest(closed.archive_path, link)
            period = archive_content.Period.of(link.period)
            conditions = archive_content.tables_of_period(close._definitions(closed))
            assert {entry["table"] for entry in manifest["files"]} == {*conditions, archive_content.DEFINITION_SQL}
            for entry in manifest["files"]:
                if entry["table"] == archive_content.DEFINITION_SQL:
                    continue
                path = closed.archive_path / link.period / entry["name"]
                condition = conditions[entry["table"]]
                where = f" where {period.fill(condition)}" if condition else ""
                chosen = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind in entry["columns"])
                archived = f"select {chosen} from read_parquet('{path}')"
                standing = f"select * from {entry['table']}{where}"
                (count,) = connection.execute(f"select count(*) from ({standing})").fetchone() or (None,)
                assert count == entry["row_count"], entry["table"]
                for left, right in ((archived, standing), (standing, archived)):
                    query = f"select count(*) from (({left}) except all ({right}))"
                    assert connection.execute(query).fetchone() == (0,), entry["table"]


def test_the_trace_and_its_batches_are_whole(closed: Settings) -> None:
    """Every line that paid leads, within the archive, to evidence and to the batches that brought it."""
    folder = closed.archive_path / "2025-Q1"
    with duckdb.connect() as connection:

        def table(name: str) -> str:
            return f"read_parquet('{folder / archive_content.file_name(name)}')"

        untraced = connection.execute(
            f"""
            select count(*) from {table(PAYOUTS)} as line where payout_amount <> 0 and not exists (
                select 1 from {table("incentives.fct_payout_trace")} as trace
                where trace.payout_line_id = line.payout_line_id
            )
            """
        ).fetchone()
        unnamed = connection.execute(
            f"""
            select count(*) from {table("incentives.fct_payout_trace")} as trace where batch_id not in (
                select batch_id from {table("landing.extract_batch")}
            )
            """
        ).fetchone()
    assert (untraced, unnamed) == ((0,), (0,))


def differing_rows(settings: Settings, name: str, quarter: str) -> int:
    """How many rows of a reconciliation of pay do not agree in a quarter that is paid; some do not."""
    ((count,),) = rows(
        settings, f"select count(*) from finance.{name} where earned_quarter = '{quarter}' and status <> 'matched'"
    )
    assert count > 0
    return int(count)


def test_the_manifest_says_what_was_signed_and_by_whom(closed: Settings) -> None:
    link = read_chain(closed.archive_path)[1]
    manifest = archive.read_manifest(closed.archive_path, link)
    totals = {currency: total["payout_amount"] for currency, total in manifest["control_totals"].items()}
    assert [(a["approval_kind"], a["role_code"], a["approved_by"]) for a in manifest["approvals"]] == [
        ("calculation", "controller", "g2003"),
        ("payment", "cfo", "g2001"),
    ]
    assert all(approval["control_totals"] == totals for approval in manifest["approvals"])
    lines = rows(closed, f"select sum(payout_amount) from {PAYOUTS} where earned_quarter = '2024-Q4'")
    assert sum(Decimal(amount) for amount in totals.values()) == lines[0][0]
    assert set(manifest["gates"]) == {"raw", "staging", "marts"}
    assert not any("failed" in gate["outcomes"] for gate in manifest["gates"].values())
    assert manifest["differences"] == {
        name: {"accepted": differing_rows(closed, name, "2024-Q4"), "open": 0}
        for name in ("rec_payout_to_gl", "rec_payout_to_payroll")
    }
    assert manifest["code_revision"]
    assert len(manifest["batches"]) > 5


def test_the_same_warehouse_gives_the_same_files(
    closed: Settings, demo_warehouse: DemoWarehouse, tmp_path: Path
) -> None:
    again = settings_in(tmp_path, demo_warehouse)
    close_period(again, "2024-Q3")
    for path in sorted((closed.archive_path / "2024-Q3").glob("*.parquet")):
        assert path.read_bytes() == (again.archive_path / "2024-Q3" / path.name).read_bytes(), path.name


def rewritten(folder: Path, table: str, statement: str) -> None:
    """Change a closed table and write the manifest to fit: only computing it anew can tell."""
    path = folder / archive_content.file_name(table)
    with duckdb.connect() as connection:
        connection.execute(f"create table t as select * from read_parquet('{path}')")
        connection.execute(statement)
        path.chmod(0o640)
        connection.execute(f"copy (select * from t order by all) to '{path}' (format parquet)")
    manifest = json.loads((folder / MANIFEST).read_bytes())
    for entry in manifest["files"]:
        if entry["name"] == path.name:
            entry["bytes"], entry["sha256"] = path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()
    for name, content in (
        (MANIFEST, canonical(manifest)),
        (SEAL, archive.seal_text(hashlib.sha256(canonical(manifest)).hexdigest()).encode()),
    ):
        (folder / name).chmod(0o640)
        (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("table", "statement", "said"),
    [
        (
            PAYOUTS,
            "update t set payout_amount = payout_amount + 0.01 where rowid = 0",
            "fct_incentive_payout: 1 archived",
        ),
        (PAYOUTS, "delete from t where rowid = 0", "fct_incentive_payout: 1 computed rows were not archived"),
        ("reference.plan_component", "update t set weight = 0.5 where tier = 1", "fct_incentive_payout"),
        ("reference.achievement_band", "update t set payout_share = payout_share + 0.1", "fct_incentive_payout"),
        (
            "metrics.fct_metric_result",
            "update t set metric_value = 0.5, numerator = numerator - 1 where period_grain = 'quarter'",
            "its archived evidence",
        ),
        ("core.int_employee_assignment", "update t set quarterly_target_amount = 1", "fct_incentive_payout"),
        ("metrics.fct_metric_evidence", "delete from t where rowid = 0", "fct_payout_trace"),
        ("archive.definition_sql", "update t set sql_text = sql_text || ' '", "has not the sha256"),
        ("archive.definition_sql", "delete from t where step_number = 2", "holds no SQL that computes it"),
    ],
)
def test_computing_anew_tells_what_no_hash_can(
    closed: Settings, tmp_path: Path, table: str, statement: str, said: str
) -> None:
    folder = tmp_path / "2025-Q1"
    shutil.copytree(closed.archive_path / "2025-Q1", folder)
    rewritten(folder, table, statement)
    files = json.loads((folder / MANIFEST).read_bytes())["files"]
    differences = archive_content.recompute_folder(folder, "2025-Q1", files).differences
    assert any(said in difference for difference in differences), differences


# --- what refuses a close ---


def test_a_quarter_is_refused_with_every_reason(fresh: Settings) -> None:
    reasons = refused(fresh, "2025-Q4")
    assert set(reasons) == {
        "earlier_periods_are_closed",
        "calculation_is_approved_by_controller",
        "payment_is_approved_by_cfo",
        "approvals_are_of_two_persons",
        "rec_payout_to_payroll_is_told",
        "rec_payout_to_gl_is_told",
    }
    assert reasons["earlier_periods_are_closed"] == (
        5,
        "close 2024-Q3, 2024-Q4, 2025-Q1, 2025-Q2, 2025-Q3 first, in this order",
    )
    waiting = rows(
        fresh,
        "select count(*) from finance.rec_payout_to_payroll where earned_quarter = '2025-Q4' and status = 'timing'",
    )
    assert reasons["rec_payout_to_payroll_is_told"][0] == waiting[0][0] > 3
    assert refused(fresh, "2026-Q1")["period_is_over"] == (1, "the quarter ends before 2026-04-01")
    assert refused(fresh, "2031-Q1")["period_is_known"][0] == 1
    assert refused(fresh, "2024-Q4") == {"earlier_periods_are_closed": (1, "close 2024-Q3 first, in this order")}


def test_a_quarter_with_an_unexplained_difference_is_refused(fresh: Settings) -> None:
    reasons = refused(fresh, "2025-Q3")
    for name in ("rec_payout_to_payroll", "rec_payout_to_gl"):
        assert reasons[f"{name}_is_explained"][0] == differing_rows(fresh, name, "2025-Q3")
        # the finding tells the first of them, each with the words of its reconciliation
        told = rows(fresh, f"select explanation from finance.{name} where earned_quarter = '2025-Q3'")
        assert any(explanation in reasons[f"{name}_is_explained"][1] for (explanation,) in told)
    refusals = rows(
        fresh,
        "select rec_name, rec_subject_code, refused_acceptances from finance.rpt_close_difference "
        "where earned_quarter = '2025-Q3' and refused_acceptances is not null order by all",
    )
    assert refusals == [
        ("rec_payout_to_gl", "CC-1230", "ACD-023: status_differs"),
        ("rec_payout_to_payroll", "e1049", "ACD-022: role_not_held"),
    ]


GATES = "landing.gate_outcome"
LATEST = "(select run_id from landing.run_context order by started_at desc limit 1)"


@pytest.mark.parametrize(
    ("statements", "demand", "said"),
    [
        (
            [f"update {GATES} set outcome = 'failed', failing_row_count = 1234 where gate = 'marts' and rowid = "
             f"(select min(rowid) from {GATES} where gate = 'marts')"],
            "gate_marts_is_green",
            "failed (1,234 rows)",
        ),
        ([f"update {GATES} set outcome = 'not_judged' where gate = 'raw'"], "gate_raw_is_green", "not_judged"),
        ([f"delete from {GATES} where gate = 'marts'"], "gate_marts_is_green", "did not judge it"),
        (
            [f"delete from {GATES} where rowid = (select min(rowid) from {GATES} where gate = 'staging')"],
            "gate_staging_is_green",
            "not judged by the last run",
        ),
        # judged red by a later publication of the same marts
        (
            [f"insert into {GATES} select * replace ('later' as run_id, 'failed' as outcome, "
             f"judged_at + interval 1 hour as judged_at) from {GATES} where gate = 'marts' limit 1"],
            "gate_marts_is_green",
            "failed",
        ),
        # a run that was cut off after its landing: the marts are of the run before it
        (
            ["insert into landing.run_context select * replace ('later' as run_id, started_at + interval 1 day as "
             "started_at) from landing.run_context limit 1"],
            "gate_raw_is_green",
            "the warehouse's last run (later) did not judge it",
        ),
    ],
)  # fmt: skip
def test_a_gate_that_is_not_green_refuses(fresh: Settings, statements: list[str], demand: str, said: str) -> None:
    sql(fresh, *statements)
    reasons = refused(fresh)
    assert said in reasons[demand][1], reasons


@pytest.mark.parametrize(
    "demand",
    [
        "period_is_over",
        "something_was_calculated",
        "calculation_is_approved_by_controller",
        "payment_is_approved_by_cfo",
        "approvals_are_of_two_persons",
        "rec_payout_to_payroll_is_explained",
        "rec_payout_to_payroll_is_told",
        "rec_payout_to_gl_is_explained",
        "rec_payout_to_gl_is_told",
        "lines_without_a_period_are_explained",
    ],
)
def test_each_demand_refuses_by_itself(fresh: Settings, demand: str) -> None:
    sql(
        fresh,
        "update finance.rpt_close_readiness set is_met = false, finding_count = 7, finding = 'so and so' "
        f"where period_code = '2024-Q3' and demand_code = '{demand}'",
    )
    assert refused(fresh) == {demand: (7, "so and so")}


def test_lines_that_are_not_those_approved_are_not_closed(fresh: Settings) -> None:
    """The readiness is of before: what is archived is held against the approvals once more, and computed anew."""
    sql(
        fresh,
        f"update {PAYOUTS} set payout_amount = payout_amount + 0.01 where rowid = (select min(rowid) from {PAYOUTS} "
        "where earned_quarter = '2024-Q3')",
    )
    with pytest.raises(ArchiveError, match="its archive does not compute the same lines again"):
        close_period(fresh, "2024-Q3")
    sql(fresh, "update core.int_period_approval set control_total_amount = 1.00")
    sql(
        fresh,
        f"update {PAYOUTS} set payout_amount = payout_amount - 0.01 where rowid = (select min(rowid) from {PAYOUTS} "
        "where earned_quarter = '2024-Q3')",
    )
    with pytest.raises(ArchiveError, match="no approval is of what would be closed"):
        close_period(fresh, "2024-Q3")
    assert not read_chain(fresh.archive_path)
    assert not list(fresh.archive_path.glob(".closing-*"))


def test_a_quarter_closes_once_and_not_while_a_run_writes(fresh: Settings) -> None:
    with hold_run(fresh.warehouse_path, "r1", "warehouse"), pytest.raises(WarehouseBusyError, match="run r1"):
        close_period(fresh, "2024-Q3")
    close_period(fresh, "2024-Q3")
    before = (fresh.archive_path / "2024-Q3" / MANIFEST).read_bytes()
    with pytest.raises(ArchiveError, match=r"2024-Q3 is closed .* once only: correct it by lines in the open period"):
        close_period(fresh, "2024-Q3")
    assert (fresh.archive_path / "2024-Q3" / MANIFEST).read_bytes() == before


def test_without_dbts_folder_the_sql_is_compiled_again(fresh: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in paths_environment(fresh.warehouse_path.parent).items():
        monkeypatch.setenv(name, value)
    settle_environment()
    load_project(fresh)
    shutil.rmtree(fresh.warehouse_path.parent / "warehouse_state" / "dbt" / "compiled")
    assert close_period(fresh, "2024-Q3").line_count > 100


# --- what later runs know ---


def test_closed_periods_are_registered_once_and_restated_by_line(closed: Settings, tmp_path: Path) -> None:
    for name in ("warehouse.duckdb", "archive"):
        source = closed.warehouse_path.parent / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    settings = Settings.from_env(paths_environment(tmp_path))
    assert register_closed_periods(settings) == QUARTERS
    assert register_closed_periods(settings) == []
    closed_models = ("int_closed_period", "int_closed_payout_line", "fct_closed_payout_line", "fct_restatement",
                     "dim_closed_period")  # fmt: skip
    build = ("build", "--exclude-resource-type", "unit_test", "--select", *closed_models)
    run_dbt(settings.warehouse_path, tmp_path / "target", *build)
    assert rows(settings, "select count(*) from finance.fct_restatement") == [(0,)]
    assert rows(
        settings, "select period_code, sequence_number, restated_line_count from finance.dim_closed_period order by 2"
    ) == [(period, number, 0) for number, period in enumerate(QUARTERS, start=1)]
    # late data: one line is worth more, one is gone
    (changed, gone) = [
        row[0]
        for row in rows(settings, f"select payout_line_id from {PAYOUTS} where earned_quarter = '2024-Q4' "
                                  "and payout_amount > 10 order by 1 limit 2")
    ]  # fmt: skip
    (closed_amount,) = rows(
        settings, f"select sum(payout_amount) from {PAYOUTS} where payout_line_id in ('{changed}', '{gone}')"
    )[0]
    (gone_amount,) = rows(settings, f"select payout_amount from {PAYOUTS} where payout_line_id = '{gone}'")[0]
    sql(
        settings,
        f"update {PAYOUTS} set payout_amount = payout_amount + 1.50, paid_value = 1 where payout_line_id = '{changed}'",
        f"delete from {PAYOUTS} where payout_line_id = '{gone}'",
    )
    run_dbt(settings.warehouse_path, tmp_path / "target", *build)
    assert rows(
        settings,
        "select payout_line_id, period_code, restatement_kind, difference_amount, changed_inputs "
        "from finance.fct_restatement order by 1",
    ) == sorted(
        [
            (changed, "2024-Q4", "changed", Decimal("1.50"), "metric_result"),
            (gone, "2024-Q4", "gone", -gone_amount, None),
        ]
    )
    assert rows(
        settings, "select restated_line_count from finance.dim_closed_period where period_code = '2024-Q4'"
    ) == [(2,)]

    # the ledger corrects both by lines in a payment that is still open
    def corrections() -> list[tuple[Any, ...]]:
        return rows(
            settings,
            "select earning_line_id, line_type, amount, payment_period from finance.fct_payout_ledger "
            f"where earning_line_id in ('{changed}', '{gone}') and batch_number > 1 order by 1",
        )

    assert corrections() == []
    assert rows(settings, "select count(*) from finance.fct_restatement where not is_booked") == [(2,)]
    ledger = ("int_closed_quarter", "fct_earning_line", "fct_payout_ledger")
    run_dbt(settings.warehouse_path, tmp_path / "target", "run", "--select", *ledger, *closed_models)
    assert corrections() == sorted(
        [(changed, "adjustment", Decimal("1.50"), "2026-01"), (gone, "reversal", -gone_amount, "2026-01")]
    )
    assert rows(settings, "select count(*) from finance.fct_restatement where not is_booked") == [(0,)]
    # the closed quarter is read as it was closed
    assert rows(
        settings,
        "select sum(payout_amount) from finance.fct_closed_payout_line "
        f"where period_code = '2024-Q4' and payout_line_id in ('{changed}', '{gone}')",
    ) == [(closed_amount,)]
    assert not close.verify_archive(settings).findings
    # an archive that is another one, or gone, is not built upon
    shutil.rmtree(settings.archive_path / "2025-Q2")
    with pytest.raises(ArchiveError, match=r"2025-Q2/manifest\.json cannot be read .* restore the archive"):
        register_closed_periods(settings)
    assert [str(finding) for finding in close.verify_archive(settings).findings] == [
        "2025-Q2: is missing: number 4 of the chain in chain.json"
    ]
    shutil.rmtree(settings.archive_path)
    with pytest.raises(ArchiveError, match=r"has 2024-Q3 registered as closed .* no such period: restore the archive"):
        register_closed_periods(settings)


def test_a_changed_archive_is_not_registered(closed: Settings, tmp_path: Path) -> None:
    for name in ("warehouse.duckdb", "archive"):
        source = closed.warehouse_path.parent / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    settings = Settings.from_env(paths_environment(tmp_path))
    path = settings.archive_path / "2025-Q1" / archive_content.file_name(PAYOUTS)
    path.chmod(0o640)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ArchiveError, match=r"2025-Q1/incentives\.fct_incentive_payout\.parquet is not the file"):
        register_closed_periods(settings)
    assert rows(settings, "select count(*) from landing.closed_period") == [(0,)], "one transaction: all or nothing"


# --- the commands ---


def test_the_commands_say_their_figure_last(
    fresh: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in paths_environment(fresh.warehouse_path.parent).items():
        monkeypatch.setenv(name, value)

    def last() -> str:
        return capfd.readouterr().out.strip().splitlines()[-1]

    assert close_commands.verify(with_recompute=False) == 1
    assert "holds no closed period" in last()
    assert close_commands.close("2024-Q4") == 1
    assert last() == "close: 2024-Q4 NOT closed: 1 demands are not met: earlier_periods_are_closed"
    assert close_commands.close("2024-Q3") == 0
    said = last()
    lines, euros = rows(
        fresh,
        f"select count(*), sum(payout_amount) filter (where currency_code = 'EUR') from {PAYOUTS} "
        "where earned_quarter = '2024-Q3'",
    )[0]
    link = read_chain(fresh.archive_path)[0]
    assert said.startswith(f"close: 2024-Q3 closed: {lines} payout lines, {euros:,.2f} EUR, ")
    assert f"manifest sha256 {link.manifest_sha256}; " in said
    assert close_commands.close("2024-Q3") == 1
    assert "once only" in last()
    assert close_commands.verify(with_recompute=True) == 0
    assert (
        f"{lines} payout lines computed anew to the same cents, last manifest sha256 {link.manifest_sha256}" in last()
    )
    path = fresh.archive_path / "2024-Q3" / "reference.team.parquet"
    path.chmod(0o640)
    path.write_bytes(b"")
    assert close_commands.verify(with_recompute=True) == 1
    assert last().startswith("verify-archive: 1 findings in ")


def test_what_the_seeds_sign_is_what_the_company_earns_at_its_own_size() -> None:
    """At the demonstration's own ticket count no warehouse is built here: the company's own books say what it earns."""
    company = build_company(ticket_count=DEFAULT_TICKET_COUNT)
    earned: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in calculate_payouts(company):
        earned[line.earned_quarter, line.currency_code] += line.payout_amount
    path = REPO_ROOT / "seeds" / "governance" / "period_approval.csv"
    approved: dict[tuple[str, str, str], set[tuple[str, Decimal]]] = defaultdict(set)
    for period, kind, approval_id, currency, amount in duckdb.sql(
        f"select period_code, approval_kind, approval_id, currency_code, control_total_amount::decimal(18, 2) from "
        f"read_csv('{path}', all_varchar = true) where decision = 'approved'"
    ).fetchall():
        approved[period, kind, approval_id].add((currency, amount))
    for quarter in QUARTERS:
        expected = {(currency, amount) for (period, currency), amount in earned.items() if period == quarter}
        for kind in ("calculation", "payment"):
            signed = [totals for (period, k, _), totals in approved.items() if (period, k) == (quarter, kind)]
            assert expected in signed, (quarter, kind, expected)
    path = REPO_ROOT / "seeds" / "finance" / "accepted_difference.csv"
    accepted = set(
        duckdb.sql(
            "select rec_name, subject_code, earned_quarter, currency_code, status, difference_amount::decimal(18, 2) "
            f"from read_csv('{path}', all_varchar = true) where accepted_by = 'g2003'"
        ).fetchall()
    )
    found = expected_reconciliation(company, run_pay_desk(company))
    for name, lines in (
        ("rec_payout_to_payroll", found.payout_to_payroll),
        ("rec_payout_to_gl", found.payout_to_gl),
    ):
        differing = [line for line in lines if line.status != "matched" and line.earned_quarter in QUARTERS]
        assert len(differing) > 4
        for line in differing:
            key = (line.earned_quarter, line.currency_code, line.status, line.difference_amount)
            assert (name, line.party, *key) in accepted, (name, line)


# --- kill -9 ---


def test_a_close_that_is_killed_leaves_a_period_whole_or_not_at_all(
    demo_warehouse: DemoWarehouse, tmp_path: Path
) -> None:
    (tmp_path / "warehouse").mkdir()
    settings = settings_in(tmp_path / "warehouse", demo_warehouse)
    outcome = kill_closes(settings.warehouse_path, tmp_path, runs=12, seed=20260105)
    assert not outcome.faults
    assert sum(outcome.met.values()) == 14
    assert outcome.met["half-written beside its place"] >= 1, outcome.met
    assert outcome.met["stood closed"] >= 1, outcome.met


def test_the_job_closes_and_refuses_as_the_command_does(fresh: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    import dagster as dg

    from dagster_project.defs.close.close import defs
    from dagster_project.lib.resources import RunLockResource

    for name, value in paths_environment(fresh.warehouse_path.parent).items():
        monkeypatch.setenv(name, value)
    jobs = dg.Definitions.merge(defs(), dg.Definitions(resources={"run_lock": RunLockResource()}))

    def run(job: str, **config: str) -> tuple[bool, str]:
        ops = {"ops": {"close_the_period": {"config": config}}} if config else {}
        done = jobs.resolve_job_def(job).execute_in_process(run_config=ops, raise_on_error=False)
        failures = [event.step_failure_data.user_failure_data for event in done.all_events if event.is_step_failure]
        return done.success, "".join(failure.description for failure in failures if failure)

    assert run("close_period", period="2024-Q4") == (
        False,
        "2024-Q4 cannot be closed: earlier_periods_are_closed: 1 to settle: close 2024-Q3 first, in this order",
    )
    assert run("close_period", period="2024-Q3") == (True, "")
    assert run("verify_archive") == (True, "")
    assert [link.period for link in read_chain(fresh.archive_path)] == ["2024-Q3"]
    (fresh.archive_path / "2024-Q3" / "reference.team.parquet").unlink()
    assert run("verify_archive") == (False, "2024-Q3/reference.team.parquet: is missing")
