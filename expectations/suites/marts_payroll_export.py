"""Gate marts, what is handed to payroll and the general ledger: every line once, approved, and the same in all books.

Each check asks ledger, registers and the exports' own lines again, so that a defect of a model cannot pay.
`checks()` is read by `expectations.suites.marts`.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

ITEMS, LINES = "finance.fct_payroll_export_item", "finance.fct_payroll_export_line"
READINESS, JOURNAL = "finance.rpt_payroll_export_readiness", "finance.fct_payout_journal"
LEDGER, BALANCES, ACCRUALS = "finance.fct_payout_ledger", "finance.fct_payout_balance", "finance.fct_accrual"
PAYMENTS, PAYMENT_LINES, DRAWS = "finance.rpt_payment_readiness", "finance.fct_payment_line", "incentives.fct_draw"
WRITTEN = "finance.dim_payroll_export"
EXPORTS, EXPORTED = "landing.payroll_export", "landing.payroll_export_ledger_line"
POSTED = "landing.payroll_export_journal_line"
APPROVALS, DEMANDS = "reference.payroll_export_approval", "reference.payroll_export_demand"
MEMBERS, CONTEXT = "reference.governance_member", "core.int_run_context"
GO_LIVES = "reference.payroll_go_live"
ACCOUNTS, CHART, PAY_CODES = "reference.payout_account", "reference.gl_account", "reference.payout_pay_code"
PERSONAL_DEMANDS = ("wage_compliant", "withholding_known", "account_mapped")
PLAN_DEMANDS = ("acknowledged", "activated", "works_council_agreed", "approval_present", *PERSONAL_DEMANDS)
# what each kind of pay must meet; a kind that is not here is never payable
PAYMENT_DEMANDS_BY_KIND = {
    "incentive": PLAN_DEMANDS,
    "draw": PLAN_DEMANDS,
    "award": ("award_approved", *PERSONAL_DEMANDS),
    "pool": ("pool_approved", *PERSONAL_DEMANDS),
    "on_call": PERSONAL_DEMANDS,
}
ASKED = ", ".join(f"('{kind}', '{code}')" for kind, codes in PAYMENT_DEMANDS_BY_KIND.items() for code in codes)
DEFECT = "a defect of the model: export nothing; see the keys below"
TAMPERED = "run `sltw verify-payroll-export`: it says which file of which export is not as it was written"


# the first month the ledger pays, by kind of pay ('' for every kind no decision names): the last decision that counts,
# entered before its month began and before the month standing until then did, with no earlier month exported
FIRST_MONTHS = f"""
    with recursive known as (
        select go_live.go_live_id, coalesce(go_live.earning_kind, '') as scope_kind, go_live.first_payment_period,
            greatest(cast(go_live.decided_on as timestamp), go_live.recorded_at) as counts_from_at
        from {GO_LIVES} as go_live
        where go_live.decided_by <> go_live.prepared_by
            and exists (
                select 1 from {MEMBERS} as member inner join {DEMANDS} using (role_code)
                where member.employee_number = go_live.decided_by
                    and go_live.decided_on between member.from_on and coalesce(member.to_on, date '9999-12-31')
            )
            and greatest(cast(go_live.decided_on as timestamp), go_live.recorded_at)
                <= (select max(as_of_at) from {CONTEXT})
            and greatest(cast(go_live.decided_on as timestamp), go_live.recorded_at)
                < cast(go_live.first_payment_period || '-01' as timestamp)
    ),
    numbered as (
        select *, row_number() over (partition by scope_kind order by counts_from_at, go_live_id) as decision_number
        from known
    ),
    standing as (
        select * from numbered where decision_number = 1
        union all
        select later.* from standing inner join numbered as later
            on later.scope_kind = standing.scope_kind and later.decision_number = standing.decision_number + 1
            and later.counts_from_at < cast(standing.first_payment_period || '-01' as timestamp)
    ),
    named as (
        select * from standing where scope_kind <> '' and not exists (
            select 1 from {EXPORTED} as exported
            where exported.earning_kind = standing.scope_kind
                and exported.payment_period < standing.first_payment_period
        )
    ),
    every_other as (
        select * from standing where scope_kind = '' and not exists (
            select 1 from {EXPORTED} as exported
            where exported.earning_kind not in (select scope_kind from named)
                and exported.payment_period < standing.first_payment_period
        )
    )
    select scope_kind, arg_max(first_payment_period, decision_number) as first_payment_period
    from (select * from named union all select * from every_other) group by scope_kind
