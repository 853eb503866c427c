"""Gate staging, the money beside register and journal, vendors' own data and surveys.

A voucher that does not balance, an account or cost centre nobody governs, two rates for one day, an invoice that is
not the sum of its lines: each would move money and blocks. A value that is merely missing is found by the models' own
tests. `MODELS` and `checks` are read by `expectations.suites.staging`, which hands each rule its builder of checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from expectations.checks import CheckSpec, FromQuery, On

Builder = Callable[..., On]

# Two quotes of a pair, multiplied, may be off one by what rounding and a day's spread explain.
INVERSE_TOLERANCE = "0.01"
RECORD_KINDS = ("outage", "resolution")
MEASURES = ("availability", "attainment")

MODELS: dict[str, tuple[str, tuple[str, ...]]] = {
    "payroll.payment": ("staging.stg_payroll__payments", ("payment_id",)),
    "ledger.account": ("staging.stg_ledger__accounts", ("account_code",)),
    "ledger.cost_centre": ("staging.stg_ledger__cost_centres", ("cost_centre_code",)),
    "fx_rates.rate": (
        "staging.stg_fx_rates__rates",
        ("rate_on", "from_currency_code", "to_currency_code", "rate_source"),
    ),
    "quickbooks.journal_line": (
        "staging.stg_quickbooks__journal_lines",
        ("transaction_id", "account_id", "line_number"),
    ),
    "billing.invoice": ("staging.stg_billing__invoices", ("invoice_number",)),
    "billing.invoice_line": ("staging.stg_billing__invoice_lines", ("invoice_number", "line_number")),
    "billing.credit_note": ("staging.stg_billing__credit_notes", ("credit_note_number",)),
    "vendor_performance.record": ("staging.stg_vendor_performance__records", ("vendor_code", "record_id")),
    "vendor_performance.summary": (
        "staging.stg_vendor_performance__summaries",
        ("vendor_code", "service_code", "measure", "period_month"),
    ),
    "survey.response": ("staging.stg_survey__responses", ("response_id",)),
}
PAYMENTS = MODELS["payroll.payment"][0]
ACCOUNTS, CENTRES = MODELS["ledger.account"][0], MODELS["ledger.cost_centre"][0]
RATES, BOOKS = MODELS["fx_rates.rate"][0], MODELS["quickbooks.journal_line"][0]
INVOICES, LINES = MODELS["billing.invoice"][0], MODELS["billing.invoice_line"][0]
CREDITS, ANSWERS = MODELS["billing.credit_note"][0], MODELS["survey.response"][0]
RECORDS, SUMMARIES = MODELS["vendor_performance.record"][0], MODELS["vendor_performance.summary"][0]
JOURNAL = "staging.stg_ledger__journal_lines"


def _payments(build: Builder) -> Iterator[CheckSpec]:
    on = build("payroll.payment")
    mend = "have the list of payments mended and the month's file dropped again"
    yield on.in_set("payment_status", ("settled", "returned"), mend)
    yield on.no_rows(
        "resent_stands_in_for_a_returned_one",
        f"""
        select checked.payment_id, checked.original_payment_id, checked.employee_number, checked.payment_amount
        from checked
        where checked.original_payment_id is not null and not exists (
            select 1 from {PAYMENTS} as sent
            where sent.payment_id = checked.original_payment_id and sent.payment_status = 'returned'
            and sent.employee_number = checked.employee_number and sent.payment_amount = checked.payment_amount
            and sent.currency_code = checked.currency_code
        )
        """,
        "A transfer that stands in for another names one that was returned, of the same person and amount.",
        "somebody may have been paid twice: ask payroll before anything else",
    )
    yield on.no_rows(
        "returned_one_is_resent_once",
        """
        select original_payment_id, min(employee_number) as employee_number, sum(payment_amount) as payment_amount,
            count(*) as sent_count, string_agg(payment_id, ', ' order by payment_id) as payment_ids
        from checked
        where original_payment_id is not null and payment_status is distinct from 'returned'
        group by original_payment_id having count(*) > 1
        """,
        "Of the transfers that stand in for one that was returned, at most one was not returned itself.",
        "somebody was paid twice: have all but one recalled, and the list of payments dropped again",
    )


def _charts(build: Builder) -> Iterator[CheckSpec]:
    mend = "have the chart mended and dropped again"
    on = build("ledger.account")
    yield on.in_set("normal_side", ("debit", "credit"), mend)
    yield on.no_rows(
        "parent_is_in_the_chart",
        f"""
        select checked.account_code, checked.parent_account_code from checked
        where checked.parent_account_code is not null and not exists (
            select 1 from {ACCOUNTS} as parent where parent.account_code = checked.parent_account_code
        )
        """,
        "The account that another is summed into is in the chart.",
        mend,
    )
    journal = build("ledger.journal_line")
    for name, column, table, key in (
        ("account", "account_code", ACCOUNTS, "account_code"),
        ("cost_centre", "cost_centre_code", CENTRES, "cost_centre_code"),
    ):
        yield journal.no_rows(
            f"{name}_is_in_the_chart",
            f"""
            select checked.voucher_number, checked.line_number, checked.{column}, checked.posted_on from checked
            where checked.{column} is not null and exists (select 1 from {table}) and not exists (
                select 1 from {table} as chart
                where chart.{key} = checked.{column} and chart.effective_from <= checked.posted_on
                and coalesce(chart.effective_to, date '9999-12-31') >= checked.posted_on
            )
            """,
            f"Where the ledger hands over its chart, each line's {column} is in it and open on the day of posting.",
            "have the line or the chart mended: a posting to a closed or unknown account cannot be reported",
            reads=(table,),
        )


def _fx_rates(build: Builder) -> Iterator[CheckSpec]:
    on = build("fx_rates.rate")
    mend = "have the publisher's file mended and dropped again"
    yield on.no_rows(
        "pair_has_one_rate_a_day",
        """
        select rate_on, from_currency_code, to_currency_code, min(rate_value) as lowest_value,
            max(rate_value) as highest_value, string_agg(rate_source, ', ' order by rate_source) as sources
        from checked group by rate_on, from_currency_code, to_currency_code
        having count(distinct rate_value) > 1
        """,
        "A day and pair has one rate, whoever published it.",
        "decide whose rate holds and have the other left out: two rates are two results for one payment",
    )
    yield on.no_rows(
        "rate_is_positive",
        """
        select rate_on, from_currency_code, to_currency_code, rate_source, quoted_value, unit_count from checked
        where coalesce(rate_value, 0) <= 0 or coalesce(unit_count, 0) <= 0 or from_currency_code = to_currency_code
        """,
        "A rate is above zero, for one unit or more, and between two currencies.",
        mend,
    )
    yield on.no_rows(
        "inverse_agrees",
        f"""
        select checked.rate_on, checked.from_currency_code, checked.to_currency_code, checked.rate_value,
            inverse.rate_value as inverse_value, round(checked.rate_value * inverse.rate_value, 6) as product_value
        from checked inner join {RATES} as inverse
            on inverse.rate_on = checked.rate_on and inverse.from_currency_code = checked.to_currency_code
            and inverse.to_currency_code = checked.from_currency_code
        where checked.from_currency_code < checked.to_currency_code
        and abs(checked.rate_value * inverse.rate_value - 1) > {INVERSE_TOLERANCE}
        """,
        f"Where a pair is quoted both ways, the two multiply to one within {INVERSE_TOLERANCE}.",
        "one of the two was entered upside down: have it mended before anything is converted",
        "warn",
    )


def _quickbooks(build: Builder) -> Iterator[CheckSpec]:
    on = build("quickbooks.journal_line")
    mend = "have the transaction mended in QuickBooks and extract its month again"
    yield on.no_rows(
        "vouchers_balance",
        """
        select transaction_id, currency_code, min(posted_on) as posted_on, sum(debit_amount) as debit_amount,
            sum(credit_amount) as credit_amount, count(*) as line_count
        from checked group by transaction_id, currency_code having sum(debit_amount) <> sum(credit_amount)
        """,
        "The debits of each transaction equal its credits, in each currency.",
        mend,
    )
    yield on.known("account_code", "map the account in seeds/finance/account_mapping.csv")
    yield on.in_set(
        "cost_centre_code",
        FromQuery("select cost_centre_code from reference.cost_centre"),
        "name the class in QuickBooks by a cost centre, or add it to seeds/finance/cost_centre.csv",
        reads=("reference.cost_centre",),
    )


def _billing(build: Builder) -> Iterator[CheckSpec]:
    on = build("billing.invoice")
    mend = "have the export mended and dropped again; nothing may be paid on it before"
    yield on.in_set(
        "vendor_code",
        FromQuery("select vendor_code from reference.vendor"),
        "add the vendor to seeds/services/vendor.csv, or ask who invoices us",
        reads=("reference.vendor",),
    )
    yield on.in_set(
        "supplier_contract_code",
        FromQuery("select supplier_contract_code from reference.supplier_contract"),
        "add the contract to seeds/vendors/supplier_contract.csv: an invoice without one cannot be checked",
        "warn",
        reads=("reference.supplier_contract",),
    )
    yield on.no_rows(
        "lines_add_up",
        f"""
        with summed as (
            select invoice_number, sum(net_amount) as line_amount,
                count(*) filter (where net_amount is null) as unknown_count,
                min(currency_code) as lowest_code, max(currency_code) as highest_code
            from {LINES} group by invoice_number
        )
        select coalesce(checked.invoice_number, summed.invoice_number) as invoice_number, checked.net_amount,
            summed.line_amount, checked.currency_code, summed.lowest_code as line_currency_code
        from checked full join summed on summed.invoice_number = checked.invoice_number
        where checked.net_amount is distinct from summed.line_amount or summed.unknown_count > 0
        or summed.lowest_code is distinct from checked.currency_code
        or summed.highest_code is distinct from checked.currency_code
        """,
        "An invoice is the sum of its lines, to the cent and in one currency; no line is without its invoice.",
        mend,
        reads=(LINES,),
    )
    yield on.no_rows(
        "gross_is_net_and_tax",
        """
        select invoice_number, net_amount, tax_amount, gross_amount from checked
        where gross_amount is distinct from net_amount + tax_amount
        """,
        "Gross is net and tax, to the cent.",
        mend,
    )
    credit = build("billing.credit_note")
    yield credit.no_rows(
        "service_credit_names_its_breach",
        """
        select credit_note_number, supplier_contract_code, period_start_on, credit_amount from checked
        where credit_kind = 'service_credit' and breach_reference is null
        """,
        "A service credit names the breach it settles.",
        "ask the vendor which breach it settles: without it nobody can say whether it is the credit that was owed",
        "warn",
    )
    yield credit.no_rows(
        "is_owed_to_us",
        "select credit_note_number, credit_amount, currency_code from checked where credit_amount <= 0",
        "A credit note's amount is above zero.",
        mend,
    )


def _vendor_performance(build: Builder) -> Iterator[CheckSpec]:
    mend = "send the file back to the vendor: what cannot be read cannot be verified"
    on = build("vendor_performance.record", requirements=("SLT-7.2",))
    yield on.in_set("record_kind", RECORD_KINDS, mend)
    yield on.no_rows(
        "record_is_plausible",
        """
        select vendor_code, record_id, record_kind, started_at, ended_at, affected_share, counted_seconds,
            target_seconds
        from checked
        where ended_at < started_at or affected_share <= 0 or affected_share > 1 or (
            record_kind = 'resolution'
            and (ended_at is null or coalesce(counted_seconds, -1) < 0 or coalesce(target_seconds, 0) <= 0)
        )
        """,
        "A record ends after it begins and strikes a part of the sites; a resolution has an end, a count and a target.",
        mend,
    )
    on = build("vendor_performance.summary", requirements=("SLT-7.2",))
    yield on.in_set("measure", MEASURES, mend)
    yield on.check(
        "claimed_share_is_a_share",
        "ExpectColumnValuesToBeBetween",
        f"{SUMMARIES}.claimed_share is between 0 and 1.",
        mend,
        arguments={"column": "claimed_share", "min_value": 0, "max_value": 1},
    )


def _survey(build: Builder) -> Iterator[CheckSpec]:
    on = build("survey.response")
    yield on.no_rows(
        "answers_mostly_count",
        "select response_id, wave_code, question_code, response_status from checked where response_status <> 'valid'",
        "At least nine in ten answers count; the others say why they do not.",
        "read response_status: a wave or question that is not in seeds/surveys, or an export with another scale",
        tolerated_share=0.1,
    )
    on = build("survey.response", also=("bamboohr",))
    yield on.no_rows(
        "pseudonym_is_nobody",
        """
        select checked.response_id, checked.wave_code from checked where exists (
            select 1 from staging.stg_bamboohr__employees as person
            where lower(checked.respondent_pseudonym) in (
                lower(person.employee_number), lower(person.work_email), lower(person.employee_id),
                lower(person.display_name)
            )
        )
        """,
        "No respondent goes by the number, the address or the name of an employee.",
        "delete the file, have it exported with pseudonyms, and tell data protection: the answers are not anonymous",
        reads=("staging.stg_bamboohr__employees",),
    )


RULES = (_payments, _charts, _fx_rates, _quickbooks, _billing, _vendor_performance, _survey)


def checks(build: Builder) -> list[CheckSpec]:
    """Every rule of this module; `build` makes the checks of a staging model from its source.entity."""
    return [spec for rule in RULES for spec in rule(build)]
