"""Gate marts, the payout ledger: no line was changed or taken away, it sums to what was calculated, limits hold.

`checks()` is read by `expectations.suites.marts`. Conservation, limits and what may be taken back are judged anew from
the tables and registers, apart from the models.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

LEDGER, SEALS, BALANCES = "finance.fct_payout_ledger", "finance.fct_payout_ledger_seal", "finance.fct_payout_balance"
EARNINGS, CAPS, CLAWBACKS = "finance.fct_earning_line", "finance.fct_cap_application", "finance.fct_clawback"
CONVERTED, FORECAST = "finance.mart_payout_in_reporting_currency", "finance.fct_liability_forecast"
PAYROLL = "core.int_payroll_line"
RULES, BASE, MEMBERS = "reference.agreement_rule", "core.int_base_pay", "core.int_union_membership"
EVENTS, CLAWBACK_RULES = "reference.clawback_event", "reference.clawback_rule"
TRACE, BATCHES = "finance.fct_earning_trace", "landing.extract_batch"
MOMENT, PERIODS, PAYOUTS = "core.int_payment_moment", "core.int_reporting_period", "incentives.fct_incentive_payout"
EVIDENCE, REOPENINGS = "metrics.fct_metric_evidence", "core.int_ticket_reopening"
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"
TAMPERED = "the ledger was touched from outside: nothing may be paid from it; hold it against the archive and a backup"
# The columns the hash of a line is taken over, in this order: written down here once more, apart from the model's.
CONTENT = (
    "ledger_line_id", "line_type", "item_kind", "item_key", "line_number", "earning_kind", "earning_line_id",
    "original_ledger_line_id", "reason", "employee_number", "earned_quarter", "team_code", "country_code",
    "cost_centre_code", "currency_code", "amount", "payment_period",
)  # fmt: skip
LINE_TYPES = ("original", "adjustment", "reversal", "clawback", "cap", "carry_forward", "draw")


def md5_of(*parts: str) -> str:
    """SQL of the hash over several values, as the models take it."""
    return "md5(" + " || '|' || ".join(f"coalesce(cast({part} as varchar), '~')" for part in parts) + ")"


def checks() -> list[CheckSpec]:
    """All checks of the ledger."""
    return [*_lines(), *_seals(), *_conservation(), *_balances(), *_caps(), *_clawback(), *_trace(), *_told()]


def _on(table: str, *keys: str, requirements: tuple[str, ...]) -> On:
    return On(table, table.partition(".")[2], keys=keys, requirements=requirements)


def _lines() -> Iterator[CheckSpec]:
    on = _on(LEDGER, "entry_number", "ledger_line_id", "employee_number", requirements=("OPS-7.5", "LTI-5.1"))
    yield on.unique(("ledger_line_id",), "A line stands once in the ledger.", TAMPERED)
    yield on.in_set("line_type", LINE_TYPES, DEFECT)
    yield on.no_rows(
        "entries_follow_without_a_gap",
        """
        select entry_number, ledger_line_id, employee_number, batch_number from (
            select *, row_number() over (order by entry_number) as place,
                lag(batch_number, 1, 0) over (order by entry_number) as earlier_batch
            from checked
        )
        where entry_number <> place or batch_number not in (earlier_batch, earlier_batch + 1) or batch_number < 1
        """,
        "Lines are numbered from 1, batch after batch, and none is missing.",
        TAMPERED,
    )
    yield on.no_rows(
        "lines_are_as_they_were_written",
        f"""
        select entry_number, ledger_line_id, employee_number, amount from checked
        where content_hash is distinct from {md5_of(*CONTENT)}
        """,
        "What a line says is what its hash was taken over when it was written.",
        TAMPERED,
    )
    yield on.no_rows(
        "entries_are_chained",
        f"""
        with batch as (
            select batch_number, lag(max_by(entry_hash, entry_number)) over (order by batch_number) as earlier_hash
            from checked group by batch_number
        )
        select checked.entry_number, checked.ledger_line_id, checked.employee_number
        from checked join batch using (batch_number)
        where checked.entry_hash is distinct from {
            md5_of(
                "batch.earlier_hash",
                "checked.content_hash",
                "checked.entry_number",
                "checked.recorded_at",
                "checked.run_id",
            )
        }
        """,
        "Each line carries the hash of the batch before it.",
        TAMPERED,
    )
    yield on.no_rows(
        "time_goes_on",
        """
        select entry_number, ledger_line_id, employee_number, recorded_at from (
            select *, lag(recorded_at) over (order by entry_number) as earlier_at from checked
        )
        where recorded_at < earlier_at
        """,
        "No line was recorded as of an instant before the lines above it.",
        DEFECT,
    )
    yield on.no_rows(
        "reversals_are_signed_copies",
        """
        select undone.entry_number, undone.ledger_line_id, undone.employee_number, undone.amount,
            line.amount as of_amount
        from checked as undone left join checked as line on undone.original_ledger_line_id = line.ledger_line_id
        where undone.line_type = 'reversal' and (
            undone.amount is distinct from -line.amount or line.line_type = 'reversal'
            or undone.item_key is distinct from line.item_key or undone.entry_number <= line.entry_number
            or undone.employee_number is distinct from line.employee_number
            or undone.currency_code is distinct from line.currency_code
            or undone.earned_quarter is distinct from line.earned_quarter
            or undone.cost_centre_code is distinct from line.cost_centre_code
            or undone.country_code is distinct from line.country_code
        )
        union all
        select max(entry_number), max(ledger_line_id), max(employee_number), sum(amount), null from checked
        where line_type = 'reversal' group by original_ledger_line_id having count(*) > 1
        """,
        "A reversal takes back exactly one line, once, to the cent and in the same place of the books.",
        DEFECT,
    )
    yield on.no_rows(
        "references_lead_somewhere",
        """
        select line.entry_number, line.ledger_line_id, line.employee_number, line.line_type
        from checked as line left join checked as original
            on line.original_ledger_line_id = original.ledger_line_id
            and original.employee_number = line.employee_number
        where (line.original_ledger_line_id is not null or line.line_type in ('clawback', 'cap', 'reversal'))
            and original.ledger_line_id is null
        """,
        "What takes from another line names it, and it is a line of the same person.",
        DEFECT,
    )


def _seals() -> Iterator[CheckSpec]:
    on = _on(SEALS, "batch_number", "sealed_by_run_id", requirements=("OPS-7.5",))
    yield on.unique(("batch_number",), "A batch is sealed once.", TAMPERED)
    yield on.no_rows(
        "match_the_ledger",
        f"""
        with batch as (
            select batch_number, count(*) as entry_count, max(entry_number) as last_entry_number,
                {md5_of("string_agg(entry_hash, ', ' order by entry_number)")} as entries_hash
            from {LEDGER} group by batch_number
        )
        select coalesce(checked.batch_number, batch.batch_number) as batch_number, checked.sealed_by_run_id,
            checked.entry_count, batch.entry_count as found_count
        from checked full join batch using (batch_number)
        where checked.entry_count is distinct from batch.entry_count
            or checked.last_entry_number is distinct from batch.last_entry_number
            or checked.entries_hash is distinct from batch.entries_hash
        """,
        "Each batch holds the lines it was sealed with, and each is sealed.",
        TAMPERED,
        reads=(LEDGER,),
    )
    yield on.no_rows(
        "are_chained",
        f"""
        with sealing as (
            select seal_hash, min(batch_number) as batch_number, max(sealed_by_run_id) as sealed_by_run_id,
                string_agg(batch_number::varchar || ' ' || entry_count::varchar || ' ' || entries_hash, ', '
                    order by batch_number) as contents
            from checked group by seal_hash
        ), linked as (
            select *, lag(seal_hash) over (order by batch_number) as earlier_hash from sealing
        )
        select batch_number, sealed_by_run_id from linked
        where seal_hash is distinct from {md5_of("earlier_hash", "contents", "sealed_by_run_id")}
        """,
        "Each seal carries the hash of the seal before it.",
        TAMPERED,
    )


def _conservation() -> Iterator[CheckSpec]:
    on = _on(LEDGER, "employee_number", "earned_quarter", "currency_code", requirements=("OPS-7.5", "LTI-5.1"))
    yield on.no_rows(
        "sums_to_what_was_calculated",
        f"""
        with calculated as (
            select employee_number, earned_quarter, currency_code, earned_amount as amount from {EARNINGS}
            union all select employee_number, earned_quarter, currency_code, cap_amount from {CAPS}
            union all select employee_number, earned_quarter, currency_code, clawback_amount from {CLAWBACKS}
        ), wanted as (
            select employee_number, earned_quarter, currency_code, sum(amount) as amount from calculated group by all
        ), booked as (
            select employee_number, earned_quarter, currency_code, sum(amount) as amount from checked
            where line_type <> 'carry_forward' group by all
        )
        select employee_number, earned_quarter, currency_code, wanted.amount as calculated_amount,
            booked.amount as booked_amount
        from wanted full join booked using (employee_number, earned_quarter, currency_code)
        where coalesce(wanted.amount, 0) <> coalesce(booked.amount, 0)
            and (select as_of_at from {MOMENT})
                >= (select coalesce(max(recorded_at), timestamp '0001-01-01') from checked)
        """,
        "A person's lines of a quarter and currency sum to what is calculated now: earned, less caps, less clawback.",
        DEFECT,
        reads=(EARNINGS, CAPS, CLAWBACKS, MOMENT),
    )
    yield on.no_rows(
        "earnings_are_never_taken_below_zero",
        """
        select employee_number, earned_quarter, currency_code, earning_line_id, sum(amount) as left_amount
        from checked where earning_line_id is not null group by all
        having sum(amount) < least(0, sum(amount) filter (item_kind = 'earning'))
        """,
        "Caps and clawback never take more from an earning than it is worth.",
        DEFECT,
    )
    yield on.no_rows(
        "carried_pairs_come_to_nothing",
        """
        select employee_number, null as earned_quarter, currency_code, item_key, sum(amount) as left_amount
        from checked where item_kind = 'carry_forward' group by all
        having sum(amount) <> 0
            or sum(amount) filter (reason = 'carried_out') is distinct from -sum(amount) filter (reason = 'carried_in')
        """,
        "What is carried out of a payment period is carried in again, to the cent.",
        DEFECT,
    )
    yield on.no_rows(
        "periods_that_are_over_are_not_negative",
        f"""
        select employee_number, payment_period as earned_quarter, currency_code, sum(amount) as balance_amount
        from checked where payment_period < (select as_of_month from {MOMENT})
            and (select as_of_at from {MOMENT}) >= (select max(recorded_at) from checked)
        group by all having sum(amount) < 0
        """,
        "A payment period that is over below zero has been carried into the next.",
        DEFECT,
        reads=(MOMENT,),
    )


def _balances() -> Iterator[CheckSpec]:
    on = _on(BALANCES, "employee_number", "payment_period", "currency_code", requirements=("OPS-7.5",))
    yield on.unique(("employee_number", "payment_period", "currency_code"), "A balance stands once.", DEFECT)
    yield on.no_rows(
        "sum_the_ledger",
        f"""
        with booked as (
            select employee_number, payment_period, currency_code,
                sum(amount) filter (reason <> 'carried_out') as amount from {LEDGER} group by all
        )
        select employee_number, payment_period, currency_code, checked.balance_amount, booked.amount
        from checked full join booked using (employee_number, payment_period, currency_code)
        where checked.balance_amount is distinct from coalesce(booked.amount, 0)
        """,
        "Each balance is the sum of its lines, and no line is left out.",
        DEFECT,
        reads=(LEDGER,),
    )
    yield on.no_rows(
        "pay_what_is_above_zero",
        """
        select employee_number, payment_period, currency_code, balance_amount, payable_amount, carried_amount
        from checked
        where payable_amount < 0 or open_amount < 0 or open_amount + exported_amount > payable_amount
            or carried_amount <> least(balance_amount, 0)
            or earned_amount + cap_amount + clawback_amount + carried_in_amount <> balance_amount
        """,
        "Nothing below zero is paid, what is below zero is carried, and the parts make the balance.",
        DEFECT,
    )


def _caps() -> Iterator[CheckSpec]:
    on = _on(CAPS, "rule_id", "earning_line_id", "cap_kind", requirements=("LTI-4.4", "DESK-5.3"))
    counted = f"""
        select rule.*, greatest(rule.effective_from, rule.approved_on) as from_on
        from {RULES} as rule cross join {MOMENT} as moment
        where rule.approved_by <> rule.proposed_by and rule.approved_on <= moment.as_of_at::date
            and (rule.cap_kind = 'pool') = (rule.limit_amount is not null)
            and (rule.cap_kind = 'pool') = (rule.currency_code is not null)
            and (rule.cap_kind = 'pool') <> (rule.limit_share is not null)
            and (rule.cap_kind = 'collective_agreement') = (rule.scope_type = 'union')
            and not (rule.cap_kind = 'personnel_cost_share' and rule.scope_type = 'plan')
    """
    yield on.unique(("earning_line_id", "cap_kind"), "A kind of limit takes from a line once.", DEFECT)
    yield on.no_rows(
        "are_of_rules_that_count",
        f"""
        with counted as ({counted})
        select checked.rule_id, checked.earning_line_id, checked.cap_kind
        from checked
        left join {PERIODS} as period on period.period_grain = 'quarter' and period.period_code = checked.earned_quarter
        left join counted on checked.rule_id = counted.rule_id and checked.cap_kind = counted.cap_kind
            and period.period_start_on between counted.from_on and coalesce(counted.effective_to, date '9999-12-31')
        where counted.rule_id is null
        """,
        "Only what was approved by another than its proposer, before the quarter began, caps.",
        DEFECT,
        reads=(RULES, MOMENT, PERIODS),
    )
    yield on.no_rows(
        "limits_are_kept",
        f"""
        with counted as ({counted}), net as (
            select earning.*, period.period_start_on,
                earning.earned_amount + coalesce(
                    (select sum(cap_amount) from checked where checked.earning_line_id = earning.earning_line_id), 0
                ) as net_amount
            from {EARNINGS} as earning
            join {PERIODS} as period on period.period_grain = 'quarter' and period.period_code = earning.earned_quarter
            where earning.earning_kind <> 'draw'
        ), covered as (
            select counted.rule_id, counted.cap_kind, counted.scope_type, counted.scope_code, counted.limit_share,
                counted.limit_amount, net.earned_quarter, net.currency_code, net.net_amount, net.earning_line_id,
                case when counted.cap_kind in ('person_share', 'collective_agreement') then net.employee_number end
                    as employee_number
            from net join counted
                on net.period_start_on between counted.from_on and coalesce(counted.effective_to, date '9999-12-31')
                and (counted.currency_code is null or counted.currency_code = net.currency_code)
                and (
                    counted.scope_type = 'all'
                    or (counted.scope_type = 'country' and counted.scope_code = net.country_code)
                    or (counted.scope_type = 'team' and counted.scope_code = net.team_code)
                    or (counted.scope_type = 'plan' and counted.scope_code = net.plan_code)
                    or (counted.scope_type = 'union' and exists (
                        select 1 from {MEMBERS} as member
                        where member.employee_number = net.employee_number and member.union_code = counted.scope_code
                            and net.period_start_on >= member.member_from_on
                            and net.period_start_on < coalesce(member.member_to_on, date '9999-12-31')
                    ))
                )
        ), had as (
            select rule_id, cap_kind, scope_type, scope_code, limit_share, limit_amount, earned_quarter, currency_code,
                employee_number, sum(net_amount) as net_amount, max(earning_line_id) as earning_line_id
            from covered group by all
        ), allowed as (
            select had.*, coalesce(had.limit_amount, had.limit_share * (
                select sum(base.base_amount) from {BASE} as base
                where base.earned_quarter = had.earned_quarter and base.currency_code = had.currency_code
                    and (had.employee_number is null or base.employee_number = had.employee_number)
                    and (had.employee_number is not null or had.scope_type = 'all'
                        or (had.scope_type = 'country' and base.country_code = had.scope_code)
                        or (had.scope_type = 'team' and base.team_code = had.scope_code))
            )) as allowed_amount
            from had
        )
        select rule_id, earning_line_id, cap_kind, employee_number, net_amount, allowed_amount from allowed
        where allowed_amount is not null and net_amount > greatest(allowed_amount, 0)
        """,
        "What is left after all caps keeps every limit that counts, worked out anew from register and payroll.",
        DEFECT,
        reads=(RULES, MOMENT, PERIODS, EARNINGS, BASE, MEMBERS),
    )
    yield on.no_rows(
        "take_the_excess_and_no_more",
        """
        with taken as (
            select *, sum(cap_amount) over (
                partition by rule_id, cap_kind, earned_quarter, currency_code,
                    case when cap_kind in ('person_share', 'collective_agreement') then employee_number end
            ) as taken_amount
            from checked
        )
        select rule_id, earning_line_id, cap_kind, before_amount, cap_amount, excess_amount, taken_amount from taken
        where cap_amount > 0 or before_amount + cap_amount < least(before_amount, 0)
            or (cap_status <> 'no_base_pay' and (
                taken_amount <> -excess_amount or excess_amount <> group_amount - limit_amount or cap_amount = 0
            ))
            or (cap_status = 'no_base_pay' and (cap_amount <> 0 or limit_amount is not null))
        """,
        "A cap takes what is above the limit in all, from nobody more than there is.",
        DEFECT,
    )
    yield on.no_rows(
        "say_what_base_pay_they_are_of",
        f"""
        with told as (
            select date_trunc('quarter', try_cast(pay_period || '-01' as date)) as quarter_start_on, currency_code,
                count(distinct pay_period) as month_count
            from {PAYROLL} where earning_role = 'base' and try_cast(pay_period || '-01' as date) is not null
            group by all
        )
        select checked.rule_id, checked.earning_line_id, checked.cap_kind, checked.cap_status, told.month_count
        from checked
        inner join {PERIODS} as period
            on period.period_grain = 'quarter' and period.period_code = checked.earned_quarter
        left join told
            on told.quarter_start_on = period.period_start_on and told.currency_code = checked.currency_code
        where (checked.cap_status = 'base_pay_incomplete') <> (
            checked.cap_kind <> 'pool' and checked.cap_status <> 'no_base_pay' and coalesce(told.month_count, 0) < 3
        )
        """,
        "A limit that is a share of base pay says whether payroll has told all three months of it.",
        DEFECT,
        reads=(PAYROLL, PERIODS),
    )
    yield on.no_rows(
        "are_of_base_pay_told_in_full",
        "select rule_id, earning_line_id, cap_kind, employee_number from checked "
        "where cap_status = 'base_pay_incomplete'",
        "Every limit that is a share of base pay is taken of three months of it.",
        "land the payroll register of the quarter's last months: until then such limits are too low, and what they "
        "take too much the ledger pays with the next payment after it",
        "warn",
    )
    yield on.no_rows(
        "have_base_pay_to_go_by",
        "select rule_id, earning_line_id, cap_kind, employee_number from checked where cap_status = 'no_base_pay'",
        "Every limit that is a share of base pay has base pay to be taken of.",
        "land the payroll register of the quarter, or see why the person is not in it; nothing is capped until then",
        "warn",
    )


def _clawback() -> Iterator[CheckSpec]:
    on = _on(CLAWBACKS, "event_id", "earning_line_id", requirements=("LTI-5.1", "DESK-2.6"))
    yield on.unique(("event_id", "earning_line_id"), "A finding takes from a line once.", DEFECT)
    yield on.no_rows(
        "only_what_may_be_taken_is_taken",
        f"""
        select checked.event_id, checked.earning_line_id, checked.clawback_status, checked.clawback_amount
        from checked cross join {MOMENT} as moment
        left join {PERIODS} as period on period.period_grain = 'quarter' and period.period_code = checked.earned_quarter
        left join {CLAWBACK_RULES} as rule on rule.reason = checked.reason and rule.country_code = checked.country_code
            and period.period_end_on between rule.effective_from and coalesce(rule.effective_to, date '9999-12-31')
        left join {EVENTS} as event on event.event_id = checked.event_id
        where checked.clawback_amount <> 0 and (
            checked.clawback_amount > 0 or checked.clawback_status <> 'taken_back'
            or not coalesce(rule.is_recovery_allowed, false)
            or checked.found_on >= period.period_end_on + to_months(rule.look_back_months)
            or -checked.clawback_amount > checked.finding_amount
            or -checked.clawback_amount > checked.net_amount
            or checked.corrected_share >= checked.payout_share
            or (checked.reason <> 'reopened' and not coalesce(
                event.approved_by <> event.requested_by and event.approved_on <= moment.as_of_at::date
                and event.recorded_at <= moment.as_of_at and event.team_code = checked.team_code
                and event.earned_quarter = checked.earned_quarter and event.reason = checked.reason
                and coalesce(event.employee_number, checked.employee_number) = checked.employee_number, false
            ))
        )
        """,
        "Pay is taken back only for what counts, within the look-back, where the country lets it; no more than found.",
        DEFECT,
        reads=(MOMENT, PERIODS, CLAWBACK_RULES, EVENTS),
    )
    yield on.no_rows(
        "lines_keep_what_is_theirs",
        """
        select max(event_id) as event_id, earning_line_id, sum(clawback_amount) as taken_amount,
            max(net_amount) as net_amount
        from checked group by earning_line_id having -sum(clawback_amount) > max(net_amount)
        """,
        "All findings on a line together take no more than it is worth.",
        DEFECT,
    )
    yield on.no_rows(
        "premature_closures_are_all_found",
        f"""
        with premature as (
            select distinct payout.payout_line_id, payout.metric_result_key
            from {PAYOUTS} as payout cross join {MOMENT} as moment
            join metrics.fct_metric_result as result on result.metric_result_key = payout.metric_result_key
                and result.aggregation_kind in ('share', 'weighted_share')
            join {CLAWBACK_RULES} as rule on rule.reason = 'reopened' and rule.country_code = payout.country_code
                and payout.period_end_on between rule.effective_from and coalesce(rule.effective_to, date '9999-12-31')
            join {EVIDENCE} as evidence on evidence.metric_result_key = payout.metric_result_key
                and evidence.evidence_type = 'ticket'
            join {REOPENINGS} as reopening
                on evidence.evidence_key in (reopening.ticket_key, 'ticket:' || reopening.ticket_key)
                and reopening.reopened_at >= payout.period_end_on and reopening.reopened_at <= moment.as_of_at
                and reopening.reopened_at < payout.period_end_on + to_months(rule.look_back_months)
            where payout.payout_amount > 0
        )
        select 'reopened:' || premature.metric_result_key as event_id, premature.payout_line_id as earning_line_id
        from premature left join checked on checked.earning_line_id = premature.payout_line_id
            and checked.reason = 'reopened'
        where checked.event_id is null
        """,
        "Every paid line whose evidence was closed too early and reopened within the look-back is judged.",
        DEFECT,
        reads=(PAYOUTS, MOMENT, CLAWBACK_RULES, EVIDENCE, REOPENINGS, "metrics.fct_metric_result"),
    )
    yield on.no_rows(
        "findings_reach_a_line",
        f"""
        select event.event_id, null as earning_line_id, event.earned_quarter, event.team_code
        from {EVENTS} as event cross join {MOMENT} as moment
        where event.recorded_at <= moment.as_of_at and event.event_id not in (select event_id from checked)
        """,
        "Each finding that was entered is about a result somebody was paid on.",
        "mend quarter, team, metric or person in seeds/ledger/clawback_event.csv, or withdraw the finding",
        "warn",
        sources=("bamboohr",),
        reads=(EVENTS, MOMENT),
    )


def _trace() -> Iterator[CheckSpec]:
    on = _on(TRACE, "earning_line_id", "earning_kind", "employee_number", requirements=("OPS-7.5",))
    yield on.no_rows(
        "reaches_every_earning",
        f"""
        select earning.earning_line_id, earning.earning_kind, earning.employee_number, earning.earned_amount
        from {EARNINGS} as earning left join checked using (earning_line_id)
        where checked.earning_line_id is null
        """,
        "Every earning leads to what it rests on.",
        DEFECT,
        reads=(EARNINGS,),
    )
    yield on.no_rows(
        "evidence_exists",
        f"""
        with known as (
            select 'payout_line' as evidence_type, payout_line_id as evidence_key from {PAYOUTS}
            union all select 'on_call_stretch', on_call_stretch_key from incentives.fct_on_call_duty
            union all select 'resolution_credit', credit_line_id from incentives.fct_resolution_credit
            union all select 'award_tranche', concat(award_code, '/', tranche_number) from incentives.fct_award_vesting
        )
        select checked.earning_line_id, checked.earning_kind, checked.employee_number, evidence_type, evidence_key
        from checked left join known using (evidence_type, evidence_key)
        left join {BATCHES} as batch on batch.batch_id = checked.batch_id
        where known.evidence_key is null
        or (checked.batch_id is null) <> (evidence_type = 'award_tranche')
        or (checked.batch_id is not null and batch.batch_id is null)
        """,
        "What an earning rests on is there, and so is the batch it came in.",
        DEFECT,
        reads=(
            PAYOUTS,
            "incentives.fct_on_call_duty",
            "incentives.fct_resolution_credit",
            "incentives.fct_award_vesting",
            BATCHES,
        ),
    )


def _told() -> Iterator[CheckSpec]:
    on = _on(CONVERTED, "payment_period", "currency_code", requirements=("LTI-4.2",))
    yield on.no_rows(
        "convert_every_payment_once",
        f"""
        with paid as (
            select payment_period, currency_code, sum(payable_amount) as amount from {BALANCES} group by all
        )
        select payment_period, currency_code, checked.payable_amount, paid.amount
        from checked full join paid using (payment_period, currency_code)
        where checked.payable_amount is distinct from paid.amount
            or (checked.reporting_amount is null) <> (checked.rate_gap is not null)
            or abs(checked.reporting_amount - checked.payable_amount * checked.rate_value) > 0.005
            or checked.rate_on > checked.rate_as_of_on
        """,
        "Each payment is converted at its rate, half up to the cent, or says which rate is missing.",
        DEFECT,
        reads=(BALANCES,),
    )
    yield on.no_rows(
        "rates_are_there",
        "select payment_period, currency_code, rate_gap from checked where rate_gap is not null",
        "Every payment has a rate into the reporting currency.",
        "land the rate file of that day; seeds/ledger/reporting_currency.csv says whose rates and how old they may be",
        "warn",
    )
    forecast = _on(FORECAST, "payment_period", "currency_code", "forecast_kind", requirements=("LTI-4.2",))
    yield forecast.no_rows(
        "books_what_is_pending",
        f"""
        with pending as (
            select payment_period, currency_code, sum(open_amount) as amount from {BALANCES}
            where payout_status in ('pending', 'partly_exported') group by all
        ), booked as (
            select payment_period, currency_code, forecast_kind, forecast_amount from checked
            where forecast_kind = 'booked'
        )
        select payment_period, currency_code, booked.forecast_kind, booked.forecast_amount, pending.amount
        from booked full join pending using (payment_period, currency_code)
        where booked.forecast_amount is distinct from pending.amount
        """,
        "What the ledger has booked and not paid is in the forecast, and nothing else as booked.",
        DEFECT,
        reads=(BALANCES,),
    )
