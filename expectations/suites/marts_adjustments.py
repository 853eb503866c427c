"""Gate marts, manual adjustments, disputes and reviews: nothing moves pay without its signatures, and all is told.

Judged anew from the registers as they stand, apart from the models that decided. `checks()` is read by
`expectations.suites.marts`.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

CONTROL, LEDGER = "governance.rpt_adjustment_control", "governance.fct_adjustment_ledger"
EFFECTS, PAYOUTS = "metrics.fct_score_adjustment_effect", "incentives.fct_incentive_payout"
RESULTS, DISPUTES = "metrics.fct_metric_result", "governance.rpt_dispute"
SLO_REVIEW, SERVICE_REVIEW = "governance.rpt_slo_review", "governance.rpt_service_review"
VENDOR_REVIEW, AGENDA = "governance.rpt_vendor_review", "governance.rpt_steering_agenda"
REQUESTS, SIGNATURES, VOTES = (
    "reference.score_adjustment",
    "reference.score_adjustment_approval",
    "reference.score_adjustment_vote",
)
THRESHOLDS, THRESHOLD_ROLES = "reference.approval_threshold", "reference.approval_threshold_role"
RULES, MEMBERS, RUN = "reference.adjustment_rule", "reference.governance_member", "core.int_run_context"
INTERESTS = "core.int_adjustment_interest"
LENT, REGISTER_DISPUTES = "reference.signing_delegation", "reference.dispute"
STEPS = "reference.dispute_step"
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"
OPEN = "date '9999-12-31'"
PERIOD_END = "(checked.period_start_on + case checked.period_grain when 'month' then interval 1 month else interval 3 month end)::date"  # noqa: E501


def in_band(request: str) -> str:
    """Condition: the amount of a request (alias) lies in a threshold's band (alias band) in force on its day."""
    return (
        f"band.currency_code = {request}.currency_code and {request}.at_stake_amount >= band.from_amount "
        f"and {request}.at_stake_amount < coalesce(band.below_amount, 1e15) "
        f"and {request}.requested_at::date between band.effective_from and coalesce(band.effective_to, {OPEN})"
    )


# Signatures and rejections that can count for an adjustment, seen from the registers: taken down by the run's instant
# and inside the window, decided after the request, by neither requester nor anybody paid on the result, each in a role
# held that day, or lent for that day, that may sign in the amount's band. Of a hand's several the last one stands.
SOUND = f"""
    fit as (
        select signature.adjustment_id, signature.approval_id, signature.approver, signature.decision,
            signature.recorded_at,
            coalesce(signature.on_behalf_of, signature.approver) as holder,
            bool_or(band_role.is_executive and signature.on_behalf_of is null) as is_executive
        from {SIGNATURES} as signature
        inner join {REQUESTS} as request on request.adjustment_id = signature.adjustment_id
        inner join checked on checked.adjustment_id = request.adjustment_id
        inner join {RUN} as run on signature.recorded_at <= run.as_of_at
        inner join {RULES} as rule
            on rule.adjustment_type = request.adjustment_type
            and request.requested_at::date between rule.effective_from and coalesce(rule.effective_to, {OPEN})
        inner join {THRESHOLDS} as band on {in_band("request")}
        inner join {THRESHOLD_ROLES} as band_role
            on band_role.threshold_code = band.threshold_code and band_role.role_code = signature.role_code
        inner join {MEMBERS} as member
            on member.employee_number = coalesce(signature.on_behalf_of, signature.approver)
            and member.role_code = signature.role_code
            and signature.decided_at::date between member.from_on and coalesce(member.to_on, {OPEN})
            and member.recorded_at <= signature.recorded_at
        where signature.decided_at >= request.requested_at and signature.recorded_at >= signature.decided_at
        and signature.recorded_at::date < {PERIOD_END} + rule.window_days
        and request.requested_by not in (signature.approver, coalesce(signature.on_behalf_of, ''))
        and not exists (
            select 1 from {PAYOUTS} as paid
            where paid.employee_number in (signature.approver, coalesce(signature.on_behalf_of, ''))
            and paid.team_code = checked.entity_code and paid.period_start_on = checked.period_start_on
        )
        and not exists (
            select 1 from {INTERESTS} as interest
            where interest.adjustment_id = signature.adjustment_id
            and interest.employee_number in (signature.approver, coalesce(signature.on_behalf_of, ''))
            and (interest.interest = 'beneficiary' or rule.is_manager_signature_refused)
        )
        and (signature.on_behalf_of is null or exists (
            select 1 from {LENT} as lent
            where lent.delegator = signature.on_behalf_of and lent.delegate = signature.approver
            and lent.role_code = signature.role_code and lent.recorded_at <= signature.decided_at
            and signature.decided_at::date between lent.from_on and lent.to_on
        ))
        group by all
    ),
    sound as (
        select * from fit
        qualify row_number() over (
            partition by adjustment_id, approver order by recorded_at desc, approval_id desc
        ) = 1
    ),
    counted as (
        select adjustment_id,
            least(
                count(distinct approver) filter (where decision = 'approved'),
                count(distinct holder) filter (where decision = 'approved')
            ) as signature_count,
            count(distinct approver) filter (where is_executive and decision = 'approved') as executive_count
        from sound group by adjustment_id
    )
"""
SOUND_READS = (SIGNATURES, REQUESTS, RUN, RULES, THRESHOLDS, THRESHOLD_ROLES, MEMBERS, LENT, PAYOUTS, INTERESTS)


