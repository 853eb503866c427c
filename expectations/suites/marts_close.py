"""Gate marts, what a close is judged by: approvals of the amount, differences explained, closed figures as they were.

Each check asks the registers themselves again, so that a defect of a model cannot let a period be closed.
`checks()` is read by `expectations.suites.marts`.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

DIFFERENCES = "finance.rpt_close_difference"
READINESS = "finance.rpt_close_readiness"
CLOSED = "finance.dim_closed_period"
RESTATEMENTS = "finance.fct_restatement"
PAYOUTS = "incentives.fct_incentive_payout"
ENTRIES = "finance.fct_payout_ledger"
PERIODS = "core.int_incentive_period"
PAYROLL = "finance.rec_payout_to_payroll"
LEDGER = "finance.rec_payout_to_gl"
APPROVALS = "reference.period_approval"
DEMANDS = "reference.period_approval_demand"
ACCEPTED = "reference.accepted_difference"
MEMBERS = "reference.governance_member"
CONTEXT = "core.int_run_context"
CLOSED_LINES = "landing.closed_payout_line"
CLOSED_PERIODS = "landing.closed_period"
CLOSED_FACTS = "finance.fct_closed_payout_line"
DEFECT = "a defect of the model: nothing may be closed by it; see the keys below"
LINES = f"""
    select 'rec_payout_to_payroll' as rec_name, rec_key, employee_number as subject_code, earned_quarter, currency_code,
        status, difference_amount from {PAYROLL} where status <> 'matched'
    union all
    select 'rec_payout_to_gl', rec_key, cost_centre_code, earned_quarter, currency_code, status, difference_amount
    from {LEDGER} where status <> 'matched'
