"""Gate marts, finance's reconciliations: both sides are in them to the cent, and a difference is called by its name.

`checks()` is read by `expectations.suites.marts`. Rows that do not match are no defect of the warehouse: they warn.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On, text_list

ACCRUALS = "finance.fct_accrual"
ACCRUAL_TO_GL = "finance.rec_accrual_to_gl"
ACCRUAL_TO_PAYMENT = "finance.rec_accrual_to_payment"
PAYOUTS = "incentives.fct_incentive_payout"
CREDIT_TO_BILLING = "finance.rec_credit_to_billing"
HRIS_TO_PAYROLL = "finance.rec_hris_to_payroll"
GL_MAPPING = "finance.chk_payout_gl_mapping"
INCENTIVE_COST = "finance.mart_incentive_cost"
MONITORING_TO_TRANSACTIONS = "finance.rec_monitoring_to_transactions"
MEASURED_TO_REPORTED = "finance.rec_measured_to_reported"
INSURANCE = "finance.rpt_insurance"
COMPARED = ("matched", "amount_differs", "missing_left", "missing_right", "timing")
SERVICE_CREDITS = "slt.fct_service_credit"
CREDIT_NOTES = "staging.stg_billing__credit_notes"
JOURNAL = "staging.stg_ledger__journal_lines"
REGISTER = "staging.stg_payroll__register_lines"
STATUSES = (
    "matched",
    "amount_differs",
    "missing_left",
    "missing_right",
    "timing",
    "duplicate",
    "wrong_period",
    "wrong_currency",
    "source_absent",
)
# Statuses that need nobody's attention.
SETTLED = ("matched", "timing", "source_absent")
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of this module."""
    return [
        *_accruals(),
        *_accrual_to_gl(),
        *_accrual_to_payment(),
        *_credit_to_billing(),
        *_hris_to_payroll(),
        *_gl_mapping(),
        *_incentive_cost(),
        *_monitoring_to_transactions(),
        *_measured_to_reported(),
        *_insurance(),
    ]


def _rows(on: On, left: str, right: str) -> Iterator[CheckSpec]:
    """What holds of every reconciliation: one row a key, a known verdict that follows from its amounts, in words."""
    keys = ", ".join(on.keys)
    yield on.unique(("rec_key",), f"{on.table} has one row per key.", DEFECT)
    yield on.in_set("status", STATUSES, DEFECT)
    for column in ("status", "explanation"):
        yield on.known(column, "a line that nobody explains cannot be closed: " + DEFECT)
    yield on.no_rows(
        "status_is_honest",
        f"""
        select {keys}, status, {left}, {right}, difference_amount, explanation from checked
        where difference_amount is distinct from {right} - {left}
        or (status = 'matched' and difference_amount <> 0)
        or (status = 'missing_left' and ({left} <> 0 or {right} = 0))
        or (status = 'missing_right' and ({right} <> 0 or {left} = 0))
        or (status in ('duplicate', 'wrong_currency', 'source_absent') and difference_amount = 0)
        or trim(explanation) = '' or age_days < 0
        """,
        "A row is matched only without a difference, and a difference is called by its name.",
        DEFECT,
    )
    yield on.no_rows(
        "needs_nobody",
        f"""
        select {keys}, status, difference_amount, age_days, explanation from checked
        where status not in ({text_list(SETTLED)}) order by abs(difference_amount) desc, rec_key
        """,
        "Every line matches, or is not due yet.",
        "work through the lines listed: each says what differs and since when",
        "warn",
    )


def _ties(on: On, left: tuple[str, str], right: tuple[str, str], reads: tuple[str, ...]) -> CheckSpec:
    """(amount of a row, SELECT of currency_code and amount from the source its sum must be) of either side."""
    return on.no_rows(
        "ties_to_both_sides",
        f"""
        with left_side as ({left[1]}),
        right_side as ({right[1]}),
        reconciled as (
            select currency_code, sum({left[0]}) as left_amount, sum({right[0]}) as right_amount
            from checked group by currency_code
        ),
        spine as (
            select currency_code from left_side union select currency_code from right_side
            union select currency_code from reconciled
        )
        select spine.currency_code, left_side.amount as left_source_amount, reconciled.left_amount,
            right_side.amount as right_source_amount, reconciled.right_amount
        from spine
        left join left_side on left_side.currency_code is not distinct from spine.currency_code
        left join right_side on right_side.currency_code is not distinct from spine.currency_code
        left join reconciled on reconciled.currency_code is not distinct from spine.currency_code
        where coalesce(left_side.amount, 0) <> coalesce(reconciled.left_amount, 0)
        or coalesce(right_side.amount, 0) <> coalesce(reconciled.right_amount, 0)
        """,
        "Both sides' totals are in the reconciliation to the cent.",
        DEFECT,
        reads=reads,
    )