def checks() -> list[CheckSpec]:
    """All checks of adjustments, disputes and reviews."""
    return [*_adjustments(), *_effects(), *_ledger(), *_disputes(), *_reviews()]


def _adjustments() -> Iterator[CheckSpec]:
    on = On(CONTROL, "rpt_adjustment_control", keys=("adjustment_id",), requirements=("LTI-3.2",))
    yield on.no_rows(
        "lists_every_request",
        f"""
        select coalesce(request.adjustment_id, checked.adjustment_id) as adjustment_id
        from (
            select request.adjustment_id from {REQUESTS} as request
            inner join {RUN} as run on request.recorded_at <= run.as_of_at
        ) as request
        full join checked on checked.adjustment_id = request.adjustment_id
        where request.adjustment_id is null or checked.adjustment_id is null
        """,
        "Every adjustment recorded by the run's instant is listed once, whether it took effect or not.",
        DEFECT,
        reads=(REQUESTS, RUN),
    )
    yield on.no_rows(
        "effect_is_signed",
        f"""
        with {SOUND}
        select checked.adjustment_id, checked.at_stake_amount, checked.currency_code,
            coalesce(counted.signature_count, 0) as signature_count, band.required_signature_count
        from checked
        left join counted on counted.adjustment_id = checked.adjustment_id
        left join {THRESHOLDS} as band on {in_band("checked")}
        where checked.is_effective
        and coalesce(counted.signature_count, 0) < coalesce(band.required_signature_count, 2)
        """,
        "An adjustment takes effect only with the signatures its amount takes, each of another entitled person.",
        DEFECT,
        reads=SOUND_READS,
        requirements=("OPS-7.6", "LTI-3.5"),
    )
    yield on.no_rows(
        "effect_was_not_rejected",
        f"""
        with {SOUND}
        select checked.adjustment_id, checked.adjustment_type, sound.approval_id, sound.approver, sound.recorded_at
        from checked inner join sound on sound.adjustment_id = checked.adjustment_id and sound.decision = 'rejected'
        where checked.is_effective
        """,
        "No adjustment takes effect against a rejection of somebody entitled that still stands.",
        DEFECT,
        reads=SOUND_READS,
        requirements=("OPS-7.6", "LTI-3.5"),
    )
    yield on.no_rows(
        "effect_is_signed_by_cfo_or_cio",
        f"""
        with {SOUND}
        select checked.adjustment_id, checked.at_stake_amount, checked.currency_code,
            coalesce(counted.executive_count, 0) as executive_count, band.required_executive_count
        from checked
        left join counted on counted.adjustment_id = checked.adjustment_id
        left join {THRESHOLDS} as band on {in_band("checked")}
        where checked.is_effective
        and coalesce(counted.executive_count, 0) < coalesce(band.required_executive_count, 1)
        """,
        "Above the value that takes it, the CFO or CIO has signed in person.",
        DEFECT,
        reads=SOUND_READS,
        requirements=("LTI-3.3",),
    )
    yield on.no_rows(
        "exception_is_a_designated_managers",
        """
        select checked.adjustment_id, checked.entity_code, checked.requested_by, checked.requested_at
        from checked
        inner join reference.score_adjustment as request on request.adjustment_id = checked.adjustment_id
        where checked.is_effective and checked.adjustment_type = 'performance_exception'
        and not exists (
            select 1 from reference.designated_manager as manager
            where manager.employee_number = checked.requested_by and manager.team_code = checked.entity_code
            and manager.designated_by <> manager.employee_number
            and checked.requested_at::date between manager.from_on and coalesce(manager.to_on, date '9999-12-31')
            and manager.recorded_at <= request.recorded_at
        )
        """,
        "A performance exception in effect was asked for by a manager designated for the team that day.",
        DEFECT,
        reads=("reference.designated_manager", REQUESTS),
        requirements=("OPS-3.4",),
    )
    yield on.no_rows(
        "override_was_voted",
        f"""
        with voted as (
            select vote.adjustment_id, count(distinct vote.employee_number) as vote_count,
                count(distinct vote.employee_number) filter (where vote.vote = 'for') as for_count,
                count(distinct vote.employee_number) filter (where vote.vote = 'against') as against_count
            from {VOTES} as vote
            inner join checked on checked.adjustment_id = vote.adjustment_id
            inner join {RUN} as run on vote.recorded_at <= run.as_of_at
            inner join {RULES} as rule
                on rule.adjustment_type = checked.adjustment_type
                and checked.requested_at::date between rule.effective_from and coalesce(rule.effective_to, {OPEN})
            inner join {MEMBERS} as member
                on member.employee_number = vote.employee_number and member.body_code = rule.board_code
                and vote.voted_at::date between member.from_on and coalesce(member.to_on, {OPEN})
                and member.recorded_at <= vote.recorded_at
            where vote.employee_number <> checked.requested_by
            group by vote.adjustment_id
        )
        select checked.adjustment_id, checked.circumstance_exclusion_id, voted.vote_count, voted.for_count,
            voted.against_count
        from checked
        inner join {RULES} as rule
            on rule.adjustment_type = checked.adjustment_type
            and checked.requested_at::date between rule.effective_from and coalesce(rule.effective_to, {OPEN})
        left join voted on voted.adjustment_id = checked.adjustment_id
        left join governance.rpt_exclusion_control as cause
            on cause.exclusion_id = checked.circumstance_exclusion_id and cause.is_documented
            and cause.controllability = 'outside_control'
            and cause.starts_at < {PERIOD_END} and cause.ends_at > checked.period_start_on
        where checked.is_effective and rule.is_circumstance_required
        and (
            cause.exclusion_id is null or coalesce(voted.vote_count, 0) < rule.quorum_count
            or voted.for_count <= voted.against_count
        )
        """,
        "A board override in effect rests on a documented circumstance of its period and a vote that carried it.",
        DEFECT,
        reads=(VOTES, RUN, RULES, MEMBERS, "governance.rpt_exclusion_control"),
        requirements=("LTI-3.1",),
    )
    yield on.no_rows(
        "outcome_was_decided",
        f"""
        select checked.adjustment_id, checked.adjustment_type, checked.requested_at
        from checked
        inner join {REQUESTS} as request on request.adjustment_id = checked.adjustment_id
        inner join {RULES} as rule
            on rule.adjustment_type = request.adjustment_type and rule.is_dispute_required
            and request.requested_at::date between rule.effective_from and coalesce(rule.effective_to, {OPEN})
        where checked.is_effective
        and not exists (
            select 1 from {REGISTER_DISPUTES} as dispute
            inner join {STEPS} as step on step.dispute_id = dispute.dispute_id
            inner join {RUN} as run on step.recorded_at <= run.as_of_at
            where dispute.dispute_id = request.dispute_id and dispute.adjustment_id = request.adjustment_id
            and step.step_type = 'decided' and step.outcome = 'upheld'
            and greatest(step.step_at, step.recorded_at) <= request.requested_at
        )
        """,
        "The outcome of a dispute in effect was asked for after its decision had been taken and recorded.",
        DEFECT,
        reads=(REQUESTS, RULES, REGISTER_DISPUTES, STEPS, RUN),
        requirements=("LTI-3.4",),
    )
    yield on.no_rows(
        "amount_at_stake_was_not_understated",
        f"""
        with moved as (
            select paid.adjustment_id, paid.currency_code,
                sum(cast(paid.target_amount * 100 as hugeint) * paid.segment_days * cast(paid.weight * 10000 as hugeint)
                    * cast((paid.payout_share - paid.measured_payout_share) * 10000 as hugeint))
                    / (max(paid.quarter_days)::hugeint * 10000000000) as moved_amount
            from {PAYOUTS} as paid where paid.adjustment_id is not null group by all
        )
        select checked.adjustment_id, checked.at_stake_amount, checked.currency_code,
            moved.currency_code as moved_currency_code, round(moved.moved_amount, 2) as moved_amount
        from moved inner join checked on checked.adjustment_id = moved.adjustment_id
        where moved.currency_code is distinct from checked.currency_code
        or abs(moved.moved_amount) > coalesce(checked.at_stake_amount, 0) + 0.005
        or (checked.is_understated)
        """,
        "No adjustment moves more pay than the amount its signatures were asked for, nor another currency.",
        "withdraw the adjustment, and ask for it again with the amount that is really at stake",
        reads=(PAYOUTS,),
        requirements=("OPS-7.6", "LTI-3.3"),
    )
    yield on.known("reasons", "an adjustment without effect must say why: " + DEFECT)


