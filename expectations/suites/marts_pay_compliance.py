"""Gate marts, compliance of pay: nothing is paid of which the tax, the wage or the right to pay it is not known.

Judged anew from what is exported, the rules and the hours as they stand. `checks()` is read by
`expectations.suites.marts`.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On
from expectations.suites.marts_payroll_export import ASKED

PAYOUTS = "incentives.fct_incentive_payout"
LINES, ITEMS = "finance.fct_payroll_export_line", "finance.fct_payroll_export_item"
WITHHOLDING, TAX = "finance.fct_withholding", "finance.fct_withholding_tax"
WAGE = "finance.fct_wage_compliance"
REC = "finance.rec_withholding_to_payroll"
READINESS = "finance.rpt_payment_readiness"
RULES, BRACKETS, CLASSES = (
    "reference.withholding_rule",
    "reference.withholding_bracket",
    "reference.payment_class",
)
REGULAR, DAYS, ENTRIES = "core.int_regular_pay", "core.int_worked_day", "core.int_worked_hours_entry"
AWARDS, POOLS = "reference.long_term_award", "reference.incentive_pool"
SOURCES = ("bamboohr", "payroll")

DEFECT = "a defect of the model: nothing may be paid from it; see the keys below"
# what the export shows of the ledger, but for what waits below zero: that is no payment
PAID = f"""(
    select *, coalesce(country_code, '') as country from {ITEMS}
    where coalesce(refusal_reasons, '') not like '%negative\\_balance%' escape '\\'
)"""
# a gap no register can close: the country's taxes are all in another currency; it waits, and nothing of it is payable
HELD_IN_OTHER_CURRENCY = f"""(
    checked.withholding_status = 'gap' and checked.net_amount is null
    and checked.payment_class is not null
    and exists (select 1 from {RULES} as rule where rule.country_code = checked.country_code)
    and not exists (
        select 1 from {RULES} as rule
        where rule.country_code = checked.country_code and rule.currency_code = checked.currency_code
    )
    and not exists (
        select 1 from {ITEMS} as item
        where item.employee_number = checked.employee_number and item.payment_period = checked.payment_period
        and item.currency_code = checked.currency_code and item.earning_kind = checked.earning_kind
        and item.item_status in ('payable', 'exported')
    )
)"""
RULE_MISSING = (
    "enter what is missing in seeds/pay (payment_class, withholding_rule, withholding_bracket; a tax that no longer "
    "holds gets a row with method none), or have the HRIS mended, and run again; until then these are not paid"
)


def checks() -> list[CheckSpec]:
    """All checks of this module."""
    return [*_withholding(), *_reconciliation(), *_wage(), *_readiness()]


def _withholding() -> Iterator[CheckSpec]:
    on = On(
        WITHHOLDING,
        "fct_withholding",
        keys=("withholding_key", "employee_number", "earned_quarter", "payment_period"),
        sources=SOURCES,
        requirements=("OPS-7.4",),
    )
    yield on.no_rows(
        "is_known",
        f"""
        select withholding_key, employee_number, earned_quarter, payment_period, country_code, gap_reasons,
            withheld_amount, net_amount
        from checked where (withholding_status = 'gap' or withheld_amount is null or net_amount is null)
        and not {HELD_IN_OTHER_CURRENCY}
        """,
        "Every payment has a class and a rule for every tax of its country on the day of payment.",
        RULE_MISSING,
        reads=(ITEMS, RULES),
    )
    yield on.no_rows(
        "is_in_the_currency_of_its_taxes",
        """
        select withholding_key, employee_number, earned_quarter, payment_period, country_code, currency_code,
            gross_amount, gap_reasons
        from checked where gap_reasons like '%: currency\\_differs%' escape '\\'
        """,
        "Nobody is to be paid in a currency that the taxes of the country are not in.",
        "pay it in the currency of the person's taxes and books: give the pool or award that currency, or the person's "
        "team a pool of its own; until then it is not exported",
        "warn",
        requirements=(),
    )
    yield on.no_rows(
        "is_classed_by_its_country",
        f"""
        select checked.withholding_key, checked.employee_number, checked.earned_quarter, checked.payment_period,
            checked.country_code, checked.payment_class
        from checked where checked.payment_class is not null and not exists (
            select 1 from {CLASSES} as class
            where class.country_code = checked.country_code and class.earning_kind = checked.earning_kind
            and class.payment_class = checked.payment_class
            and checked.paid_on between class.effective_from and coalesce(class.effective_to, date '9999-12-31')
        )
        """,
        "The class of every payment is the one its country has for the kind of earning on the day of payment.",
        DEFECT,
        reads=(CLASSES,),
        requirements=("LTI-8.3",),
    )
    yield on.no_rows(
        "ties_to_the_ledger_lines_paid",
        f"""
        select any_value(withholding_key) as withholding_key, employee_number, earned_quarter, payment_period,
            earning_kind, sum(gross_amount) as gross_amount, sum(paid_amount) as paid_amount
        from (
            select withholding_key, employee_number, earned_quarter, payment_period, country_code, currency_code,
                earning_kind, gross_amount, 0.00 as paid_amount
            from checked
            union all
            select null, employee_number, earned_quarter, payment_period, country, currency_code, earning_kind, 0.00,
                amount
            from {PAID}
        ) group by employee_number, earned_quarter, payment_period, country_code, currency_code, earning_kind
        having sum(gross_amount) <> sum(paid_amount) or count(withholding_key) <> 1
        """,
        "Every ledger line that is paid is taxed once: by person, quarter, month, country, currency and kind of pay.",
        DEFECT,
        reads=(ITEMS,),
    )
    yield on.no_rows(
        "is_what_the_export_pays",
        f"""
        select any_value(withholding_key) as withholding_key, employee_number, null as earned_quarter, payment_period,
            sum(gross_amount) as gross_amount, sum(exported_amount) as exported_amount
        from (
            select withholding_key, employee_number, payment_period, country_code, currency_code, gross_amount,
                0.00 as exported_amount
            from checked
            union all
            select null, employee_number, payment_period, country_code, currency_code, 0.00, amount from {LINES}
            where coalesce(refusal_reasons, '') not like '%negative\\_balance%' escape '\\'
        ) group by employee_number, payment_period, country_code, currency_code
        having sum(gross_amount) <> sum(exported_amount) or count(withholding_key) = 0
        """,
        "What is taxed of a person in a month is what the payroll file pays, to the cent.",
        DEFECT,
        reads=(LINES,),
    )
    yield on.no_rows(
        "net_and_withheld_are_gross",
        f"""
        select checked.withholding_key, checked.employee_number, checked.earned_quarter, checked.payment_period,
            checked.gross_amount, checked.withheld_amount, checked.net_amount, tax.withheld_amount as taxes_amount
        from checked left join (
            select withholding_key, sum(withheld_amount) as withheld_amount, count(*) as line_count,
                count(withheld_amount) as known_count
            from {TAX} group by withholding_key
        ) as tax on tax.withholding_key = checked.withholding_key
        where checked.withholding_status <> 'gap' and (
            checked.net_amount + checked.withheld_amount <> checked.gross_amount
            or checked.withheld_amount is distinct from tax.withheld_amount
            or tax.known_count <> tax.line_count
        )
        """,
        "Withheld is the sum of the taxes, and withheld and net make up gross to the cent.",
        DEFECT,
        reads=(TAX,),
    )
    tax = On(
        TAX,
        "fct_withholding_tax",
        keys=("withholding_tax_key", "employee_number", "earned_quarter", "tax_code"),
        sources=SOURCES,
        requirements=("OPS-7.4",),
    )
    yield tax.no_rows(
        "rule_is_in_force_on_the_day",
        f"""
        select checked.withholding_tax_key, checked.employee_number, checked.earned_quarter, checked.tax_code,
            checked.rule_code, checked.paid_on
        from checked left join {RULES} as rule on rule.rule_code = checked.rule_code
        where checked.gap_reason is null and not coalesce(
            rule.country_code = checked.country_code and rule.tax_code = checked.tax_code
            and rule.currency_code = checked.currency_code and rule.method = checked.method
            and coalesce(rule.jurisdiction_code = checked.jurisdiction_code, rule.jurisdiction_code is null)
            and coalesce(rule.payment_class, checked.payment_class) = checked.payment_class
            and checked.paid_on between rule.effective_from and coalesce(rule.effective_to, date '9999-12-31'),
            false
        )
        """,
        "Every tax is taken by a rule of the person's country, jurisdiction and class in force on the day of payment.",
        DEFECT,
        reads=(RULES,),
    )
    yield tax.no_rows(
        "takes_every_tax_of_the_country",
        f"""
        select any_value(checked.withholding_tax_key) as withholding_tax_key, checked.employee_number,
            checked.earned_quarter, rule.tax_code, checked.country_code, checked.paid_on
        from (select distinct on (withholding_key) * from checked) as checked
        inner join {RULES} as rule
            on rule.country_code = checked.country_code and rule.effective_from <= checked.paid_on
            and (rule.payment_class is null or rule.payment_class = checked.payment_class)
        where not exists (
            select 1 from {TAX} as line
            where line.withholding_key = checked.withholding_key and line.tax_code = rule.tax_code
        )
        group by checked.withholding_key, checked.employee_number, checked.earned_quarter, rule.tax_code,
            checked.country_code, checked.paid_on
        """,
        "Every tax a country ever had by the day of payment is there: withheld, none, or a gap.",
        DEFECT,
        reads=(RULES,),
    )
    yield tax.no_rows(
        "lies_on_its_scale",
        f"""
        select checked.withholding_tax_key, checked.employee_number, checked.earned_quarter, checked.tax_code,
            checked.gross_amount, checked.withheld_amount, scale.lowest_share, scale.highest_share
        from checked left join (
            select rule_code, min(rate_share) as lowest_share, max(rate_share) as highest_share
            from {BRACKETS} group by rule_code
        ) as scale on scale.rule_code = checked.rule_code
        where checked.gap_reason is null and case
            when checked.method = 'none' then checked.withheld_amount <> 0
            when checked.gross_amount >= 0 then not coalesce(
                checked.withheld_amount between checked.gross_amount * scale.lowest_share - checked.rounding_unit_amount
                and checked.gross_amount * scale.highest_share + checked.rounding_unit_amount, false
            )
            else not coalesce(
                checked.withheld_amount
                between checked.gross_amount * scale.highest_share - checked.rounding_unit_amount
                and checked.rounding_unit_amount, false
            )
        end
        """,
        "Nobody bears more than the highest rate of the rule or less than the lowest, to the rounding unit.",
        DEFECT,
        reads=(BRACKETS,),
    )
    yield tax.no_rows(
        "stands_on_regular_pay",
        f"""
        select checked.withholding_tax_key, checked.employee_number, checked.earned_quarter, checked.tax_code,
            checked.regular_pay_amount, coalesce(sum(pay.regular_pay_amount), 0.00) as registered_amount
        from checked left join {REGULAR} as pay
            on pay.employee_number = checked.employee_number and pay.currency_code = checked.currency_code
            and pay.month_start_on between checked.tax_year_start_on and checked.paid_on
        where checked.method = 'bracket' and checked.gap_reason is null
        group by checked.withholding_tax_key, checked.employee_number, checked.earned_quarter, checked.tax_code,
            checked.regular_pay_amount
        having checked.regular_pay_amount <> coalesce(sum(pay.regular_pay_amount), 0.00)
        """,
        "A tax by brackets stands on the regular pay of the tax year to date.",
        DEFECT,
        reads=(REGULAR,),
    )
    yield tax.no_rows(
        "rests_on_confirmed_figures",
        """
        select any_value(withholding_tax_key) as withholding_tax_key, any_value(employee_number) as employee_number,
            any_value(earned_quarter) as earned_quarter, tax_code, rule_code, count(*) as payment_count
        from checked where figure_status = 'demonstration' group by tax_code, rule_code
        """,
        "Nothing is withheld by a figure that is there for demonstration.",
        "have payroll of the country confirm the rule and its brackets, then set figure_status to confirmed in "
        "seeds/pay/withholding_rule.csv",
        "warn",
        requirements=(),
    )


def _reconciliation() -> Iterator[CheckSpec]:
    on = On(
        REC,
        "rec_withholding_to_payroll",
        keys=("rec_key", "employee_number", "earned_quarter"),
        sources=SOURCES,
        requirements=("OPS-7.4",),
    )
    register = """
        select line.employee_number, line.earned_quarter, line.currency_code, line.amount
        from staging.stg_payroll__register_lines as line
        inner join reference.payroll_earning_code as code on code.earning_code = line.earning_code
        where code.earning_role = 'withholding' and line.earned_quarter is not null
    """
    yield on.no_rows(
        "ties_to_both_sides",
        f"""
        select any_value(rec_key) as rec_key, employee_number, earned_quarter, sum(withheld_amount) as withheld_amount,
            sum(payroll_amount) as payroll_amount
        from (
            select rec_key, employee_number, earned_quarter, currency_code, withheld_amount, payroll_amount
            from checked
            union all
            select null, employee_number, earned_quarter, currency_code, -coalesce(withheld_amount, 0.00), 0.00
            from {WITHHOLDING}
            union all
            select null, employee_number, earned_quarter, currency_code, 0.00, amount from ({register})
        ) group by employee_number, earned_quarter, currency_code
        having sum(withheld_amount) <> 0 or sum(payroll_amount) <> 0 or count(rec_key) = 0
        union all
        select any_value(rec_key), employee_number, earned_quarter, sum(withheld_amount), null
        from (
            select rec_key, employee_number, earned_quarter, payment_period, currency_code, withheld_amount from checked
            union all
            select null, employee_number, earned_quarter, payment_period, currency_code,
                -coalesce(withheld_amount, 0.00)
            from {WITHHOLDING}
        ) group by employee_number, earned_quarter, payment_period, currency_code
        having sum(withheld_amount) <> 0 or count(rec_key) <> 1
        """,
        "Calculated tax, month by month, and the register's tax lines are in it once, to the cent.",
        DEFECT,
        reads=(WITHHOLDING, "staging.stg_payroll__register_lines", "reference.payroll_earning_code"),
    )
    yield on.no_rows(
        "needs_nobody",
        """
        select rec_key, employee_number, earned_quarter, status, difference_amount, explanation from checked
        where status not in ('matched', 'timing', 'source_absent')
        or status = 'matched' and difference_amount <> 0
        """,
        "Payroll withheld what was calculated.",
        "take it up with payroll: a rule of seeds/pay is not theirs, or a person has what the rules leave out",
        "warn",
        requirements=(),
    )


def _wage() -> Iterator[CheckSpec]:
    keys = ("wage_compliance_key", "employee_number", "payment_period")
    yield On(WAGE, "chk", keys=keys, sources=SOURCES, requirements=("DESK-5.1", "DESK-5.5")).no_rows(
        "wage_hour",
        # judged from hours and pay, not from the status the model gave
        f"""
        select checked.wage_compliance_key, checked.employee_number, checked.payment_period, checked.wage_status,
            checked.wage_amount, checked.required_amount, checked.reason
        from checked left join (
            select employee_number, strftime(day_on, '%Y-%m') as payment_period,
                sum(paid_seconds::hugeint * (minimum_hourly_amount * 100)::hugeint) as minimum_units,
                sum(paid_seconds) as paid_seconds,
                count(*) filter (
                    paid_seconds is null or paid_seconds > 0 and minimum_hourly_amount is null
                ) as unknown_count
            from {DAYS} group by all
        ) as hours using (employee_number, payment_period)
        left join {REGULAR} as pay
            on pay.employee_number = checked.employee_number and pay.currency_code = checked.currency_code
            and pay.month_code = checked.payment_period
        where (checked.is_blocked or coalesce(hours.unknown_count, 0) > 0 or (
            hours.paid_seconds > 0 and not coalesce(
                (pay.regular_pay_amount + checked.counted_amount - checked.deducted_amount) * 100 * 3600
                >= hours.minimum_units, false
            )
        )) and not (
            -- in another currency than the person's pay, and held for it
            pay.regular_pay_amount is null and checked.is_blocked and exists (
                select 1 from {REGULAR} as other
                where other.employee_number = checked.employee_number and other.month_code = checked.payment_period
                and other.currency_code <> checked.currency_code and other.regular_pay_amount is not null
            ) and not exists (
                select 1 from {ITEMS} as item
                where item.employee_number = checked.employee_number and item.currency_code = checked.currency_code
                and item.payment_period = checked.payment_period and item.item_status in ('payable', 'exported')
            )
        )
        """,
        "No payment leaves anybody below the minimum wage of the hours of its month, or cannot be shown not to.",
        "do not pay the line: lower what is taken off, pay it in parts, or complete seeds/pay/wage_rule.csv, "
        "working_week.csv and the hours; finance.fct_wage_compliance gives the figures",
        reads=(DAYS, REGULAR, ITEMS),
    )
    on = On(WAGE, "fct_wage_compliance", keys=keys, sources=SOURCES, requirements=("DESK-5.1", "DESK-5.5"))
    yield on.no_rows(
        "covers_every_payment",
        f"""
        select any_value(wage_compliance_key) as wage_compliance_key, employee_number, payment_period,
            sum(earned_amount) as earned_amount, sum(payout_amount) as payout_amount
        from (
            select wage_compliance_key, employee_number, payment_period, currency_code, earned_amount,
                0.00 as payout_amount
            from checked
            union all
            select null, employee_number, payment_period, currency_code, 0.00, amount from {PAID}
        ) group by employee_number, payment_period, currency_code
        having sum(earned_amount) <> sum(payout_amount) or count(wage_compliance_key) = 0
        """,
        "Every payment of a person and month is held against the law, to the cent.",
        DEFECT,
        reads=(ITEMS,),
    )
    yield on.no_rows(
        "takes_off_every_deduction",
        f"""
        select checked.wage_compliance_key, checked.employee_number, checked.payment_period, checked.deducted_amount,
            deduction.amount
        from checked left join (
            select employee_number, payment_period, currency_code, -sum(least(amount, 0.00)) as amount,
                sum(greatest(amount, 0.00)) as added
            from (
                select employee_number, payment_period, currency_code, earned_quarter, earning_kind,
                    sum(amount) as amount
                from {PAID} group by all
            ) group by employee_number, payment_period, currency_code
        ) as deduction using (employee_number, payment_period, currency_code)
        where checked.deducted_amount is distinct from deduction.amount
        or checked.counted_amount not between 0 and deduction.added
        """,
        "What is taken back lowers the wage in full, and no more counts as wage than was paid.",
        DEFECT,
        reads=(ITEMS,),
    )
    yield on.no_rows(
        "needs_nobody",
        """
        select wage_compliance_key, employee_number, payment_period, wage_status, overtime_due_amount, reason
        from checked where wage_status <> 'met' and not is_blocked
        """,
        "No payment owes overtime on its bonus, follows hours above the law's, or lies close to the minimum wage.",
        "pay the overtime of the reason with the payment; have the roster or the pay looked at before the next one",
        "warn",
        requirements=(),
    )
    yield On(WAGE, "fct_wage_compliance", keys=("entry_id", "employee_number"), sources=("bamboohr",)).no_rows(
        "leaves_out_no_hours_of_nobody",
        f"""
        select entry_id, employee_number, work_on, refusal_reason from {ENTRIES}
        where refusal_reason in ('person_unknown', 'ahead_of_the_day')
        """,
        "Every entry of hours is of somebody the HRIS knows and was made after the day.",
        "mend the entry in seeds/pay/worked_hours_entry.csv: hours that are nobody's are not in anybody's overtime",
        "warn",
        reads=(ENTRIES,),
    )


def _readiness() -> Iterator[CheckSpec]:
    on = On(
        READINESS,
        "rpt_payment_readiness",
        keys=("payment_readiness_key", "employee_number", "payment_period", "demand_code"),
        sources=SOURCES,
        requirements=("OPS-7.4", "DESK-5.5"),
    )
    yield on.no_rows(
        "asks_every_payment_everything",
        f"""
        with asked (earning_kind, demand_code) as (values {ASKED}),
        payment as (
            select distinct employee_number, payment_period, country as country_code, currency_code, earning_kind
            from {PAID}
        )
        select any_value(payment_readiness_key) as payment_readiness_key, employee_number, payment_period, demand_code,
            earning_kind, count(payment_readiness_key) as row_count
        from (select payment.*, demand_code from payment left join asked using (earning_kind)) as expected
        full join checked
            using (employee_number, payment_period, country_code, currency_code, earning_kind, demand_code)
        group by employee_number, payment_period, country_code, currency_code, earning_kind, demand_code,
            expected.employee_number
        having count(payment_readiness_key) <> 1 or expected.employee_number is null
        """,
        "Every kind of pay in every payment has one row for each demand on it.",
        DEFECT,
        reads=(ITEMS,),
    )
    yield on.no_rows(
        "judges_what_is_paid",
        f"""
        select any_value(payment_readiness_key) as payment_readiness_key, employee_number, payment_period,
            null as demand_code, earning_kind, min(earned_amount) as earned_amount, any_value(amount) as paid_amount
        from checked inner join (
            select employee_number, payment_period, country as country_code, currency_code, earning_kind,
                sum(amount) as amount
            from {PAID} group by all
        ) as paid using (employee_number, payment_period, country_code, currency_code, earning_kind)
        group by employee_number, payment_period, country_code, currency_code, earning_kind
        having min(earned_amount) <> any_value(amount) or max(earned_amount) <> any_value(amount)
        """,
        "The amount that is judged is the amount that is paid.",
        DEFECT,
        reads=(ITEMS,),
    )
    yield on.no_rows(
        "is_ready_only_when_all_is_met",
        f"""
        select checked.payment_readiness_key, checked.employee_number, checked.payment_period, checked.demand_code,
            checked.is_met, checked.finding, checked.is_payment_ready
        from checked left join (
            select employee_number, payment_period, country_code, currency_code, earning_kind,
                bool_and(is_met) as is_all_met
            from {READINESS} group by all
        ) as payment using (employee_number, payment_period, country_code, currency_code, earning_kind)
        where checked.is_met <> (checked.finding is null) or checked.is_payment_ready <> payment.is_all_met
        or checked.is_met and (
            checked.demand_code = 'wage_compliant' and exists (
                select 1 from {WAGE} as wage
                where wage.employee_number = checked.employee_number
                and wage.payment_period = checked.payment_period and wage.currency_code = checked.currency_code
                and wage.is_blocked
            )
            or checked.demand_code = 'withholding_known' and exists (
                select 1 from {WITHHOLDING} as tax
                where tax.employee_number = checked.employee_number
                and tax.payment_period = checked.payment_period and tax.currency_code = checked.currency_code
                and tax.earning_kind = checked.earning_kind and tax.withholding_status = 'gap'
            )
            or checked.demand_code = 'acknowledged' and (
                checked.earned_amount > 0 or checked.earned_amount = 0 and exists (
                    select 1 from {PAYOUTS} as payout
                    where payout.employee_number = checked.employee_number
                    and payout.payment_period = checked.payment_period
                )
            ) and not exists (
                select 1 from core.int_person_acknowledgement as person
                where person.employee_number = checked.employee_number and person.acknowledged_at is not null
            )
            or checked.demand_code = 'award_approved' and checked.earned_amount > 0 and not exists (
                select 1 from {AWARDS} as award
                where award.employee_number = checked.employee_number and award.approved_on <= award.granted_on
            )
            or checked.demand_code = 'pool_approved' and checked.earned_amount > 0 and not exists (
                select 1 from {POOLS} as pool
                where pool.currency_code = checked.currency_code
                and pool.approved_on <= cast(checked.payment_period || '-01' as date)
            )
        )
        """,
        "A demand is met only where its own register says so, and a payment is ready only when every demand is.",
        DEFECT,
        reads=(WAGE, WITHHOLDING, PAYOUTS, "core.int_person_acknowledgement", AWARDS, POOLS),
    )
    yield on.no_rows(
        "needs_nobody",
        """
        select payment_readiness_key, employee_number, payment_period, demand_code, finding from checked
        where not is_met
        """,
        "Every demand on every payment is met.",
        "see to the finding, or leave the payment out of the export; finance.rpt_payment_readiness lists all of them",
        "warn",
        requirements=(),
    )