def _accruals() -> Iterator[CheckSpec]:
    on = On(
        ACCRUALS,
        "fct_accrual",
        keys=("earned_quarter", "cost_centre_code", "currency_code", "accrual_month", "accrual_kind"),
        sources=("bamboohr",),
        requirements=("LTI-4.6",),
    )
    yield on.unique(("accrual_key",), "A movement of the schedule is one row.", DEFECT)
    yield on.in_set("accrual_kind", ("recognition", "true_up", "release"), DEFECT)
    yield on.no_rows(
        "a_quarter_that_is_over_owes_what_was_calculated",
        f"""
        with accrued as (
            select earned_quarter, cost_centre_code, currency_code,
                sum(case when accrual_kind <> 'release' then accrual_amount else 0 end) as accrued_amount,
                sum(case when accrual_kind = 'release' then accrual_amount else 0 end) as released_amount
            from checked group by all
        ),
        earned as (
            select earned_quarter, cost_centre_code, currency_code, sum(payout_amount) as payout_amount
            from {PAYOUTS} group by all
        )
        select accrued.*, earned.payout_amount
        from accrued full join earned using (earned_quarter, cost_centre_code, currency_code)
        where (
            earned_quarter in (select earned_quarter from {PAYOUTS})
            and coalesce(accrued.accrued_amount, 0) <> coalesce(earned.payout_amount, 0)
        )
        or (
            coalesce(accrued.released_amount, 0) <> 0
            and accrued.released_amount <> -coalesce(earned.payout_amount, 0)
        )
        """,
        "Recognition and true-up of a quarter that is over are its payouts to the cent, and so is its release.",
        DEFECT,
        reads=(PAYOUTS,),
    )
    yield on.no_rows(
        "every_plan_has_one_policy",
        """
        select period.plan_code, period.earned_quarter, count(policy.plan_code) as policy_count
        from core.int_incentive_period as period
        left join reference.accrual_policy as policy
            on policy.plan_code = period.plan_code and period.period_start_on >= policy.effective_from
            and period.period_start_on <= coalesce(policy.effective_to, date '9999-12-31')
        group by all having count(policy.plan_code) <> 1
        """,
        "Every quarter a plan pays for has one accrual policy in force on its first day.",
        "enter the plan in seeds/finance/accrual_policy.csv, one row a plan and time",
        reads=("core.int_incentive_period", "reference.accrual_policy"),
    )


def _accrual_to_gl() -> Iterator[CheckSpec]:
    on = On(
        ACCRUAL_TO_GL,
        "rec_accrual_to_gl",
        keys=("rec_key", "accrual_month", "earned_quarter", "cost_centre_code", "currency_code"),
        sources=("bamboohr", "ledger"),
        needs="any",
        requirements=("LTI-4.6",),
    )
    yield from _rows(on, "accrual_amount", "gl_amount")
    yield _ties(
        on,
        ("accrual_amount", f"select currency_code, sum(accrual_amount) as amount from {ACCRUALS} group by all"),
        (
            "gl_amount",
            f"""
            select line.currency_code, sum(line.credit_amount - line.debit_amount) as amount
            from {JOURNAL} as line
            inner join reference.gl_account as account on account.account_code = line.account_code
            where account.account_role = 'incentive_accrual' group by all
            """,
        ),
        (ACCRUALS, JOURNAL, "reference.gl_account"),
    )


def _accrual_to_payment() -> Iterator[CheckSpec]:
    on = On(
        ACCRUAL_TO_PAYMENT,
        "rec_accrual_to_payment",
        keys=("rec_key", "earned_quarter", "cost_centre_code", "currency_code"),
        sources=("bamboohr", "payroll"),
        needs="any",
        requirements=("OPS-7.3",),
    )
    yield from _rows(on, "accrued_amount", "paid_amount")
    yield _ties(
        on,
        (
            "accrued_amount",
            f"select currency_code, sum(accrual_amount) as amount from {ACCRUALS} where accrual_kind <> 'release' "
            "group by all",
        ),
        (
            "paid_amount + unsettled_amount",
            f"""
            select line.currency_code, sum(coalesce(line.amount, 0)) as amount
            from {REGISTER} as line
            inner join reference.payroll_earning_code as code on code.earning_code = line.earning_code
            where code.earning_role = 'incentive' group by line.currency_code
            """,
        ),
        (ACCRUALS, REGISTER, "reference.payroll_earning_code"),
    )