"""


def _held(register: str, signer: str, day: str) -> str:
    """Condition: whoever signed a row held its role on the day, and it was known at the as-of instant."""
    return f"""
        exists (
            select 1 from {MEMBERS} as member
            where member.employee_number = {register}.{signer} and member.role_code = {register}.role_code
            and {register}.{day} between member.from_on and coalesce(member.to_on, date '9999-12-31')
        )
        and greatest(cast({register}.{day} as timestamp), {register}.recorded_at)
            <= (select max(as_of_at) from {CONTEXT})
    """


def checks() -> list[CheckSpec]:
    """All checks of this module."""
    return [*_differences(), *_readiness(), *_closed(), *_restatements()]


def _differences() -> Iterator[CheckSpec]:
    on = On(
        DIFFERENCES,
        "rpt_close_difference",
        keys=("rec_name", "rec_subject_code", "earned_quarter", "currency_code", "status"),
        requirements=("LTI-7.4",),
    )
    yield on.no_rows(
        "lists_every_difference",
        f"""
        select line.rec_name, line.subject_code, line.earned_quarter, line.currency_code, line.status,
            line.difference_amount
        from ({LINES}) as line full join checked using (rec_name, rec_key)
        where checked.rec_key is null or line.rec_key is null or checked.status <> line.status
        or checked.difference_amount <> line.difference_amount
        """,
        "Every line of the two reconciliations that does not agree stands in it, with its own difference.",
        DEFECT,
        reads=(PAYROLL, LEDGER),
    )
    yield on.no_rows(
        "explained_is_what_was_accepted",
        f"""
        select checked.rec_name, checked.rec_subject_code, checked.earned_quarter, checked.currency_code,
            checked.status, checked.difference_amount, checked.acceptance_id
        from checked
        where checked.is_explained is distinct from (checked.finding = 'accepted')
        or (checked.is_explained and not exists (
            select 1 from {ACCEPTED} as accepted
            where accepted.acceptance_id = checked.acceptance_id and accepted.rec_name = checked.rec_name
            and accepted.subject_code is not distinct from checked.rec_subject_code
            and accepted.earned_quarter is not distinct from checked.earned_quarter
            and accepted.currency_code is not distinct from checked.currency_code
            and accepted.status = checked.status and accepted.difference_amount = checked.difference_amount
            and checked.status not in ('timing', 'source_absent') and length(trim(accepted.explanation)) > 0
            and accepted.accepted_by <> accepted.subject_code
            and {_held("accepted", "accepted_by", "accepted_on")}
        ))
        """,
        "A line is explained only by an acceptance of its key, status and cent, signed by somebody entitled to it.",
        DEFECT,
        reads=(ACCEPTED, MEMBERS, CONTEXT),
    )


def _readiness() -> Iterator[CheckSpec]:
    on = On(READINESS, "rpt_close_readiness", keys=("period_code", "demand_code"), requirements=("LTI-7.4",))
    yield on.no_rows(
        "lists_every_demand",
        f"""
        with demand as (
            select approval_kind || '_is_approved_by_' || role_code as demand_code from {DEMANDS}
            union all select unnest([
                'period_is_over', 'something_was_calculated', 'approvals_are_of_two_persons',
                'rec_payout_to_payroll_is_explained', 'rec_payout_to_payroll_is_told', 'rec_payout_to_gl_is_explained',
                'rec_payout_to_gl_is_told', 'lines_without_a_period_are_explained'
            ])
        ),
        asked as (
            select distinct earned_quarter as period_code, demand_code from {PERIODS} cross join demand
        )
        select coalesce(asked.period_code, checked.period_code) as period_code,
            coalesce(asked.demand_code, checked.demand_code) as demand_code
        from asked full join checked using (period_code, demand_code)
        where asked.period_code is null or checked.is_met is null or checked.is_met <> (checked.finding_count = 0)
        """,
        "Every demand stands against every quarter, and it is met just where nothing was found.",
        DEFECT,
        reads=(DEMANDS, PERIODS),
    )
    yield on.no_rows(
        "approved_is_what_was_calculated",
        f"""
        with calculated as (
            select earned_quarter as period_code, currency_code, sum(payout_amount) as amount
            from {PAYOUTS} group by all
        ),
        counted as (
            select approval.period_code,
                approval.approval_kind || '_is_approved_by_' || approval.role_code as demand_code
            from {APPROVALS} as approval
            left join calculated
                on approval.period_code = calculated.period_code and approval.currency_code = calculated.currency_code
            where {_held("approval", "approved_by", "approved_on")}
            and approval.decision = 'approved' and approval.approved_by <> approval.prepared_by
            and not exists (
                select 1 from {APPROVALS} as other
                where other.prepared_by = approval.approved_by and other.period_code = approval.period_code
                    and other.currency_code = approval.currency_code
                    and other.control_total_amount = approval.control_total_amount
                    and greatest(cast(other.approved_on as timestamp), other.recorded_at)
                        <= (select max(as_of_at) from {CONTEXT})
            )
            and approval.approved_on >= (
                select max(period_end_on) from {PERIODS} where earned_quarter = approval.period_code
            )
            group by approval.approval_id, approval.period_code, approval.approval_kind, approval.role_code
            having bool_and(approval.control_total_amount is not distinct from calculated.amount)
            and count(*) = (
                select count(*) from calculated as c where c.period_code = approval.period_code
            )
        )
        select checked.period_code, checked.demand_code, checked.is_met from checked
        where checked.demand_code like '%\\_is\\_approved\\_by\\_%' escape '\\'
        and checked.is_met <> exists (
            select 1 from counted
            where counted.period_code = checked.period_code and counted.demand_code = checked.demand_code
        )
        """,
        "A signature counts just where it is of the amounts calculated, in every currency, by somebody entitled to it.",
        DEFECT,
        reads=(PAYOUTS, APPROVALS, MEMBERS, CONTEXT, PERIODS),
    )
    yield on.no_rows(
        "explained_leaves_no_difference_out",
        f"""
        select checked.period_code, checked.demand_code, difference.rec_name, difference.rec_key
        from checked inner join {DIFFERENCES} as difference
            on coalesce(difference.earned_quarter, checked.period_code) = checked.period_code
        where checked.is_met and not difference.is_explained
        and checked.demand_code = case
            when difference.earned_quarter is null then 'lines_without_a_period_are_explained'
            when difference.status in ('timing', 'source_absent') then difference.rec_name || '_is_told'
            else difference.rec_name || '_is_explained'
        end
        """,
        "No quarter is called explained or told while a line of it is not.",
        DEFECT,
        reads=(DIFFERENCES,),
    )


def _closed() -> Iterator[CheckSpec]:
    on = On(CLOSED, "dim_closed_period", keys=("period_code", "sequence_number"), requirements=("OPS-2.6", "SVC-5.6"))
    yield on.no_rows(
        "is_a_chain",
        f"""
        select period_code, sequence_number, manifest_sha256, previous_manifest_sha256
        from (
            select *, lag(manifest_sha256) over (order by sequence_number) as sha256_before,
                lag(period_code) over (order by sequence_number) as period_before,
                row_number() over (order by sequence_number) as place
            from checked
        )
        where sequence_number <> place or previous_manifest_sha256 is distinct from sha256_before
        or period_code <= period_before
        union all
        select coalesce(checked.period_code, closed.period_code), 0, checked.manifest_sha256, closed.manifest_sha256
        from checked full join {CLOSED_PERIODS} as closed using (period_code)
        where checked.manifest_sha256 is distinct from closed.manifest_sha256
        """,
        "Each closed period names the one before it, in the order of the calendar, and none is left out.",
        "run `sltw verify-archive`: it says which file of which period is not as it was closed",
        reads=(CLOSED_PERIODS,),
    )
    yield on.no_rows(
        "holds_the_lines_it_was_closed_with",
        f"""
        with line as (
            select period_code, count(*) as line_count, count(distinct employee_number) as employee_count
            from {CLOSED_LINES} group by period_code
        )
        select coalesce(checked.period_code, line.period_code) as period_code, checked.sequence_number, line.line_count
        from checked full join line using (period_code)
        where checked.payout_line_count is distinct from line.line_count
        or checked.employee_count is distinct from line.employee_count
        """,
        "A closed period counts the lines and persons of its archive, and no line is of a period that is not closed.",
        DEFECT,
        reads=(CLOSED_LINES,),
    )
    lines = On(
        CLOSED_FACTS,
        "fct_closed_payout_line",
        keys=("period_code", "payout_line_id", "employee_number"),
        requirements=("SVC-5.6",),
    )
    yield lines.no_rows(
        "is_what_was_closed",
        f"""
        select coalesce(checked.period_code, line.period_code) as period_code,
            coalesce(checked.payout_line_id, line.payout_line_id) as payout_line_id,
            coalesce(checked.employee_number, line.employee_number) as employee_number,
            checked.payout_amount, line.payout_amount as closed_amount
        from checked full join {CLOSED_LINES} as line using (period_code, payout_line_id)
        where checked.payout_amount is distinct from line.payout_amount
        or checked.currency_code is distinct from line.currency_code
        or checked.employee_number is distinct from line.employee_number
        """,
        "A closed line stands with the person, amount and currency of its archive, each once.",
        DEFECT,
        reads=(CLOSED_LINES,),
    )


def _restatements() -> Iterator[CheckSpec]:
    on = On(
        RESTATEMENTS,
        "fct_restatement",
        keys=("period_code", "payout_line_id", "employee_number", "restatement_kind"),
        requirements=("OPS-2.6",),
    )
    yield on.no_rows(
        "is_today_less_closed",
        f"""
        with closed as (
            select period_code, currency_code, sum(payout_amount) as closed_amount from {CLOSED_LINES} group by all
        ),
        today as (
            select earned_quarter as period_code, currency_code, sum(payout_amount) as today_amount
            from {PAYOUTS} where earned_quarter in (select period_code from {CLOSED_PERIODS}) group by all
        ),
        restated as (
            select period_code, currency_code, sum(difference_amount) as difference_amount from checked group by all
        )
        select coalesce(closed.period_code, today.period_code, restated.period_code) as period_code,
            null as payout_line_id, null as employee_number, null as restatement_kind,
            coalesce(today_amount, 0) - coalesce(closed_amount, 0) as owed, coalesce(difference_amount, 0) as restated
        from closed full join today using (period_code, currency_code)
        full join restated using (period_code, currency_code)
        where coalesce(today_amount, 0) - coalesce(closed_amount, 0) <> coalesce(difference_amount, 0)
        union all
        select period_code, payout_line_id, employee_number, restatement_kind, recalculated_amount, difference_amount
        from checked
        where difference_amount <> recalculated_amount - archived_amount
        or (restatement_kind = 'changed' and difference_amount = 0)
        """,
        "What is restated is, in every period and currency, today's total less the one it was closed with.",
        DEFECT,
        reads=(CLOSED_LINES, CLOSED_PERIODS, PAYOUTS),
    )
    yield on.no_rows(
        "needs_nobody",
        f"""
        select period_code, payout_line_id, employee_number, restatement_kind, changed_inputs, difference_amount,
            coalesce(entry.ledger_amount, 0) - checked.archived_amount as booked_amount
        from checked left join (
            select earning_line_id, sum(amount) as ledger_amount from {ENTRIES} where item_kind = 'earning' group by all
        ) as entry on entry.earning_line_id = checked.payout_line_id
        where checked.difference_amount <> coalesce(entry.ledger_amount, 0) - checked.archived_amount
        or not checked.is_booked or checked.booked_amount <> checked.difference_amount
        """,
        "Whatever has come to light since a period was closed is booked in the ledger, as new lines of an open one.",
        "see what changed (changed_inputs, the batches that came since); a run whose as-of is not before the ledger's "
        "last entry books it",
        "warn",
        reads=(ENTRIES,),
    )