def _effects() -> Iterator[CheckSpec]:
    on = On(
        PAYOUTS,
        "fct_incentive_payout_adjusted",
        keys=("payout_line_id", "employee_number", "earned_quarter"),
        requirements=("LTI-3.1", "OPS-3.4"),
    )
    yield on.no_rows(
        "value_is_an_effective_adjustments",
        f"""
        select checked.payout_line_id, checked.employee_number, checked.earned_quarter, checked.adjustment_id,
            checked.metric_value, checked.paid_value, control.adjustment_status, control.adjusted_value
        from checked
        left join {RESULTS} as result on result.metric_result_key = checked.metric_result_key
        left join {CONTROL} as control on control.adjustment_id = checked.adjustment_id
        where (checked.adjustment_id is null and checked.paid_value is distinct from checked.metric_value)
        -- bands climbed once over several quarters: an adjustment of an earlier one moves where this one begins
        or (
            checked.adjustment_id is null and checked.payout_share <> checked.measured_payout_share
            and checked.running_before_value = checked.measured_running_before_value
        )
        or (
            checked.adjustment_id is not null and not coalesce(
                control.is_effective and control.metric_code = result.metric_code
                and control.entity_code = result.entity_code and control.period_grain = result.period_grain
                and control.period_start_on = result.period_start_on
                and control.adjusted_value = checked.paid_value, false
            )
        )
        """,
        "Pay uses another value than the measured one only by an adjustment in effect on that very result, or where "
        "bands are climbed over several quarters on an earlier one.",
        DEFECT,
        reads=(RESULTS, CONTROL),
    )
    effects = On(EFFECTS, "fct_score_adjustment_effect", keys=("adjustment_id",), requirements=("LTI-3.1",))
    yield effects.no_rows(
        "leaves_the_measured_value",
        f"""
        select checked.adjustment_id, checked.metric_result_key, checked.measured_value, result.metric_value
        from checked left join {RESULTS} as result on result.metric_result_key = checked.metric_result_key
        where checked.measured_value is distinct from result.metric_value
        or (checked.is_applied and coalesce(result.result_status, '') <> 'ok')
        """,
        "The measured value stays as it is, and a result with too little data is not moved.",
        DEFECT,
        reads=(RESULTS,),
    )
    yield effects.no_rows(
        "moves_a_result_once",
        """
        select min(adjustment_id) as adjustment_id, metric_result_key, count(*) as adjustment_count
        from checked where is_applied group by metric_result_key having count(*) > 1
        """,
        "At most one adjustment is in effect on a result.",
        DEFECT,
    )