def _credit_to_billing() -> Iterator[CheckSpec]:
    on = On(
        CREDIT_TO_BILLING,
        "rec_credit_to_billing",
        keys=("rec_key", "direction", "contract_code", "period_start_on", "currency_code"),
        sources=("billing",),
        requirements=("SVC-8.2",),
    )
    yield from _rows(on, "owed_amount", "billed_amount")
    yield _ties(
        on,
        (
            "owed_amount",
            f"""
            select currency_code, sum(amount) as amount from (
                select currency_code, credit_amount as amount from {SERVICE_CREDITS} where credit_status = 'ok'
                union all select currency_code, penalty_amount from reference.penalty_share
            ) group by all
            """,
        ),
        (
            "billed_amount",
            f"""
            select currency_code, sum(credit_amount) as amount from {CREDIT_NOTES}
            where credit_kind = 'service_credit' group by all
            """,
        ),
        (SERVICE_CREDITS, CREDIT_NOTES, "reference.penalty_share"),
    )


def _hris_to_payroll() -> Iterator[CheckSpec]:
    on = On(
        HRIS_TO_PAYROLL,
        "rec_hris_to_payroll",
        keys=("rec_key", "attribute_code", "employee_number", "period_code", "currency_code"),
        sources=("bamboohr", "payroll"),
        needs="any",
        requirements=("LTI-7.4",),
    )
    yield from _rows(on, "hris_amount", "payroll_amount")
    yield on.no_rows(
        "holds_every_register_line",
        f"""
        with register as (
            select case code.earning_role when 'base' then 'base_pay' else 'incentive_target' end as attribute_code,
                line.currency_code, sum(coalesce(line.amount, 0)) as amount, count(*) as line_count
            from {REGISTER} as line
            inner join reference.payroll_earning_code as code on code.earning_code = line.earning_code
            where code.earning_role in ('base', 'incentive')
            group by all
        ),
        listed as (
            select attribute_code, currency_code, sum(payroll_amount) as amount, sum(payroll_line_count) as line_count
            from checked where payroll_line_count > 0 group by all
        )
        select register.*, listed.amount as listed_amount, listed.line_count as listed_line_count
        from register full join listed
            on listed.attribute_code = register.attribute_code
            and listed.currency_code is not distinct from register.currency_code
        where register.amount is distinct from listed.amount or register.line_count is distinct from listed.line_count
        """,
        "Every line of pay in the register is in it once, to the cent.",
        DEFECT,
        reads=(REGISTER, "reference.payroll_earning_code"),
    )
    yield on.no_rows(
        "holds_every_month_employed",
        """
        select employee.employee_number, period.period_code
        from staging.stg_bamboohr__employees as employee
        inner join core.int_reporting_period as period
            on period.period_grain = 'month' and employee.hired_on < period.period_end_on
            and coalesce(employee.terminated_on, date '9999-12-31')
                > greatest(period.period_start_on, employee.hired_on)
        where employee.employee_number is not null
        and period.period_code >= coalesce(
            (
                select min(partition_key) from landing.extract_state
                where source = 'payroll' and entity = 'register_line'
            ),
            ''
        )
        and not exists (
            select 1 from checked where checked.attribute_code = 'base_pay' and checked.has_hris
            and checked.employee_number = employee.employee_number and checked.period_code = period.period_code
        )
        """,
        "Everybody the HRIS employs in a month is held against the register of that month.",
        DEFECT,
        reads=("staging.stg_bamboohr__employees", "core.int_reporting_period", "landing.extract_state"),
    )


