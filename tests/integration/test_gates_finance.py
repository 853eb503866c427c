"""Gates staging and marts on what finance, vendors and surveys hand over: each rule refuses its defects.

The demonstration company passes but for what is planted, and the reconciliation of vendors finds that and no more.
"""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.outcomes import describe
from expectations.suites import marts_finance
from expectations.suites.staging import finance_checks
from expectations.suites.staging_finance import (
    ACCOUNTS,
    ANSWERS,
    BOOKS,
    CENTRES,
    CREDITS,
    INVOICES,
    JOURNAL,
    LINES,
    PAYMENTS,
    RATES,
    RECORDS,
    SUMMARIES,
)
from ingestion.sources import SOURCES
from tests.integration.bench import Bench

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
VENDORS = marts_finance.VENDORS
STAGING = {spec.check_name: spec for spec in finance_checks()}
MARTS = {spec.check_name: spec for spec in marts_finance.checks()}
ONE = "rowid = (select min(rowid) from {t} where "
PLANTED = {
    "stg_fx_rates__rates_inverse_agrees",
    "stg_billing__credit_notes_service_credit_names_its_breach",
    "rec_vendor_to_measured_needs_nobody",
}

# check (without its table), table the defect is made in, statement, table of the check where it is another
DEFECTS = [
    ("payment_status_is_known", PAYMENTS, f"update {{t}} set payment_status = 'lost' where {ONE} true)", None),
    ("resent_stands_in_for_a_returned_one", PAYMENTS, "update {t} set payment_status = 'settled' where payment_status = 'returned'", None),
    ("resent_stands_in_for_a_returned_one", PAYMENTS, "update {t} set payment_amount = payment_amount + 0.01 where original_payment_id is not null", None),
    ("returned_one_is_resent_once", PAYMENTS, "insert into {t} select * replace ('again' as payment_id) from {t} where original_payment_id is not null limit 1", None),
    ("normal_side_is_known", ACCOUNTS, f"update {{t}} set normal_side = 'left' where {ONE} true)", None),
    ("parent_is_in_the_chart", ACCOUNTS, "delete from {t} where account_code = '6000'", None),
    ("account_is_in_the_chart", ACCOUNTS, "delete from {t} where account_code = '6210'", JOURNAL),
    ("account_is_in_the_chart", ACCOUNTS, "update {t} set effective_to = date '2025-01-31' where account_code = '6210'", JOURNAL),
    ("cost_centre_is_in_the_chart", CENTRES, "delete from {t} where cost_centre_code = 'CC-1110'", JOURNAL),
    ("pair_has_one_rate_a_day", RATES, "insert into {t} select * replace ('broker' as rate_source, rate_value + 0.00000001 as rate_value) from {t} limit 1", None),
    ("rate_is_positive", RATES, f"update {{t}} set rate_value = 0 where {ONE} true)", None),
    ("rate_is_positive", RATES, f"update {{t}} set to_currency_code = from_currency_code where {ONE} true)", None),
    ("inverse_agrees", RATES, "update {t} set rate_value = rate_value * 1.02 where rate_on = date '2025-06-02' and rate_source = 'treasury'", None),
    ("vouchers_balance", BOOKS, f"update {{t}} set debit_amount = debit_amount + 0.01 where {ONE} debit_amount > 0)", None),
    ("vouchers_balance", BOOKS, f"delete from {{t}} where {ONE} true)", None),
    ("account_code_is_given", BOOKS, f"update {{t}} set account_code = null where {ONE} true)", None),
    ("cost_centre_code_is_known", BOOKS, f"update {{t}} set cost_centre_code = 'CC-0' where {ONE} true)", None),
    ("vendor_code_is_known", INVOICES, f"update {{t}} set vendor_code = 'nobody' where {ONE} true)", None),
    ("supplier_contract_code_is_known", INVOICES, f"update {{t}} set supplier_contract_code = 'none' where {ONE} true)", None),
    ("lines_add_up", LINES, f"update {{t}} set net_amount = net_amount + 0.01 where {ONE} true)", INVOICES),
    ("lines_add_up", LINES, f"update {{t}} set currency_code = 'GBP' where {ONE} true)", INVOICES),
    ("lines_add_up", LINES, f"update {{t}} set invoice_number = 'stray' where {ONE} true)", INVOICES),
    ("gross_is_net_and_tax", INVOICES, f"update {{t}} set tax_amount = 0.01 where {ONE} true)", None),
    ("service_credit_names_its_breach", CREDITS, "update {t} set breach_reference = null", None),
    ("is_owed_to_us", CREDITS, f"update {{t}} set credit_amount = -credit_amount where {ONE} true)", None),
    ("record_kind_is_known", RECORDS, f"update {{t}} set record_kind = 'hiccup' where {ONE} true)", None),
    ("record_is_plausible", RECORDS, f"update {{t}} set ended_at = started_at - interval 1 second where {ONE} true)", None),
    ("record_is_plausible", RECORDS, f"update {{t}} set affected_share = 1.5 where {ONE} true)", None),
    ("record_is_plausible", RECORDS, f"update {{t}} set counted_seconds = null where {ONE} record_kind = 'resolution')", None),
    ("measure_is_known", SUMMARIES, f"update {{t}} set measure = 'glory' where {ONE} true)", None),
    ("claimed_share_is_a_share", SUMMARIES, f"update {{t}} set claimed_share = 1.000001 where {ONE} true)", None),
    ("answers_mostly_count", ANSWERS, "update {t} set response_status = 'outside_wave' where rowid % 5 = 0", None),
    ("pseudonym_is_nobody", ANSWERS, f"update {{t}} set respondent_pseudonym = (select upper(min(work_email)) from staging.stg_bamboohr__employees) where {ONE} true)", None),
    ("key_is_unique", VENDORS, "insert into {t} select * from {t} limit 1", None),
    ("status_is_known", VENDORS, f"update {{t}} set status = 'fine' where {ONE} true)", None),
    ("explanation_is_given", VENDORS, f"update {{t}} set explanation = null where {ONE} true)", None),
    ("lists_every_report", VENDORS, f"delete from {{t}} where {ONE} claimed_share is not null)", None),
    ("lists_every_report", VENDORS, f"update {{t}} set raw_record_count = raw_record_count + 1 where {ONE} true)", None),
    ("status_follows_from_the_figures", VENDORS, f"update {{t}} set status = 'matched' where {ONE} status = 'missing_raw')", None),
    ("status_follows_from_the_figures", VENDORS, f"update {{t}} set measured_share = measured_share - 0.01 where {ONE} status = 'matched')", None),
    ("needs_nobody", VENDORS, f"update {{t}} set status = 'missing_raw' where {ONE} status = 'matched')", None),
]  # fmt: skip