def _ledger() -> Iterator[CheckSpec]:
    on = On(LEDGER, "fct_adjustment_ledger", keys=("adjustment_id",), requirements=("LTI-3.2",))
    yield on.no_rows(
        "holds_all_that_was_recorded",
        f"""
        with recorded as (
            select adjustment_id, 'requested' as entry_type, adjustment_id as entry_code, recorded_at from {REQUESTS}
            union all
            select adjustment_id, 'signed', approval_id, recorded_at from {SIGNATURES}
            union all
            select adjustment_id, 'voted', employee_number, recorded_at from {VOTES}
        ),
        known as (
            select recorded.* from recorded
            inner join {RUN} as run on recorded.recorded_at <= run.as_of_at
            inner join {REQUESTS} as request
                on request.adjustment_id = recorded.adjustment_id and request.recorded_at <= run.as_of_at
        )
        select coalesce(known.adjustment_id, entry.adjustment_id) as adjustment_id,
            coalesce(known.entry_type, entry.entry_type) as entry_type,
            coalesce(known.entry_code, entry.entry_code) as entry_code, known.recorded_at
        from known
        full join (select * from checked where entry_type in ('requested', 'signed', 'voted')) as entry
            on entry.adjustment_id = known.adjustment_id and entry.entry_type = known.entry_type
            and entry.entry_code = known.entry_code and entry.recorded_at = known.recorded_at
        where known.adjustment_id is null or entry.adjustment_id is null
        """,
        "Each request, signature and vote recorded by the run's instant stands in the ledger, and nothing else.",
        DEFECT,
        reads=(REQUESTS, SIGNATURES, VOTES, RUN),
    )
    yield on.no_rows(
        "runs_in_order",
        """
        with ordered as (
            select *, lag(recorded_at) over (partition by adjustment_id order by entry_number) as previous_at,
                row_number() over (partition by adjustment_id order by entry_number) as place_number,
                count(*) filter (where entry_type = 'signed' and is_counted and decision = 'approved') over (
                    partition by adjustment_id order by entry_number
                ) as signature_count
            from checked
        )
        select adjustment_id, entry_number, entry_type, recorded_at, running_signature_count, signature_count
        from ordered
        where recorded_at < previous_at or entry_number <> place_number or running_signature_count <> signature_count
        """,
        "The ledger is in the order things were recorded, without a gap, and its running count is that of its entries.",
        DEFECT,
    )