def _gl_mapping() -> Iterator[CheckSpec]:
    on = On(
        GL_MAPPING,
        "chk_payout_gl_mapping",
        keys=("payout_line_id", "earned_quarter", "cost_centre_code", "account_code", "currency_code"),
        sources=("bamboohr",),
        requirements=("OPS-7.1",),
    )
    yield on.no_rows(
        "lets_no_line_through_unmapped",
        """
        select payout_line_id, earned_quarter, cost_centre_code, account_code, currency_code, payout_amount,
            refusal_reasons
        from checked where not coalesce(is_mapped, false)
        """,
        "The ledger can take every payout line: its cost centre, account and currency are known and open.",
        "enter the cost centre, the account of the kind or the currency in seeds/finance, or have the ledger's chart "
        "mended: until then nothing is paid",
    )
    yield on.no_rows(
        "judges_every_line_as_it_is_paid",
        f"""
        select coalesce(payout.payout_line_id, checked.payout_line_id) as payout_line_id, payout.payout_amount,
            checked.payout_amount as judged_amount, payout.cost_centre_code, payout.currency_code
        from {PAYOUTS} as payout full join checked on checked.payout_line_id = payout.payout_line_id
        where checked.payout_line_id is null or payout.payout_line_id is null
        or payout.payout_amount <> checked.payout_amount
        or payout.cost_centre_code is distinct from checked.cost_centre_code
        or payout.currency_code is distinct from checked.currency_code
        """,
        "Each payout line is judged, with the amount, cost centre and currency it is paid with.",
        DEFECT,
        reads=(PAYOUTS,),
    )
    yield on.no_rows(
        "verdict_follows_from_its_parts",
        """
        select payout_line_id, earned_quarter, cost_centre_code, account_code, currency_code, is_mapped,
            is_cost_centre_known, is_account_known, is_currency_known, refusal_reasons
        from checked
        where (is_mapped and not (is_cost_centre_known and is_account_known and is_currency_known))
        or (is_mapped <> (refusal_reasons is null))
        or (is_mapped and (cost_centre_code is null or account_code is null or currency_code is null))
        """,
        "A line is mapped only with all three known, and one that is not says why.",
        DEFECT,
    )


def _incentive_cost() -> Iterator[CheckSpec]:
    on = On(
        INCENTIVE_COST,
        "mart_incentive_cost",
        keys=("earned_quarter", "team_code", "cost_centre_code", "currency_code"),
        sources=("bamboohr",),
        requirements=("LTI-4.3",),
    )
    yield on.unique(("cost_key",), "A team's cost of a service and business unit is one row.", DEFECT)
    yield on.no_rows(
        "parts_sum_to_the_payouts",
        f"""
        with paid as (
            select earned_quarter, team_code, cost_centre_code, currency_code, sum(payout_amount) as payout_amount
            from {PAYOUTS} group by all
        ),
        laid as (
            select earned_quarter, team_code, cost_centre_code, currency_code, sum(cost_amount) as cost_amount
            from checked group by all
        )
        select * from paid full join laid using (earned_quarter, team_code, cost_centre_code, currency_code)
        where coalesce(paid.payout_amount, 0) <> coalesce(laid.cost_amount, 0)
        """,
        "The parts of each team, cost centre, quarter and currency are its payouts to the cent.",
        DEFECT,
        reads=(PAYOUTS,),
    )
    yield on.no_rows(
        "parts_are_within_a_cent_of_their_share",
        """
        select earned_quarter, team_code, cost_centre_code, currency_code, service_code, business_unit_code,
            ticket_count, cost_amount, team_amount, team_ticket_count
        from (
            select *,
                sum(cost_amount) over (part) as team_amount, sum(ticket_count) over (part) as team_ticket_count
            from checked
            window part as (partition by earned_quarter, payment_period, team_code, cost_centre_code, currency_code)
        )
        where allocation_basis = 'tickets_resolved' and (
            team_ticket_count = 0
            or abs(cast(cost_amount * 100 as hugeint) * team_ticket_count
                - cast(team_amount * 100 as hugeint) * ticket_count) >= team_ticket_count
        )
        """,
        "No part is a whole cent away from its tickets' share of the team's cost.",
        DEFECT,
    )


def _comparison(on: On, left: str, right: str, judged_by: str) -> Iterator[CheckSpec]:
    """What holds of a comparison of two shares: one row a key, and a verdict that follows from them."""
    keys = ", ".join(on.keys)
    yield on.unique(("rec_key",), f"{on.table} has one row per key.", DEFECT)
    yield on.in_set("status", COMPARED, DEFECT)
    for column in ("status", "explanation"):
        yield on.known(column, DEFECT)
    yield on.no_rows(
        "status_is_honest",
        f"""
        select {keys}, status, {left}, {right}, difference_share, tolerance_share from checked
        where difference_share is distinct from {right} - {left}
        or (status in ('matched', 'amount_differs') and difference_share is null)
        or (status = 'matched' and coalesce({judged_by} > tolerance_share, true))
        or (status = 'amount_differs' and coalesce({judged_by} <= tolerance_share, true))
        """,
        "A row is matched only within its tolerance, and differs only beyond it.",
        DEFECT,
    )
    yield on.no_rows(
        "needs_nobody",
        f"""
        select {keys}, status, difference_share, age_days, explanation from checked
        where status in ('amount_differs', 'missing_left') order by abs(difference_share) desc, rec_key
        """,
        "Both ways of measuring agree wherever both tell enough.",
        "work through the lines listed: a monitor, a target or a survey does not show what users live with",
        "warn",
    )