"""
# of every kind that has no decision of its own; no row without one
FIRST_MONTH = f"select first_payment_period from ({FIRST_MONTHS}) where scope_kind = ''"
# quarters whose plan pay was paid outside; of what ACCRUED_HERE names the accruals are this journal's all the same
OUTSIDE_QUARTERS = f"""
    select distinct earned_quarter from {ITEMS}
    where item_status = 'paid_outside' and earning_kind = 'incentive' and item_kind = 'earning'
"""
ACCRUED_HERE = f"""
    select earned_quarter, coalesce(country_code, ''), currency_code from {POSTED} where voucher_kind = 'accrual'
"""
IS_OUTSIDE = f"""
    (earned_quarter in ({OUTSIDE_QUARTERS})
        and (earned_quarter, coalesce(country_code, ''), currency_code) not in ({ACCRUED_HERE}))
"""


def checks() -> list[CheckSpec]:
    """All checks of this module."""
    return [*_items(), *_balances(), *_readiness(), *_lines(), *_journal()]


def _on(table: str, *keys: str, requirements: tuple[str, ...] = ("OPS-7.2",)) -> On:
    return On(table, table.partition(".")[2], keys=keys, requirements=requirements)


def _items() -> Iterator[CheckSpec]:
    on = _on(ITEMS, "ledger_line_id", "employee_number", "payment_period")
    yield on.unique(("ledger_line_id",), "A line of the ledger is paid once.", DEFECT)
    yield on.no_rows(
        "are_the_ledger",
        f"""
        select coalesce(checked.ledger_line_id, ledger.ledger_line_id) as ledger_line_id,
            coalesce(checked.employee_number, ledger.employee_number) as employee_number, checked.payment_period,
            checked.amount, ledger.amount as ledger_amount
        from checked
        full join (
            select *, min(payment_period) over (
                partition by employee_number, currency_code,
                    case when earning_kind = 'draw' then 'draw' else coalesce(earning_line_id, ledger_line_id) end
            ) as first_period
            from {LEDGER} where item_kind <> 'carry_forward'
        ) as ledger using (ledger_line_id)
        where checked.amount is distinct from ledger.amount
            or checked.employee_number is distinct from ledger.employee_number
            or checked.currency_code is distinct from ledger.currency_code
            or checked.ledger_payment_period is distinct from ledger.payment_period
            or checked.payment_period < ledger.first_period
        """,
        "Every line of the ledger stands in it with its person, currency, amount and month, paid no earlier than its "
        "earning was booked.",
        DEFECT,
        reads=(LEDGER,),
    )
    yield on.no_rows(
        "exported_are_those_that_were_exported",
        f"""
        select coalesce(checked.ledger_line_id, exported.ledger_line_id) as ledger_line_id,
            coalesce(checked.employee_number, exported.employee_number) as employee_number, exported.payment_period,
            checked.amount, exported.amount as exported_amount
        from (select * from checked where item_status = 'exported' or export_number is not null) as checked
        full join {EXPORTED} as exported using (ledger_line_id)
        where checked.item_status is distinct from 'exported' or checked.amount is distinct from exported.amount
            or checked.payment_period is distinct from exported.payment_period
            or checked.country_code is distinct from exported.country_code
            or checked.export_number is distinct from exported.export_number
            or checked.employee_number is distinct from exported.employee_number
            or checked.currency_code is distinct from exported.currency_code
        """,
        "What is called exported was exported, to the cent and by that export, and all of it is in the ledger.",
        TAMPERED,
        reads=(EXPORTED,),
    )
    yield on.no_rows(
        "payable_meet_every_demand",
        f"""
        with asked (earning_kind, demand_code) as (values {ASKED}),
        asked_count as (select earning_kind, count(*) as demand_count from asked group by earning_kind),
        ready as (
            select employee_number, country_code, currency_code, payment_period, earning_kind
            from {PAYMENTS} inner join asked using (earning_kind, demand_code)
            inner join asked_count using (earning_kind)
            where is_met
            group by employee_number, country_code, currency_code, payment_period, earning_kind,
                asked_count.demand_count
            having count(distinct demand_code) = asked_count.demand_count
            except
            select employee_number, country_code, currency_code, payment_period, earning_kind
            from {PAYMENTS} where not is_met
        )
        select checked.ledger_line_id, checked.employee_number, checked.payment_period
        from checked
        left join ready using (employee_number, country_code, currency_code, payment_period, earning_kind)
        where checked.item_status = 'payable' and ready.employee_number is null
        """,
        "No kind of pay is payable that does not meet each of its demands.",
        DEFECT,
        reads=(PAYMENTS,),
    )
    yield on.no_rows(
        "payments_are_whole_and_not_negative",
        """
        select null as ledger_line_id, employee_number, payment_period, currency_code, sum(amount) as amount
        from checked where item_status <> 'exported'
        group by employee_number, payment_period, currency_code, earning_kind
        having bool_or(item_status = 'payable') and not bool_and(item_status = 'payable')
        union all
        select null, employee_number, payment_period, currency_code, sum(amount)
        from checked where item_status <> 'exported'
        group by employee_number, payment_period, currency_code
        having bool_or(item_status = 'payable') and sum(amount) < 0
        union all
        select null, employee_number, payment_period, currency_code, sum(amount)
        from checked where item_status = 'payable' group by employee_number, payment_period, currency_code, country_code
        having sum(amount) < 0
        union all
        select null, employee_number, payment_period, currency_code, sum(amount) filter (item_status = 'blocked')
        from (
            select *, bool_or(item_status = 'payable') over (
                partition by employee_number, payment_period, currency_code
            ) as is_paid
            from checked where item_status <> 'exported'
        ) where is_paid group by employee_number, payment_period, currency_code, country_code
        having sum(amount) filter (item_status = 'blocked') < 0
        """,
        "A kind of a person's payment goes whole or not at all, never around a debt, and never takes money anywhere.",
        DEFECT,
    )
    yield on.no_rows(
        "only_what_the_ledger_pays_is_payable",
        f"""
        with first_month as ({FIRST_MONTHS}),
        judged as (
            select checked.*, coalesce(own.first_payment_period, general.first_payment_period) as first_payment_period
            from checked
            left join first_month as own on own.scope_kind = checked.earning_kind
            left join first_month as general on general.scope_kind = ''
        )
        select ledger_line_id, employee_number, payment_period, item_status
        from judged
        where item_status <> 'exported'
            and (item_status = 'paid_outside') <> (
                coalesce(payment_period < first_payment_period, false)
                and coalesce(refusal_reasons, '') not like '%negative\\_balance%' escape '\\'
            )
            or item_status = 'payable' and first_payment_period is null
        """,
        "What was paid before the first month the ledger pays is called so, and is never payable again.",
        "enter who decided the first month in seeds/governance/payroll_go_live.csv; else a defect: export nothing",
        reads=(GO_LIVES, MEMBERS, DEMANDS, CONTEXT, EXPORTED),
    )
    yield on.no_rows(
        "nothing_is_paid_outside_where_it_was_exported",
        f"""
        with named as (select distinct scope_kind from ({FIRST_MONTHS}) where scope_kind <> ''),
        handed as (
            select distinct payment_period, country_code, currency_code,
                case when earning_kind in (select scope_kind from named) then earning_kind else '' end as scope_kind
            from {EXPORTED}
        )
        select checked.ledger_line_id, checked.employee_number, checked.payment_period, checked.amount
        from checked
        inner join handed on handed.payment_period = checked.payment_period
            and handed.country_code = checked.country_code and handed.currency_code = checked.currency_code
            and handed.scope_kind
                = case when checked.earning_kind in (select scope_kind from named) then checked.earning_kind else '' end
        where checked.item_status = 'paid_outside'
        """,
        "No month of a country and currency that was handed to payroll is called paid outside: it is owed from here.",
        "take back the decision in seeds/governance/payroll_go_live.csv that put the first month off after it was paid",
        reads=(EXPORTED, GO_LIVES, MEMBERS, DEMANDS, CONTEXT),
    )
    yield on.no_rows(
        "take_back_nothing_that_was_not_paid",
        f"""
        with go_live as ({FIRST_MONTH}),
        line as (
            select checked.*, ledger.earning_line_id, coalesce(draw.plan_code, '') as plan_code,
                checked.amount > 0 and checked.item_status in ('payable', 'blocked')
                    and checked.ledger_payment_period >= (select first_payment_period from go_live) as is_unpaid
            from checked inner join {LEDGER} as ledger using (ledger_line_id)
            left join {DRAWS} as draw on ledger.earning_line_id = draw.earning_line_id
        )
        select taken.ledger_line_id, taken.employee_number, taken.payment_period, taken.currency_code, taken.amount,
            max(unpaid.payment_period) as unpaid_period
        from line as taken inner join line as unpaid
            on taken.employee_number = unpaid.employee_number and taken.currency_code = unpaid.currency_code
            and unpaid.is_unpaid and unpaid.payment_period < taken.payment_period
            and (
                taken.earning_line_id = unpaid.earning_line_id
                or taken.earning_kind = 'draw' and unpaid.earning_kind = 'draw' and taken.plan_code = unpaid.plan_code
                and not exists (
                    select 1 from line as advance
                    where advance.is_unpaid and advance.earning_kind = 'draw'
                        and advance.employee_number = taken.employee_number
                        and advance.currency_code = taken.currency_code and advance.plan_code = taken.plan_code
                        and advance.payment_period = taken.payment_period
                )
            )
        where taken.amount < 0 and taken.item_status = 'payable'
            and taken.ledger_payment_period >= (select first_payment_period from go_live)
        group by all
        """,
        "Nothing is taken back from a payment that was due in an earlier month and not handed over.",
        DEFECT,
        reads=(LEDGER, DRAWS, GO_LIVES, MEMBERS, DEMANDS, CONTEXT),
    )
    yield on.no_rows(
        "payable_come_to_the_balance",
        f"""
        with item as (
            select employee_number, payment_period, currency_code, sum(amount) as amount
            from checked where refusal_reasons is null or refusal_reasons not like '%negative\\_balance%' escape '\\'
            group by all
        ),
        -- where every line is paid in its own month, the sum of the ledger is the second witness
        untouched as (
            select employee_number, currency_code from {BALANCES} group by all
            having bool_and(balance_amount >= 0 or carried_out_amount = -balance_amount)
            except
            select employee_number, currency_code from {EXPORTED}
            except
            select employee_number, currency_code from checked where payment_period < ledger_payment_period
        )
        select null as ledger_line_id, employee_number, payment_period, currency_code, item.amount,
            balance.payable_amount
        from item full join {BALANCES} as balance using (employee_number, payment_period, currency_code)
        left join untouched using (employee_number, currency_code)
        where coalesce(item.amount, 0) <> coalesce(balance.payable_amount, 0)
            or untouched.employee_number is not null
            and coalesce(item.amount, 0) <> greatest(coalesce(balance.balance_amount, 0), 0)
        """,
        "What each person is to be paid in a month is what the ledger's balance says is payable.",
        DEFECT,
        reads=(BALANCES, EXPORTED),
    )
    yield on.no_rows(
        "payable_are_mapped",
        f"""
        with dated as (select *, last_day(cast(payment_period || '-01' as date)) as posted_on from checked)
        select dated.ledger_line_id, dated.employee_number, dated.payment_period, dated.account_code, dated.pay_code
        from dated
        where dated.item_status = 'payable' and (
            not exists (
                select 1 from {ACCOUNTS} as account inner join {CHART} as chart using (account_code)
                where account.earning_kind = dated.earning_kind and account.account_code = dated.account_code
                    and chart.account_role = 'incentive_expense'
                    and dated.posted_on between account.effective_from
                        and coalesce(account.effective_to, date '9999-12-31')
            )
            or not exists (
                select 1 from {PAY_CODES} as code
                where code.earning_kind = dated.earning_kind and code.earning_code = dated.pay_code
                    and dated.posted_on between code.effective_from and coalesce(code.effective_to, date '9999-12-31')
            )
        )
        """,
        "What is payable has the expense account and the earning code in force for its kind on the month's last day.",
        DEFECT,
        reads=(ACCOUNTS, CHART, PAY_CODES),
    )


def _balances() -> Iterator[CheckSpec]:
    on = _on(BALANCES, "employee_number", "payment_period", "currency_code", requirements=("OPS-7.2", "OPS-7.5"))
    yield on.no_rows(
        "say_what_was_handed_over",
        f"""
        with go_live as ({FIRST_MONTH}),
        line as (
            select placed.employee_number, placed.payment_period, placed.ledger_payment_period, placed.currency_code,
                placed.line_state, placed.amount, exported.ledger_line_id is not null as is_exported
            from {PAYMENT_LINES} as placed left join {EXPORTED} as exported using (ledger_line_id)
        ),
        paid as (
            select employee_number, payment_period, currency_code, count(*) as line_count,
                count(*) filter (is_exported) as exported_count,
                coalesce(sum(amount) filter (is_exported), 0) as exported_amount,
                coalesce(sum(amount) filter (line_state = 'due'), 0) as due_amount
            from line group by all
        ),
        booked as (
            select employee_number, ledger_payment_period as payment_period, currency_code, count(*) as line_count,
                count(*) filter (is_exported) as exported_count
            from line group by all
        ),
        judged as (
            select employee_number, payment_period, currency_code, checked.payout_status, checked.payable_amount,
                checked.exported_amount, checked.open_amount,
                coalesce(paid.exported_amount, 0) as handed_amount, coalesce(paid.due_amount, 0) as due_amount,
                coalesce(paid.line_count, booked.line_count, 0) as line_count,
                case when paid.line_count is null then coalesce(booked.exported_count, 0) else paid.exported_count end
                    as exported_count,
                coalesce(payment_period < go_live.first_payment_period, false) as is_outside
            from checked
            full join paid using (employee_number, payment_period, currency_code)
            left join booked using (employee_number, payment_period, currency_code)
            left join go_live on true
        )
        select employee_number, payment_period, currency_code, payout_status, open_amount, due_amount, exported_count,
            line_count
        from judged
        where payout_status is null
            or (payout_status = 'exported') <> (exported_count > 0 and exported_count = line_count)
            or (payout_status = 'partly_exported') <> (exported_count > 0 and exported_count < line_count)
            or (payout_status = 'released' and not is_outside)
            or exported_amount <> handed_amount
            or open_amount <> case when is_outside then 0 else due_amount end
            or payable_amount <> handed_amount + due_amount
        """,
        "A payment is called exported just where payroll was handed all of it, released only where paid outside, and "
        "what is open of it is what is due in it.",
        DEFECT,
        reads=(PAYMENT_LINES, EXPORTED, GO_LIVES, MEMBERS, DEMANDS, CONTEXT),
    )


def _readiness() -> Iterator[CheckSpec]:
    on = _on(READINESS, "payment_period", "country_code", "demand_code")
    yield on.no_rows(
        "lists_every_demand",
        f"""
        with due as (
            select distinct payment_period, country_code from (
                select payment_period, country_code, currency_code, employee_number, earning_kind from {ITEMS}
                where item_status = 'payable' group by all having sum(amount) <> 0
            )
        ),
        past as (select payment_period, country_code, max(export_number) as export_number from {EXPORTS} group by all),
        asked as (
            select due.*, coalesce(past.export_number, 0) + 1 as export_number, demand_code
            from due left join past using (payment_period, country_code)
            cross join (
                select 'export_is_approved_by_' || role_code as demand_code from {DEMANDS}
                union all select 'approvals_are_of_two_persons'
            )
        )
        select coalesce(asked.payment_period, checked.payment_period) as payment_period,
            coalesce(asked.country_code, checked.country_code) as country_code,
            coalesce(asked.demand_code, checked.demand_code) as demand_code
        from asked full join checked using (payment_period, country_code, demand_code)
        where asked.export_number is distinct from checked.export_number
            or checked.is_met is distinct from (checked.finding is null)
        """,
        "Every demand stands against the next export of each month and country that has something to pay.",
        DEFECT,
        reads=(ITEMS, EXPORTS, DEMANDS),
    )
    yield on.no_rows(
        "approved_is_what_would_be_exported",
        f"""
        with line as (
            select payment_period, country_code, currency_code, sum(amount) as amount from {ITEMS}
            where item_status = 'payable'
            group by payment_period, country_code, currency_code, employee_number, earning_kind, pay_code
            having sum(amount) <> 0
        ),
        due as (
            select payment_period, country_code, currency_code, count(*) as line_count, sum(amount) as amount
            from line group by all
        ),
        number as (select distinct payment_period, country_code, export_number from checked),
        counted as (
            select approval.approval_id, approval.payment_period, approval.country_code, approval.role_code,
                max(approval.approved_by) as approved_by
            from {APPROVALS} as approval
            inner join number using (payment_period, country_code, export_number)
            left join due using (payment_period, country_code, currency_code)
            where exists (
                select 1 from {MEMBERS} as member
                where member.employee_number = approval.approved_by and member.role_code = approval.role_code
                    and approval.approved_on between member.from_on and coalesce(member.to_on, date '9999-12-31')
            )
            and greatest(cast(approval.approved_on as timestamp), approval.recorded_at)
                <= (select max(as_of_at) from {CONTEXT})
            and approval.decision = 'approved' and approval.approved_by <> approval.prepared_by
            and not exists (
                select 1 from {APPROVALS} as other
                where other.prepared_by = approval.approved_by and other.payment_period = approval.payment_period
                    and other.country_code = approval.country_code and other.export_number = approval.export_number
                    and other.currency_code = approval.currency_code
                    and other.control_total_amount = approval.control_total_amount
                    and greatest(cast(other.approved_on as timestamp), other.recorded_at)
                        <= (select max(as_of_at) from {CONTEXT})
            )
            and approval.approved_on >= cast(approval.payment_period || '-01' as date)
            and approval.role_code in (select role_code from {DEMANDS})
            group by approval.approval_id, approval.payment_period, approval.country_code, approval.role_code
            having bool_and(
                approval.control_total_amount is not distinct from due.amount
                and approval.line_count is not distinct from due.line_count
            )
            and count(*) = (
                select count(*) from due as d
                where d.payment_period = approval.payment_period and d.country_code = approval.country_code
            )
        )
        select checked.payment_period, checked.country_code, checked.demand_code, checked.is_met
        from checked
        where checked.is_met <> case
            when checked.demand_code = 'approvals_are_of_two_persons' then (
                select count(distinct approved_by) > 1 from counted
                where counted.payment_period = checked.payment_period and counted.country_code = checked.country_code
            )
            else exists (
                select 1 from counted
                where counted.payment_period = checked.payment_period and counted.country_code = checked.country_code
                    and 'export_is_approved_by_' || counted.role_code = checked.demand_code
            )
        end
        """,
        "A signature counts just where it is of the lines and amounts to be exported, by somebody entitled to it.",
        DEFECT,
        reads=(ITEMS, APPROVALS, MEMBERS, CONTEXT, DEMANDS),
    )


def _lines() -> Iterator[CheckSpec]:
    on = _on(LINES, "employee_number", "payment_period", "country_code", "export_number", "earning_kind")
    yield on.no_rows(
        "sum_their_ledger_lines",
        f"""
        with item as (
            select payment_period, coalesce(country_code, '') as country_code, employee_number, currency_code,
                earning_kind, coalesce(export_number, 0) as export_number, sum(amount) as amount, count(*) as line_count
            from {ITEMS} group by all
        )
        select employee_number, payment_period, country_code, export_number, earning_kind, checked.amount,
            item.amount as item_amount
        from checked
        full join item using (payment_period, country_code, employee_number, currency_code, earning_kind, export_number)
        where checked.amount is distinct from item.amount or checked.ledger_line_count is distinct from item.line_count
        """,
        "Each line of the payroll file is the sum of its ledger lines, and no line is left out.",
        DEFECT,
        reads=(ITEMS,),
    )
    yield on.no_rows(
        "ready_are_payable_and_approved",
        f"""
        with payable as (
            select payment_period, country_code, employee_number, currency_code, earning_kind,
                bool_and(item_status = 'payable') as is_payable
            from {ITEMS} where export_number is null group by all
        ),
        approved as (
            select payment_period, country_code from {READINESS} group by all
            having bool_and(is_met) and count(*) = (select count(*) + 1 from {DEMANDS})
        )
        select checked.employee_number, checked.payment_period, checked.country_code, checked.export_number,
            checked.earning_kind, checked.line_status
        from checked
        left join payable using (payment_period, country_code, employee_number, currency_code, earning_kind)
        left join approved using (payment_period, country_code)
        where (checked.line_status = 'exported') <> (checked.export_number > 0)
            or (checked.line_status = 'ready') <> (
                checked.export_number = 0 and coalesce(payable.is_payable, false)
                and approved.payment_period is not null
            )
            or (checked.line_status = 'blocked') <> (checked.refusal_reasons is not null)
        """,
        "A line is ready just where its payment is payable and its export approved, and blocked only with a reason.",
        DEFECT,
        reads=(ITEMS, READINESS, DEMANDS),
    )
    yield on.no_rows(
        "exported_come_to_the_exports",
        f"""
        with line as (
            select payment_period, country_code, export_number, count(*) filter (amount <> 0) as line_count,
                count(distinct employee_number) filter (amount <> 0) as employee_count
            from checked where line_status = 'exported' group by all
        )
        select null as employee_number, payment_period, country_code, export_number, null as earning_kind,
            line.line_count, written.line_count as written_line_count
        from line full join {EXPORTS} as written using (payment_period, country_code, export_number)
        where line.line_count is distinct from written.line_count
            or line.employee_count is distinct from written.employee_count
        union all
        select null, payment_period, country_code, export_number, null, sequence_number, null
        from (
            select *, row_number() over (order by sequence_number) as place,
                row_number() over (partition by payment_period, country_code order by sequence_number) as number,
                lag(manifest_sha256) over (order by sequence_number) as sha256_before
            from {EXPORTS}
        )
        where sequence_number <> place or export_number <> number
            or previous_manifest_sha256 is distinct from sha256_before
        """,
        "The exports are a chain without a gap, and each has the lines and people its manifest counts.",
        TAMPERED,
        reads=(EXPORTS,),
    )

    written = _on(WRITTEN, "payment_period", "country_code", "export_number")
    yield written.no_rows(
        "lists_every_export",
        f"""
        select payment_period, country_code, export_number, checked.manifest_sha256, written.manifest_sha256
        from checked full join {EXPORTS} as written using (payment_period, country_code, export_number)
        where checked.manifest_sha256 is distinct from written.manifest_sha256
            or checked.line_count is distinct from written.line_count
        """,
        "Every export stands in it with the hash that proves it, and no other does.",
        TAMPERED,
        reads=(EXPORTS,),
    )


def _journal() -> Iterator[CheckSpec]:
    on = _on(
        JOURNAL,
        *("voucher_code", "country_code", "currency_code", "earned_quarter", "cost_centre_code"),
        requirements=("OPS-7.2", "OPS-7.3"),
    )
    signed = "sum(case when side = 'debit' then amount else -amount end)"
    yield on.no_rows(
        "balances_by_voucher_entity_and_currency",
        f"""
        select voucher_code, country_code, currency_code, null as earned_quarter, null as cost_centre_code,
            {signed} as difference_amount
        from checked group by voucher_code, country_code, currency_code
        having {signed} <> 0 or min(amount) <= 0 or count(distinct fiscal_period) > 1
        union all
        select voucher_code, min(country_code), min(currency_code), null, null, null
        from checked group by voucher_code
        having count(distinct coalesce(country_code, '')) > 1 or count(distinct currency_code) > 1
        """,
        "Every voucher balances, is of one country, currency and month, and has amounts above zero.",
        DEFECT,
    )
    yield on.no_rows(
        "pays_what_payroll_is_handed",
        f"""
        with posted as (
            select payment_period, country_code, currency_code, export_number, cost_centre_code, earned_quarter,
                account_code, {signed} as amount
            from checked where voucher_kind = 'payment' and account_role = 'incentive_expense' group by all
        ),
        number as (select distinct payment_period, country_code, export_number from {READINESS}),
        paid as (
            select item.payment_period, item.country_code, item.currency_code,
                coalesce(item.export_number, number.export_number) as export_number, item.cost_centre_code,
                item.earned_quarter, item.account_code, sum(item.amount) as amount
            from {ITEMS} as item
            left join number
                on item.payment_period = number.payment_period and item.country_code = number.country_code
            where item.item_status in ('payable', 'exported') group by all having sum(item.amount) <> 0
        )
        select null as voucher_code, country_code, currency_code, earned_quarter, cost_centre_code,
            posted.amount as posted_amount, paid.amount as paid_amount
        from posted full join paid using (
            payment_period, country_code, currency_code, export_number, cost_centre_code, earned_quarter, account_code
        )
        where posted.amount is distinct from paid.amount
        """,
        "Expense is posted just for what payroll is handed, by export, cost centre, quarter and account.",
        DEFECT,
        reads=(ITEMS, READINESS),
    )
    yield on.no_rows(
        "accrues_what_the_schedule_says",
        f"""
        with posted as (
            select earned_quarter, cost_centre_code, currency_code, fiscal_period, {signed} as amount
            from checked where voucher_kind = 'accrual' and account_role = 'incentive_accrual_expense' group by all
        ),
        scheduled as (
            select earned_quarter, cost_centre_code, currency_code, accrual_month as fiscal_period,
                sum(accrual_amount) as amount
            from {ACCRUALS} where accrual_kind in ('recognition', 'true_up') group by all
        )
        select null as voucher_code, null as country_code, currency_code, earned_quarter, cost_centre_code,
            posted.amount as posted_amount, scheduled.amount as scheduled_amount
        from posted full join scheduled using (earned_quarter, cost_centre_code, currency_code, fiscal_period)
        where coalesce(posted.amount, 0) <> coalesce(scheduled.amount, 0)
        """,
        "The accruals of all countries, exported and open, are those of the schedule, month by month.",
        DEFECT,
        reads=(ACCRUALS,),
    )
    yield on.no_rows(
        "takes_back_what_was_accrued_of_what_is_paid",
        f"""
        with reversed as (
            select payment_period, country_code, currency_code, earned_quarter, cost_centre_code, {signed} as amount
            from checked where voucher_kind = 'reversal' and account_role = 'incentive_accrual' group by all
        ),
        paid as (
            select payment_period, country_code, currency_code, earned_quarter, cost_centre_code, sum(amount) as amount
            from {ITEMS} where item_status in ('payable', 'exported') and earning_kind = 'incentive'
                and item_kind = 'earning' and not {IS_OUTSIDE}
            group by all
        )
        select null as voucher_code, country_code, currency_code, earned_quarter, cost_centre_code,
            reversed.amount as reversed_amount, paid.amount as paid_amount
        from reversed
        full join paid using (payment_period, country_code, currency_code, earned_quarter, cost_centre_code)
        where coalesce(reversed.amount, 0) <> coalesce(paid.amount, 0)
        """,
        "The accrual is taken back by just what is paid of it, and never one that was accrued outside.",
        DEFECT,
        reads=(ITEMS, POSTED),
    )
    yield on.no_rows(
        "takes_back_no_more_than_it_accrued",
        f"""
        with booked as (
            select earned_quarter, country_code, currency_code,
                sum(case when side = 'credit' then amount else -amount end) as left_amount
            from checked where account_role = 'incentive_accrual' and export_number is not null
                and journal_status <> 'paid_outside'
            group by all
        ),
        waiting as (
            select earned_quarter, country_code, currency_code, least(sum(amount), 0) as amount
            from {ITEMS} where item_status = 'blocked' and earning_kind = 'incentive' and item_kind = 'earning'
                and amount < 0
            group by all
        )
        select null as voucher_code, country_code, currency_code, earned_quarter, null as cost_centre_code,
            booked.left_amount, waiting.amount as waiting_amount
        from booked left join waiting using (earned_quarter, country_code, currency_code)
        where booked.left_amount < coalesce(waiting.amount, 0)
        union all
        select voucher_code, country_code, currency_code, earned_quarter, cost_centre_code, amount, null
        from checked
        where (journal_status = 'paid_outside') <> (
                voucher_kind = 'accrual' and journal_status <> 'exported' and {IS_OUTSIDE}
            )
            or (journal_status = 'paid_outside' and export_number is not null)
        """,
        "Of no quarter, entity and currency is more accrual taken back than was accrued here; what was overpaid waits.",
        DEFECT,
        reads=(ITEMS, POSTED),
    )
    yield on.no_rows(
        "exported_stand_as_written",
        f"""
        select voucher_code, coalesce(checked.country_code, posted.country_code) as country_code,
            coalesce(checked.currency_code, posted.currency_code) as currency_code,
            coalesce(checked.earned_quarter, posted.earned_quarter) as earned_quarter,
            coalesce(checked.cost_centre_code, posted.cost_centre_code) as cost_centre_code, checked.amount,
            posted.amount as written_amount
        from (select * from checked where journal_status = 'exported') as checked
        full join {POSTED} as posted using (voucher_code, line_number)
        where checked.amount is distinct from posted.amount or checked.side is distinct from posted.side
            or checked.account_code is distinct from posted.account_code
            or checked.cost_centre_code is distinct from posted.cost_centre_code
        """,
        "A journal line that was exported stands as it was, and none is left out.",
        TAMPERED,
        reads=(POSTED,),
    )