def _disputes() -> Iterator[CheckSpec]:
    on = On(DISPUTES, "rpt_dispute", keys=("dispute_id",), requirements=("OPS-6.4", "DESK-6.5"))
    yield on.no_rows(
        "lists_every_dispute",
        f"""
        select coalesce(dispute.dispute_id, checked.dispute_id) as dispute_id
        from (
            select dispute.dispute_id from {REGISTER_DISPUTES} as dispute
            inner join {RUN} as run on dispute.recorded_at <= run.as_of_at
        ) as dispute
        full join checked on checked.dispute_id = dispute.dispute_id
        where dispute.dispute_id is null or checked.dispute_id is null
        """,
        "Every dispute recorded by the run's instant is listed once.",
        DEFECT,
        reads=(REGISTER_DISPUTES, RUN),
    )
    yield on.no_rows(
        "late_ones_come_to_nothing",
        """
        select dispute_id, opened_at, published_on, contest_end_on, effect_status from checked
        where (opened_at::date < published_on or opened_at::date >= contest_end_on)
        and (is_upheld or effect_status <> 'none')
        """,
        "A dispute opened outside the contest window has no effect.",
        DEFECT,
        requirements=("LTI-3.4",),
    )
    yield on.no_rows(
        "shares_sum_to_one",
        """
        select dispute_id, sharing_team_codes, claimed_share, decided_share from checked
        where sharing_team_count > 0 and (claimed_share <> 1 or decided_share <> 1)
        """,
        "The teams of a shared outcome share the whole of it, as claimed and as decided.",
        "mend the shares in seeds/governance/dispute_party.csv",
        requirements=("LTI-1.5",),
    )
    yield on.no_rows(
        "upheld_ones_have_an_adjustment",
        """
        select dispute_id, dispute_type, entity_code, period_start_on, adjustment_id, effect_status from checked
        where is_upheld and effect_status <> 'adjusted'
        """,
        "A dispute that was upheld has come to an adjustment in effect.",
        "ask for the adjustment, or see in rpt_adjustment_control why it has no effect",
        "warn",
    )
    yield on.no_rows(
        "is_decided_in_its_term",
        """
        select dispute_id, instance_code, decide_by_on, next_instance_code from checked
        where dispute_status = 'overdue'
        """,
        "No dispute waits beyond the term of its level.",
        "have the instance decide, or take the dispute to the next one",
        "warn",
    )