def name_of(short: str, table: str, stands_on: str | None) -> str:
    return f"{(stands_on or table).partition('.')[2]}_{short}"


@pytest.fixture(scope="module")
def warehouse(demo_warehouse: Any) -> Any:
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        yield connection


def facts(demo_warehouse: Any, prefix: str) -> list[dict[str, Any]]:
    return [fact.detail for fact in demo_warehouse.company.planted if fact.code.startswith(prefix)]


def test_the_demonstration_company_passes_but_for_what_is_planted(bench: Bench) -> None:
    for gate, specs in (("staging", STAGING), ("marts", MARTS)):
        result = bench.run_gate(gate, specs.values())
        assert result.is_open and not result.skipped, [describe(o) for o in result.outcomes]
        assert {o.check_name for o in result.warnings} == PLANTED & set(specs), [describe(o) for o in result.warnings]


@pytest.mark.parametrize(("short", "table", "statement", "stands_on"), DEFECTS, ids=[f"{name_of(c[0], c[1], c[3])}-{n}" for n, c in enumerate(DEFECTS)])  # fmt: skip
def test_each_check_refuses_its_defect(
    bench: Bench, short: str, table: str, statement: str, stands_on: str | None
) -> None:
    name = name_of(short, table, stands_on)
    gate, spec = ("marts", MARTS[name]) if name in MARTS else ("staging", STAGING[name])
    before = 0
    if name in PLANTED:
        before = bench.outcome(gate, spec).unexpected_count
    with bench.defect(table, statement):
        outcome = bench.outcome(gate, spec)
    assert not outcome.success and not outcome.error and not outcome.is_skipped, outcome
    assert outcome.examples and (name not in PLANTED or outcome.unexpected_count > before), outcome


def test_every_check_has_a_defect() -> None:
    assert {name_of(short, table, on) for short, table, _, on in DEFECTS} == {*STAGING, *MARTS}


@pytest.mark.requirement("LTI-7.5")
def test_every_record_handed_over_is_in_the_audit(warehouse: Any) -> None:
    """Received is landed and rejected, nothing was rejected, and every raw row names a batch that counts it."""
    for source in ("payroll", "ledger", "fx_rates", "quickbooks", "billing", "vendor_performance", "survey"):
        for entity in SOURCES[source].entities.values():
            received, landed, rejected = warehouse.execute(
                "select sum(received_count)::bigint, sum(row_count)::bigint, sum(rejected_count)::bigint "
                "from landing.extract_batch where source = ? and entity = ? and status = 'landed'",
                [source, entity.name],
            ).fetchone()
            (rows,) = warehouse.execute(
                f"select count(*) from {entity.table} where _batch_id in (select batch_id from landing.extract_batch)"
            ).fetchone()
            assert received == landed == rows > 0 and rejected == 0, entity.table


# --- vendors held against their own data and ours ---


