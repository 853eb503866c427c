"""The payroll export of the demonstration company: what it writes, what refuses it, and that no line leaves twice.

Exports are made on copies of the built warehouse; the amounts are those of the company at the tests' size, which the
seeds approve.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib import payroll_commands, payroll_folder
from dagster_project.lib.archive import CHAIN, MANIFEST, SEAL, ArchiveError
from dagster_project.lib.payroll_export import (
    JOURNAL_FILE,
    LEDGER_FILE,
    PAYROLL_FILE,
    ExportRefusedError,
    export_payroll,
    exported_lines,
    register_payroll_exports,
    verify_payroll_exports,
)
from dagster_project.lib.run_lock import WarehouseBusyError, hold_run
from expectations.suites import marts_pay_compliance, marts_payroll_export
from ingestion.settings import Settings
from tests.conftest import DemoWarehouse, paths_environment
from tests.faults.payroll_kills import kill_exports
from tests.integration.bench import Bench
from tests.run_dbt import run_dbt

pytestmark = pytest.mark.slow

MONTH = "2025-04"
ITEMS, LINES, JOURNAL = (
    "finance.fct_payroll_export_item",
    "finance.fct_payroll_export_line",
    "finance.fct_payout_journal",
)
LEDGER, READINESS = "finance.fct_payout_ledger", "finance.rpt_payroll_export_readiness"
MODELS = (
    *("int_payroll_export", "int_payroll_export_ledger_line", "int_payroll_export_journal_line"),
    *("fct_payment_line", "fct_wage_compliance", "fct_withholding_tax", "fct_withholding", "rpt_payment_readiness"),
    *("int_payroll_go_live", "int_payroll_export_approval", "fct_payroll_export_item", "rpt_payroll_export_readiness"),
    *("fct_payroll_export_line", "fct_payout_journal", "dim_payroll_export", "fct_payout_balance"),
)

TAXED_AS_EXPORTED = {
    "fct_withholding_is_known",
    "fct_withholding_ties_to_the_ledger_lines_paid",
    "fct_withholding_is_what_the_export_pays",
    "fct_wage_compliance_covers_every_payment",
    "rpt_payment_readiness_asks_every_payment_everything",
    "rpt_payment_readiness_judges_what_is_paid",
}


@pytest.fixture
def fresh(demo_warehouse: DemoWarehouse, tmp_path: Path) -> Settings:
    """A copy of the warehouse from which nothing was exported, to write to."""
    shutil.copy(demo_warehouse.warehouse_path, tmp_path / "warehouse.duckdb")
    return Settings.from_env(paths_environment(tmp_path))


def sql(settings: Settings, *statements: str) -> None:
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for statement in statements:
            connection.execute(statement)


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def read(settings: Settings, name: str, file: str) -> list[dict[str, str]]:
    with (settings.payroll_export_path / name / file).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def refused(settings: Settings, country: str = "IE", month: str = MONTH) -> dict[str, str]:
    """Why an export is refused: demand -> finding. Fails when it is not; nothing may have been written."""
    before = sorted(path for path in settings.payroll_export_path.rglob("*") if path.is_file())
    with pytest.raises(ExportRefusedError) as error:
        export_payroll(settings, month, country)
    after = sorted(path for path in settings.payroll_export_path.rglob("*") if path.is_file())
    assert [path for path in after if path.name != CHAIN] == [path for path in before if path.name != CHAIN]
    return {refusal.demand: refusal.finding for refusal in error.value.refusals}


def rebuild(settings: Settings, *models: str) -> None:
    run_dbt(
        settings.warehouse_path,
        settings.warehouse_path.parent / "target",
        *("run", "--select", *(models or MODELS)),
    )


def assert_gate_passes(settings: Settings) -> None:
    tied = [spec for spec in marts_pay_compliance.checks() if spec.check_name in TAXED_AS_EXPORTED]
    assert len(tied) == len(TAXED_AS_EXPORTED)
    Bench(settings.warehouse_path, is_held=False).assert_passes("marts", [*marts_payroll_export.checks(), *tied])


# --- what is exported ---


@pytest.mark.requirement("OPS-7.2")
def test_file_journal_ledger_and_approvals_come_to_the_same(fresh: Settings) -> None:
    done = export_payroll(fresh, MONTH, "IE")
    assert done.link.period == f"{MONTH}/IE/1"
    lines = read(fresh, done.link.period, PAYROLL_FILE)
    total = sum((Decimal(line["amount"]) for line in lines), Decimal(0))
    assert total > 10_000
    assert done.control_totals == {
        "EUR": {
            "line_count": len(lines),
            "employee_count": len({line["employee_number"] for line in lines}),
            "amount": str(total),
        }
    }
    # each line of the file is the sum of its lines of the ledger, each of them there once and as booked
    booked = read(fresh, done.link.period, LEDGER_FILE)
    ids = [line["ledger_line_id"] for line in booked]
    assert len(ids) == len(set(ids)) > len(lines)
    ledger = dict(rows(fresh, f"select ledger_line_id, amount from {LEDGER}"))
    assert all(ledger[line["ledger_line_id"]] == Decimal(line["amount"]) for line in booked)
    summed: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in booked:
        summed[line["employee_number"], line["earning_kind"]] += Decimal(line["amount"])
    assert {key: amount for key, amount in summed.items() if amount} == {
        (line["employee_number"], line["earning_kind"]): Decimal(line["amount"]) for line in lines
    }
    # and each person is paid what the ledger's balance says is payable
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        paid[line["employee_number"]] += Decimal(line["amount"])
    balances = dict(
        rows(
            fresh,
            "select employee_number, payable_amount from finance.fct_payout_balance "
            f"where payment_period = '{MONTH}' and currency_code = 'EUR'",
        )
    )
    assert paid == {employee: balances[employee] for employee in paid}
    manifest = payroll_folder.read_manifest(fresh.payroll_export_path, done.link)
    assert [(entry["role_code"], entry["approved_by"]) for entry in manifest["approvals"]] == [
        ("cfo", "g2001"),
        ("controller", "g2003"),
    ]
    assert manifest["control_totals"] == done.control_totals
    assert {entry["name"] for entry in manifest["files"]} == {PAYROLL_FILE, JOURNAL_FILE, LEDGER_FILE}


@pytest.mark.requirement("OPS-7.2")
@pytest.mark.requirement("OPS-7.3")
def test_the_journal_balances_by_voucher_entity_and_currency(fresh: Settings) -> None:
    for country in ("IE", "IN", "US"):
        done = export_payroll(fresh, MONTH, country)
        journal = read(fresh, done.link.period, JOURNAL_FILE)
        assert {line["voucher_kind"] for line in journal} == {"accrual", "payment", "reversal"}
        balance: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        by_role: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for line in journal:
            assert Decimal(line["amount"]) > 0
            signed = Decimal(line["amount"]) * (1 if line["side"] == "debit" else -1)
            balance[line["voucher_code"], line["country_code"], line["currency_code"]] += signed
            by_role[line["voucher_kind"], line["account_role"]] += signed
        assert len(balance) >= 5
        assert not any(balance.values())
        (total,) = done.control_totals.values()
        assert by_role["payment", "incentive_expense"] == Decimal(total["amount"])
        assert by_role["payment", "payroll_payable"] == -Decimal(total["amount"])
        # what is taken back is what was accrued of the plan pay in the file
        incentive = sum(
            Decimal(line["amount"])
            for line in read(fresh, done.link.period, LEDGER_FILE)
            if line["earning_kind"] == "incentive"
        )
        assert by_role["reversal", "incentive_accrual"] == incentive == -by_role["accrual", "incentive_accrual"]


@pytest.mark.requirement("OPS-7.2")
def test_the_same_lines_are_refused_a_second_time(fresh: Settings) -> None:
    done = export_payroll(fresh, MONTH, "IE")
    again = refused(fresh)
    assert set(again) == {"lines_are_not_exported_yet"}
    assert f"exported in {MONTH}/IE/1 and a line is exported once only" in again["lines_are_not_exported_yet"]
    # nor after the next run, which takes the export from its folder
    assert register_payroll_exports(fresh) == [done.link.period]
    assert register_payroll_exports(fresh) == []
    rebuild(fresh)
    assert_gate_passes(fresh)
    assert rows(fresh, f"select distinct line_status from {LINES} where export_number = 1") == [("exported",)]
    assert set(refused(fresh)) == {"something_is_due"}
    exported = exported_lines(fresh.payroll_export_path, payroll_folder.read_chain(fresh.payroll_export_path))
    assert {(line,) for line in exported} == set(
        rows(fresh, f"select ledger_line_id from {ITEMS} where item_status = 'exported'")
    )
    assert rows(fresh, f"select count(*) from {JOURNAL} where journal_status = 'exported'") == [
        (done.journal_line_count,)
    ]


@pytest.mark.requirement("OPS-7.2")
def test_a_correction_is_exported_by_itself(fresh: Settings) -> None:
    """Booked after the export: one person gets 12.34 more, one 5.00 less than was handed over, which waits."""
    first = export_payroll(fresh, MONTH, "IE")
    register_payroll_exports(fresh)
    more, less = (
        row[0]
        for row in rows(
            fresh,
            f"select employee_number from {ITEMS} where payment_period = '{MONTH}' and country_code = 'IE' and "
            "item_status = 'payable' and is_accrued group by 1 having sum(amount) > 100 order by 1 limit 2",
        )
    )
    for number, (employee, amount) in enumerate(((more, "12.34"), (less, "-5.00"))):
        sql(
            fresh,
            f"insert into {LEDGER} select * replace ('correction-{number}' as ledger_line_id, 'adjustment' as "
            f"line_type, {amount} as amount, entry_number + 1000000 as entry_number) from {LEDGER} where rowid = "
            f"(select min(rowid) from {LEDGER} where employee_number = '{employee}' and payment_period = '{MONTH}' "
            "and earning_kind = 'incentive')",
            # what is booked is what is calculated, which the accruals follow
            f"update incentives.fct_incentive_payout set payout_amount = payout_amount + {amount} where "
            f"payout_line_id = (select earning_line_id from {LEDGER} where ledger_line_id = 'correction-{number}')",
        )
    rebuild(fresh, "fct_accrual", *MODELS)
    assert refused(fresh)["export_is_approved_by_cfo"] == "nobody has signed it"
    for number, (role, signer) in enumerate((("controller", "g2003"), ("cfo", "g2001"))):
        sql(
            fresh,
            f"insert into reference.payroll_export_approval values ('PEA-9{number}', '{MONTH}', 'IE', 2, '{role}', "
            f"'EUR', 1, 12.34, 'g2011', '{signer}', date '2025-04-28', timestamp '2025-04-28 10:00:00', 'approved')",
        )
    rebuild(fresh)
    assert_gate_passes(fresh)
    done = export_payroll(fresh, MONTH, "IE")
    assert done.link.period == f"{MONTH}/IE/2"
    assert [(line["employee_number"], line["amount"]) for line in read(fresh, done.link.period, PAYROLL_FILE)] == [
        (more, "12.34")
    ]
    assert [line["ledger_line_id"] for line in read(fresh, done.link.period, LEDGER_FILE)] == ["correction-0"]
    manifest = payroll_folder.read_manifest(fresh.payroll_export_path, done.link)
    assert manifest["previous_manifest_sha256"] == first.link.manifest_sha256
    # what was paid too much is taken from the person's next payment
    (period, amount), *_ = rows(
        fresh, f"select payment_period, amount from {ITEMS} where ledger_line_id = 'correction-1'"
    )
    assert (period > MONTH, amount) == (True, Decimal("-5.00"))
    assert rows(
        fresh,
        f"select sum(i.amount) - max(b.open_amount), max(b.balance_amount) - max(b.open_amount) from {ITEMS} as i "
        "inner join finance.fct_payout_balance as b using (employee_number, payment_period, currency_code) "
        f"where i.employee_number = '{less}' and i.payment_period = '{period}'",
    ) == [(Decimal("0.00"), Decimal("5.00"))]
    assert not verify_payroll_exports(fresh).findings
    assert register_payroll_exports(fresh) == [f"{MONTH}/IE/2"]
    rebuild(fresh)
    assert_gate_passes(fresh)
    assert set(refused(fresh)) == {"something_is_due"}


# --- what refuses an export ---


def test_without_approvals_nothing_is_exported(fresh: Settings) -> None:
    reasons = refused(fresh, "US", "2026-01")
    assert reasons["export_is_approved_by_controller"] == "nobody has signed it"
    assert reasons["approvals_are_of_two_persons"] == "no approval counts"
    assert "sign these in seeds/governance/payroll_export_approval.csv" in reasons["approvals_are_of_these_lines"]


def test_an_approval_of_another_amount_does_not_count(fresh: Settings) -> None:
    assert "control_total_differs (approved" in refused(fresh, "IE", "2025-10")["export_is_approved_by_cfo"]
    # nor where the readiness is of before: the approvals are held against the lines once more
    sql(fresh, "update core.int_payroll_export_approval set control_total_amount = control_total_amount + 0.01")
    assert set(refused(fresh)) == {"approvals_are_of_these_lines"}
    sql(fresh, "update core.int_payroll_export_approval set control_total_amount = control_total_amount - 0.01")
    sql(fresh, "update core.int_payroll_export_approval set line_count = line_count + 1")
    assert set(refused(fresh)) == {"approvals_are_of_these_lines"}
    sql(fresh, "update core.int_payroll_export_approval set line_count = line_count - 1, approved_by = 'g2001'")
    assert set(refused(fresh)) == {"approvals_are_of_these_lines"}


@pytest.mark.parametrize(
    ("statement", "demand"),
    [
        (f"update {LEDGER} set amount = amount + 0.01 where payment_period = '{MONTH}'", "lines_are_in_the_ledger"),
        (f"delete from {LEDGER} where payment_period = '{MONTH}'", "lines_are_in_the_ledger"),
        (
            f"update {ITEMS} set amount = amount + 1 where ledger_line_id = (select min(ledger_line_id) from {ITEMS} "
            f"where payment_period = '{MONTH}' and country_code = 'IE' and item_status = 'payable')",
            "lines_sum_the_ledger",
        ),
        (
            f"update {JOURNAL} set amount = amount + 0.01 where payment_period = '{MONTH}' and side = 'debit'",
            "journal_balances",
        ),
        (
            f"delete from {JOURNAL} where payment_period = '{MONTH}' and voucher_kind = 'payment'",
            "journal_pays_the_file",
        ),
        (
            "update landing.gate_outcome set outcome = 'failed', failing_row_count = 1 where gate = 'marts' and "
            "rowid = (select min(rowid) from landing.gate_outcome where gate = 'marts')",
            "gate_marts_is_green",
        ),
        (f"update {READINESS} set export_number = 2", "warehouse_knows_every_export"),
        (f"update {JOURNAL} set account_code = '' where payment_period = '{MONTH}'", "accounts_are_mapped"),
        (
            f"update {READINESS} set is_met = false, finding = 'so and so' where demand_code like '%two_persons'",
            "approvals_are_of_two_persons",
        ),
    ],
)
def test_whatever_does_not_tie_refuses(fresh: Settings, statement: str, demand: str) -> None:
    table = statement.split()[1] if statement.startswith("update") else statement.split()[2]
    sql(fresh, f"create table landing.kept as select * from {table}",
        f"create or replace table {table} as select * from landing.kept", statement)  # fmt: skip
    assert demand in refused(fresh)


def test_nothing_due_says_what_is_blocked(fresh: Settings) -> None:
    # a month of pool pay alone: judged, and nobody has signed it; without a judgement nothing of it is due
    assert refused(fresh, "US", "2025-08")["export_is_approved_by_cfo"] == "nobody has signed it"
    sql(fresh, "delete from finance.rpt_payment_readiness where payment_period = '2025-08' and country_code = 'US'")
    rebuild(fresh, "fct_payroll_export_item", "rpt_payroll_export_readiness", "fct_payroll_export_line")
    assert "readiness_not_judged" in refused(fresh, "US", "2025-08")["something_is_due"]
    assert "nothing that is not exported yet is payable" in refused(fresh, "DE")["something_is_due"]
    with pytest.raises(ArchiveError, match="is no payroll export"):
        export_payroll(fresh, "2025-4", "IE")


@pytest.mark.requirement("OPS-7.2")
def test_what_was_paid_outside_is_never_exported(fresh: Settings) -> None:
    """January was paid before April, the first month: both roles have signed it, and it is not exported."""
    assert refused(fresh, "US", "2025-01") == {
        "something_is_due": "blocked: 29 lines paid_outside; settle that, run `sltw run`, then export"
    }
    # put off before it had begun, April is not exported either; without any decision nothing is
    sql(
        fresh,
        "insert into reference.payroll_go_live values ('PGL-9', '2025-07', null, 'g2009', 'g2001', date '2025-03-31', "
        "timestamp '2025-03-31 09:00:00', 'later')",
    )
    rebuild(fresh)
    assert_gate_passes(fresh)
    assert "paid_outside" in refused(fresh)["something_is_due"]
    sql(fresh, "delete from reference.payroll_go_live")
    rebuild(fresh)
    assert_gate_passes(fresh)
    assert "go_live_missing" in refused(fresh)["something_is_due"]


@pytest.mark.requirement("OPS-7.2")
@pytest.mark.requirement("OPS-7.3")
def test_a_correction_of_what_was_paid_outside_reverses_no_accrual(fresh: Settings) -> None:
    """12.34 more for 2024-Q4, which was paid outside, are paid in April: expense against payable, and no accrual."""
    sql(
        fresh,
        f"insert into {LEDGER} select * replace ('correction' as ledger_line_id, 'adjustment' as line_type, 12.34 "
        f"as amount, '{MONTH}' as payment_period, entry_number + 1000000 as entry_number) from {LEDGER} where rowid = "
        f"(select min(l.rowid) from {LEDGER} as l inner join {ITEMS} as i using (employee_number) where "
        "l.earned_quarter = '2024-Q4' and l.item_kind = 'earning' and l.earning_kind = 'incentive' and "
        f"l.country_code = 'IE' and i.payment_period = '{MONTH}' and i.country_code = 'IE' "
        "and i.item_status = 'payable')",
    )
    rebuild(fresh)
    assert_gate_passes(fresh)
    assert rows(
        fresh,
        f"select voucher_kind, side, account_role, amount from {JOURNAL} where payment_period = '{MONTH}' and "
        "earned_quarter = '2024-Q4' order by side desc",
    ) == [
        ("payment", "debit", "incentive_expense", Decimal("12.34")),
        ("payment", "credit", "payroll_payable", Decimal("12.34")),
    ]


def test_an_export_waits_for_no_run(fresh: Settings) -> None:
    with hold_run(fresh.warehouse_path, "r1", "warehouse"), pytest.raises(WarehouseBusyError, match="run r1"):
        export_payroll(fresh, MONTH, "IE")


# --- what was changed ---


def appended(path: Path) -> None:
    path.chmod(0o640)
    path.write_bytes(path.read_bytes() + b" ")


def flipped(path: Path) -> None:
    path.chmod(0o640)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.requirement("OPS-7.2")
@pytest.mark.parametrize("change", [appended, flipped, Path.unlink])
def test_every_changed_missing_or_added_byte_is_found(
    fresh: Settings, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    for country in ("IE", "IN"):
        export_payroll(fresh, MONTH, country)
    whole = fresh.payroll_export_path
    assert not verify_payroll_exports(fresh).findings
    names = [path.relative_to(whole).as_posix() for path in sorted(whole.rglob("*")) if path.is_file()]
    assert len(names) == 11
    for name in names:
        shutil.copytree(whole, tmp_path / "changed")
        change(tmp_path / "changed" / name)
        said = [str(finding) for finding in payroll_folder.verify(tmp_path / "changed").findings]
        folder, _, file = name.rpartition("/")
        named = {name, f"{folder}/{SEAL}"} if file == MANIFEST else {name}
        assert any(finding.startswith(tuple(f"{each}:" for each in named)) for finding in said), (name, said)
        shutil.rmtree(tmp_path / "changed")


def test_what_was_added_or_taken_away_is_found(fresh: Settings) -> None:
    first = export_payroll(fresh, MONTH, "IE").link
    export_payroll(fresh, MONTH, "IN")
    folder = fresh.payroll_export_path
    for name in ("notes.txt", f"{MONTH}/notes.txt", f"{MONTH}/IE/2", f"{MONTH}/IE/1/more.csv", "2025-4/IE/1"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        assert verify_payroll_exports(fresh).findings, name
        path.unlink()
    shutil.rmtree(folder / "2025-4")
    assert not verify_payroll_exports(fresh).findings
    register_payroll_exports(fresh)
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    # the last export, with its line of the chain: only the warehouse knows of it
    shutil.rmtree(folder / MONTH / "IN")
    payroll_folder.write_chain(folder, [first])
    assert [str(finding) for finding in verify_payroll_exports(fresh).findings] == [
        f"{MONTH}/IN/1: is missing: the warehouse has it registered as exported"
    ]
    with pytest.raises(ArchiveError, match=r"has the payroll export 2025-04/IN/1 registered .* no such export"):
        register_payroll_exports(fresh)
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)
    appended(folder / MONTH / "IE" / "1" / LEDGER_FILE)
    with pytest.raises(ArchiveError, match=r"ledger_lines\.csv is not the file that was closed"):
        export_payroll(fresh, MONTH, "US")


# --- the commands and the jobs ---


def test_the_commands_say_their_figure_last(
    fresh: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in paths_environment(fresh.warehouse_path.parent).items():
        monkeypatch.setenv(name, value)

    def last() -> str:
        return capfd.readouterr().out.strip().splitlines()[-1]

    assert payroll_commands.verify_payroll_export() == 1
    assert "holds no export" in last()
    assert payroll_commands.payroll_export("2026-01", "US") == 1
    assert last() == "payroll-export: 2026-01 NOT exported for US"
    assert payroll_commands.payroll_export(MONTH, "IE") == 0
    assert last().startswith(
        "payroll-export: 2025-04: 1 exported now, 0 had nothing new to export, last manifest sha256"
    )
    # cut off between two countries, the same command does the rest; done, it says so
    assert payroll_commands.payroll_export(MONTH, None) == 0
    assert last().startswith("payroll-export: 2025-04: 2 exported now, 1 had nothing new to export")
    assert payroll_commands.payroll_export(MONTH, None) == 1
    assert last() == "payroll-export: 2025-04 NOT exported for IE, IN, US"
    assert payroll_commands.verify_payroll_export() == 0
    assert last().startswith("verify-payroll-export: 3 exports, 12 files, ")
    appended(fresh.payroll_export_path / MONTH / "IE" / "1" / PAYROLL_FILE)
    assert payroll_commands.verify_payroll_export() == 1
    assert last().startswith("verify-payroll-export: 1 findings in ")


def test_the_job_exports_and_refuses_as_the_command_does(fresh: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    import dagster as dg

    from dagster_project.defs.payroll_export.payroll_export import defs
    from dagster_project.lib.resources import RunLockResource

    for name, value in paths_environment(fresh.warehouse_path.parent).items():
        monkeypatch.setenv(name, value)
    jobs = dg.Definitions.merge(defs(), dg.Definitions(resources={"run_lock": RunLockResource()}))

    def run(job: str, **config: str) -> tuple[bool, str]:
        ops = {"ops": {"export_the_payroll": {"config": config}}} if config else {}
        done = jobs.resolve_job_def(job).execute_in_process(run_config=ops, raise_on_error=False)
        failures = [event.step_failure_data.user_failure_data for event in done.all_events if event.is_step_failure]
        return done.success, "".join(failure.description for failure in failures if failure)

    assert run("payroll_export", payment_period=MONTH, country_code="IE") == (True, "")
    success, said = run("payroll_export", payment_period=MONTH, country_code="IE")
    assert (success, "a line is exported once only" in said) == (False, True)
    assert run("verify_payroll_export") == (True, "")
    (fresh.payroll_export_path / MONTH / "IE" / "1" / PAYROLL_FILE).unlink()
    assert run("verify_payroll_export") == (False, f"{MONTH}/IE/1/{PAYROLL_FILE}: is missing")


# --- kill -9 ---


@pytest.mark.requirement("OPS-7.2")
def test_an_export_that_is_killed_stands_whole_or_not_at_all(fresh: Settings, tmp_path: Path) -> None:
    runs = int(os.environ.get("PAYROLL_KILLS", "10"))
    outcome = kill_exports(fresh.warehouse_path, tmp_path / "kills", (MONTH, "IE"), runs, seed=20260105)
    assert not outcome.faults
    assert sum(outcome.met.values()) == runs + 2
    assert outcome.met["half-written beside its place"] >= 1, outcome.met
    assert outcome.met["stood exported"] >= 1, outcome.met