def _monitoring_to_transactions() -> Iterator[CheckSpec]:
    on = On(
        MONITORING_TO_TRANSACTIONS,
        "rec_monitoring_to_transactions",
        keys=("rec_key", "service_code", "transaction_monitor_id", "day_on"),
        requirements=("SLT-3.4",),
    )
    yield from _comparison(
        on,
        "monitor_share",
        "transaction_share",
        "round((missed_down_seconds + unconfirmed_down_seconds) / compared_seconds, 6)",
    )
    yield on.no_rows(
        "holds_every_transaction",
        """
        with sampled as (
            select monitor_id, sum(good_count + bad_count) as transaction_count, sum(down_seconds) as down_seconds
            from core.int_monitor_bucket where sample_kind in ('log_scraped', 'real_user') group by all
        ),
        listed as (
            select transaction_monitor_id as monitor_id, sum(transaction_count) as transaction_count,
                sum(all_down_seconds) as down_seconds
            from checked group by all
        )
        select monitor_id, sampled.transaction_count, listed.transaction_count as listed_count, sampled.down_seconds,
            listed.down_seconds as listed_down_seconds
        from sampled full join listed using (monitor_id)
        where sampled.transaction_count is distinct from listed.transaction_count
        or sampled.down_seconds is distinct from listed.down_seconds
        """,
        "Every transaction and every second down by transactions is in it once.",
        DEFECT,
        reads=("core.int_monitor_bucket",),
    )


def _measured_to_reported() -> Iterator[CheckSpec]:
    on = On(
        MEASURED_TO_REPORTED,
        "rec_measured_to_reported",
        keys=("rec_key", "service_code", "quarter_code"),
        requirements=("SVC-5.5",),
    )
    yield from _comparison(on, "measured_share", "reported_share", "abs(reported_share - measured_share)")
    yield on.no_rows(
        "holds_every_answer",
        """
        select count(*) as answer_count, (select coalesce(sum(answer_count), 0) from checked) as listed_count
        from core.int_observation_survey as answer
        inner join reference.satisfaction_rule as rule
            on rule.question_code = answer.question_code
            and cast(answer.observed_at as date)
                between rule.effective_from and coalesce(rule.effective_to, date '9999-12-31')
        having count(*) <> (select coalesce(sum(answer_count), 0) from checked)
        """,
        "Every answer of a customer that counts is in it once.",
        DEFECT,
        reads=("core.int_observation_survey", "reference.satisfaction_rule"),
    )


def _insurance() -> Iterator[CheckSpec]:
    on = On(
        INSURANCE,
        "rpt_insurance",
        keys=("policy_code", "condition_code", "period_code"),
        requirements=("SVC-8.6",),
    )
    yield on.unique(("insurance_key",), "A condition is judged once a period.", DEFECT)
    yield on.in_set("condition_status", ("kept", "broken", "not_measured", "not_over"), DEFECT)
    yield on.no_rows(
        "verdict_follows_from_the_figure",
        """
        select policy_code, condition_code, period_code, condition_status, direction, limit_value, measured_value
        from checked
        where (condition_status in ('kept', 'broken'))
            <> (measured_value is not null and condition_status <> 'not_over')
        or (condition_status = 'kept' and (
            (direction = 'at_least' and measured_value < limit_value)
            or (direction = 'at_most' and measured_value > limit_value)
        ))
        or (condition_status = 'broken' and (
            (direction = 'at_least' and measured_value >= limit_value)
            or (direction = 'at_most' and measured_value <= limit_value)
        ))
        """,
        "Kept is what lies on the right side of the limit, and nothing that was not measured.",
        DEFECT,
    )
    yield on.no_rows(
        "judges_every_condition",
        """
        select condition.policy_code, condition.condition_code, period.period_code
        from reference.insurance_condition as condition
        inner join core.int_reporting_period as period
            on period.period_grain = condition.period_grain and period.period_start_on >= condition.effective_from
            and period.period_start_on <= coalesce(condition.effective_to, date '9999-12-31')
        where not exists (
            select 1 from checked where checked.policy_code = condition.policy_code
            and checked.condition_code = condition.condition_code and checked.period_code = period.period_code
        )
        """,
        "Every condition in force is judged for every period.",
        DEFECT,
        reads=("reference.insurance_condition", "core.int_reporting_period"),
    )
    yield on.no_rows(
        "needs_nobody",
        """
        select policy_code, condition_code, period_code, condition_status, margin_value, explanation from checked
        where condition_status in ('broken', 'not_measured')
        """,
        "Every condition of a policy is kept, and can be shown to be.",
        "tell the insurer before the next claim does, and mend what is measured or what is promised",
        "warn",
    )