@pytest.mark.requirement("OPS-6.6")
@pytest.mark.requirement("SLT-7.2")
def test_the_planted_cases_of_vendors_are_found_and_none_is_invented(demo_warehouse: Any, warehouse: Any) -> None:
    columns = ("vendor_code", "service_code", "measure", "period_month", "status")
    planted = {tuple(fact[column] for column in columns) for fact in facts(demo_warehouse, "vendor_report_")}
    found = warehouse.execute(
        "select vendor_code, service_code, measure, period_month::varchar, status "
        "from finance.rec_vendor_to_measured where status <> 'matched'"
    ).fetchall()
    assert set(found) == planted and len(found) == len(planted)
    counts = Counter(status for *_, status in planted)
    assert counts.keys() == set(marts_finance.STATUSES) - {"matched"} and min(counts.values()) >= 3, counts
    (matched,) = warehouse.execute(
        "select count(*) from finance.rec_vendor_to_measured where status = 'matched'"
    ).fetchone()
    assert matched >= 15


@pytest.mark.requirement("SLT-7.2")
def test_a_matched_claim_is_what_the_raw_records_say_to_the_sixth_place(warehouse: Any) -> None:
    """Worked out a second time, in Python, from the landed text: seconds down by the part of the sites struck."""
    from datetime import UTC, datetime

    rows = warehouse.execute(
        "select vendor_code, service_code, period_month, claimed_share from finance.rec_vendor_to_measured "
        "where status = 'matched' and measure = 'availability'"
    ).fetchall()
    outages = warehouse.execute(
        "select vendor_code, service_code, started_at, ended_at, affected_share from raw_vendor_performance.record "
        "where record_kind = 'outage'"
    ).fetchall()
    for vendor, service, month, claimed in rows:
        from_at = datetime(month.year, month.month, 1, tzinfo=UTC)
        to_at = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)
        down = sum(
            (
                Decimal(
                    (
                        min(datetime.fromisoformat(end), to_at) - max(datetime.fromisoformat(start), from_at)
                    ).total_seconds()
                )
                * Decimal(share or 1)
                for owner, struck, start, end, share in outages
                if (owner, struck) == (vendor, service)
                and datetime.fromisoformat(start) < to_at
                and datetime.fromisoformat(end) > from_at
            ),
            Decimal(0),
        )
        share = 1 - down / Decimal((to_at - from_at).total_seconds())
        assert abs(share - claimed) <= Decimal("0.0000005"), (vendor, service, month)


# --- surveys ---


def test_answers_that_do_not_count_say_why(demo_warehouse: Any, warehouse: Any) -> None:
    planted = {(fact["response_id"], fact["status"]) for fact in facts(demo_warehouse, "survey_answer_")}
    found = warehouse.execute(
        "select response_id, response_status from staging.stg_survey__responses where response_status <> 'valid'"
    ).fetchall()
    assert planted and set(found) == planted


def test_raw_answers_stand_in_staging_alone() -> None:
    """A mart of answers by team would show what a colleague said: one core model reads them, for customers' alone."""
    readers = {
        path.name
        for path in (ROOT / "dbt_project" / "models").rglob("*.sql")
        if re.search(r"stg_survey__responses|source\('survey'", path.read_text())
    }
    assert readers == {"stg_survey__responses.sql", "int_survey_answer.sql"}


def test_what_colleagues_answered_is_not_handed_on(warehouse: Any) -> None:
    columns = {name for name, *_ in warehouse.execute("describe core.int_survey_answer").fetchall()}
    assert not {name for name in columns if "pseudonym" in name}
    staff = """
        from core.int_survey_answer where observation_status <> 'observed' and answer_key in (
            select 'survey:' || response_id from staging.stg_survey__responses where reference_kind = 'team'
        )
    """
    answered, told = warehouse.execute(f"select count(*), count(score_value) {staff}").fetchone()
    assert answered > 0 and told == 0
    answered_by_teams = "select count(*) from staging.stg_survey__responses where reference_kind = 'team'"
    assert warehouse.execute(answered_by_teams).fetchone() == (answered,)


# --- money that ties ---


def test_transfers_tie_to_the_register_in_the_warehouse(warehouse: Any) -> None:
    assert (
        warehouse.execute(
            """
        select coalesce(paid.pay_period, owed.pay_period), paid.amount, owed.amount
        from (
            select pay_period, currency_code, sum(payment_amount) as amount from staging.stg_payroll__payments
            where payment_status = 'settled' group by all
        ) as paid
        full join (
            select pay_period, currency_code, sum(amount) as amount from staging.stg_payroll__register_lines group by all
        ) as owed using (pay_period, currency_code)
        where paid.amount is distinct from owed.amount
        """
        ).fetchall()
        == []
    )


def test_quotes_are_brought_to_one_unit(warehouse: Any) -> None:
    assert warehouse.execute(
        """
        select count(*), count(*) filter (where rate_value <> round(quoted_value / 100, 8)), max(rate_value) < 0.02
        from staging.stg_fx_rates__rates where from_currency_code = 'INR' and unit_count = 100
        """
    ).fetchone()[1:] == (0, True)