def _reviews() -> Iterator[CheckSpec]:
    agenda = On(AGENDA, "rpt_steering_agenda", keys=("subject_code",), requirements=("LTI-3.6",))
    yield agenda.no_rows(
        "leaves_nothing_out",
        f"""
        with wanted as (
            select 'open_decision' as agenda_type, adjustment_id as subject_code from {CONTROL}
            where adjustment_status = 'pending'
            union all
            select 'dispute_beyond_level', dispute_id from {DISPUTES}
            where dispute_status = 'overdue' or (is_upheld and effect_status <> 'adjusted')
            union all
            select 'overdue_review', service_code || ' ' || quarter_code from {SLO_REVIEW}
            where review_status = 'overdue' and is_triggered
        )
        select wanted.subject_code, wanted.agenda_type from wanted
        left join checked
            on checked.agenda_type = wanted.agenda_type and checked.subject_code = wanted.subject_code
        where checked.subject_code is null
        """,
        "What waits for a decision, is overdue or went beyond its level stands on the steering agenda.",
        DEFECT,
        reads=(CONTROL, DISPUTES, SLO_REVIEW),
    )
    slo = On(SLO_REVIEW, "rpt_slo_review", keys=("service_code", "quarter_code"), requirements=("SVC-6.1", "SLT-4.3"))
    yield slo.no_rows(
        "is_held_when_triggered",
        """
        select service_code, quarter_code, trigger_reasons, due_on from checked
        where is_triggered and review_status = 'overdue'
        """,
        "A review of objectives that something called for was held.",
        "hold the review and enter it in seeds/governance/service_review.csv",
        "warn",
    )
    service = On(SERVICE_REVIEW, "rpt_service_review", keys=("service_code", "quarter_code"), requirements=("SLT-4.4",))
    yield service.no_rows(
        "has_the_standard_agenda",
        """
        select service_code, quarter_code, count(*) as topic_count from checked
        group by service_code, quarter_code having count(distinct topic_code) <> 7 or count(*) <> 7
        """,
        "Every service's review has each of the seven topics once.",
        DEFECT,
    )
    yield service.no_rows(
        "counts_every_breach",
        """
        with counted as (
            select checked.service_code, checked.quarter_code, sum(checked.fact_count) as breach_count
            from checked where checked.topic_code = 'breaches' group by all
        ),
        logged as (
            select service_code, year(target_reached_at) || '-Q' || quarter(target_reached_at) as quarter_code,
                count(*) as breach_count
            from slt.fct_slt_breach group by all
        )
        select counted.service_code, counted.quarter_code, counted.breach_count,
            coalesce(logged.breach_count, 0) as logged_count
        from counted
        left join logged on logged.service_code = counted.service_code and logged.quarter_code = counted.quarter_code
        where counted.breach_count <> coalesce(logged.breach_count, 0)
        """,
        "The breaches on a service's agenda are those of the breach log.",
        DEFECT,
        reads=("slt.fct_slt_breach",),
    )
    vendor = On(
        VENDOR_REVIEW, "rpt_vendor_review", keys=("vendor_code", "quarter_code"), requirements=("LTI-6.5", "SLT-7.4")
    )
    yield vendor.no_rows(
        "holds_every_credit",
        """
        with credited as (
            select vendor_code, date_trunc('quarter', period_start_on)::date as period_start_on, currency_code,
                sum(credit_amount) as credit_amount
            from slt.fct_service_credit group by all having sum(credit_amount) <> 0
        )
        select credited.vendor_code, checked.quarter_code, credited.currency_code, credited.credit_amount,
            checked.credit_amount as agenda_amount
        from credited
        inner join (select distinct vendor_code, period_start_on, quarter_code from checked) as held
            on held.vendor_code = credited.vendor_code and held.period_start_on = credited.period_start_on
        left join checked
            on checked.vendor_code = credited.vendor_code and checked.period_start_on = credited.period_start_on
            and checked.topic_code = 'service_credits' and checked.currency_code = credited.currency_code
        where credited.credit_amount is distinct from checked.credit_amount
        """,
        "The service credits of a quarter stand on the vendor's agenda to the cent.",
        DEFECT,
        reads=("slt.fct_service_credit",),
    )
