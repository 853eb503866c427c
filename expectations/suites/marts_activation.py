"""Governance in the gate marts: nothing pays or counts that its gates have not let through.

The checks count votes and ask for signatures anew from the registers, apart from the models that judged them.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

METRICS = "governance.rpt_metric_activation"
PLANS = "governance.rpt_plan_activation"
REVIEWS = "governance.rpt_jurisdiction_review"
RELAXATIONS = "governance.rpt_target_relaxation"
WEIGHTS = "governance.rpt_weight_adjustment"
PAYOUTS = "incentives.fct_incentive_payout"
RESULTS = "metrics.fct_metric_result"
LIFECYCLE = "core.int_lifecycle_weight"
COMPONENTS = "incentives.dim_plan_component"
DEFINITIONS = "reference.metric_definition"
# By version, all that decides a value and is no threshold, and the thresholds: names, owners and dates are neither.
CONTENT = f"""
    select definition.metric_code, definition.metric_version, sides.told as sides,
        md5(cast(struct_pack(
            definition.aggregation_kind, definition.observation_kind, definition.numerator_measure,
            counted := coalesce(definition.denominator_observation_kind, definition.observation_kind),
            definition.denominator_measure, definition.exclusion_policy, definition.weighting,
            definition.standardised_by, definition.sample_dimension, definition.value_basis,
            definition.value_multiplier, definition.value_divisor, definition.seasonality_policy,
            definition.shrinkage_policy, definition.prior_sample_count, definition.baseline_days,
            definition.phase_in_days, definition.unit, definition.direction
        ) as varchar)) as formula,
        cast(struct_pack(definition.min_sample_count, definition.confidence_level) as varchar) as threshold
    from {DEFINITIONS} as definition
    left join (
        select metric_code, metric_version, string_agg(line, ';' order by line) as told
        from (
            select metric_code, metric_version, 'entity ' || entity_type as line from reference.metric_entity_type
            union all
            select metric_code, metric_version,
                'filter ' || applies_to || dimension_code || dimension_values || is_excluded
            from reference.metric_filter
            union all
            select metric_code, metric_version, 'weight ' || dimension_value || ' ' || weight
            from reference.metric_weight
        ) as line
        group by metric_code, metric_version
    ) as sides on sides.metric_code = definition.metric_code and sides.metric_version = definition.metric_version
"""
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """The checks of what takes effect."""
    return [*_metrics(), *_plans(), *_reviews(), *_relaxations(), *_weights(), *_payouts()]


def _on(table: str, *keys: str, **more: object) -> On:
    return On(table, table.partition(".")[2], keys=keys, **more)  # type: ignore[arg-type]


def _metrics() -> Iterator[CheckSpec]:
    keys = ("metric_code", "metric_version", "change_request_id")
    on = _on(METRICS, *keys, requirements=("OPS-4.1", "OPS-4.2", "SVC-6.2"))
    yield on.unique(keys, "A request is judged once.", DEFECT)
    yield on.no_rows(
        "meets_every_condition",
        """
        select metric_code, metric_version, change_request_id, quorum_status, function_status, majority_status,
            notice_status, impact_assessment_status, legal_status, works_council_status
        from checked
        where is_activated and (
            'missing' in (
                quorum_status, function_status, majority_status, notice_status, impact_assessment_status,
                legal_status, works_council_status
            )
            or effective_from is null
        )
        """,
        "A version that takes effect meets every condition of its kind of change.",
        DEFECT,
    )
    yield on.no_rows(
        "says_why_not",
        """
        select metric_code, metric_version, change_request_id, activation_status, refusal_reasons from checked
        where is_activated = (coalesce(refusal_reasons, '') <> '')
        """,
        "A version that takes no effect has its reasons, and one that does has none.",
        DEFECT,
    )
    yield on.no_rows(
        "waits_for_its_day",
        """
        select metric_code, metric_version, change_request_id, proposed_effective_from, gate_on, notice_ends_on,
            effective_from
        from checked
        where is_activated and (
            effective_from < proposed_effective_from or effective_from < gate_on
            or (notice_status = 'held' and effective_from < notice_ends_on)
            or day(effective_from) <> 1
        )
        """,
        "A version takes effect on a start of a period, after its notice and all its approvals.",
        DEFECT,
    )
    yield on.no_rows(
        "quorum_is_of_members",
        """
        select checked.metric_code, checked.metric_version, checked.change_request_id, rule.min_vote_count,
            count(distinct vote.employee_number) as member_count
        from checked
        inner join reference.metric_change_request as request
            on request.change_request_id = checked.change_request_id
        inner join reference.activation_rule as rule on rule.change_kind = request.change_kind
            and request.requested_on between rule.effective_from and coalesce(rule.effective_to, date '9999-12-31')
        left join (
            select vote.*, member.body_code
            from reference.metric_board_vote as vote
            inner join reference.governance_member as member on member.employee_number = vote.employee_number
                and member.member_function = vote.member_function
                and vote.voted_on between member.from_on and coalesce(member.to_on, date '9999-12-31')
                and member.recorded_at <= greatest(vote.voted_on::timestamp, vote.recorded_at)
        ) as vote on vote.change_request_id = checked.change_request_id and vote.body_code = rule.body_code
            and vote.employee_number <> request.requested_by and vote.voted_on >= request.requested_on
            and vote.recorded_at <= checked.as_of_at
        where checked.is_activated
        group by all
        having count(distinct vote.employee_number) < rule.min_vote_count
        """,
        "As many members of the board as a quorum needs have voted, by the registers themselves.",
        DEFECT,
        reads=(
            "reference.metric_change_request",
            "reference.activation_rule",
            "reference.metric_board_vote",
            "reference.governance_member",
        ),
    )
    yield on.no_rows(
        "is_of_its_kind",
        f"""
        with content as ({CONTENT}),
        followed as (
            select checked.metric_code, checked.metric_version, checked.change_request_id, checked.change_kind,
                max(earlier.metric_version) as earlier_version
            from checked
            left join checked as earlier on earlier.metric_code = checked.metric_code and earlier.is_activated
                and earlier.change_kind <> 'retirement' and earlier.metric_version < checked.metric_version
                and earlier.effective_to = checked.effective_from - 1
            where checked.is_activated and checked.change_kind <> 'retirement'
            group by all
        )
        select followed.metric_code, followed.metric_version, followed.change_request_id, followed.change_kind,
            followed.earlier_version
        from followed
        inner join content as later
            on later.metric_code = followed.metric_code and later.metric_version = followed.metric_version
        left join content as earlier
            on earlier.metric_code = followed.metric_code and earlier.metric_version = followed.earlier_version
        where case followed.change_kind
            when 'formula' then false
            when 'new' then followed.metric_version <> 1
            when 'threshold' then earlier.formula is distinct from later.formula
                or earlier.sides is distinct from later.sides
            else earlier.formula is distinct from later.formula or earlier.sides is distinct from later.sides
                or earlier.threshold is distinct from later.threshold
        end
        """,
        "What a version in force changed against the one before it is no more than was asked for: only a first version "
        "is new, only thresholds differ by a threshold, nothing by a categorisation.",
        DEFECT,
        reads=(DEFINITIONS, "reference.metric_entity_type", "reference.metric_filter", "reference.metric_weight"),
    )
    yield on.no_rows(
        "admits_to_what_is_paid",
        f"""
        select checked.metric_code, checked.metric_version, checked.change_request_id, plan.subject_code as plan_code
        from checked
        inner join reference.plan_component as component on component.metric_code = checked.metric_code
        inner join {PLANS} as plan on plan.subject_type = 'plan_version' and plan.is_activated
            and plan.subject_code = component.plan_code and plan.subject_version = component.plan_version
            and plan.effective_from <= checked.proposed_effective_from
            and coalesce(plan.effective_to, date '9999-12-31') >= checked.proposed_effective_from
        where checked.is_activated and not checked.is_kpi_affected
        """,
        "A change of a metric that a plan pays by was asked for, and announced, as one that moves a KPI.",
        DEFECT,
        reads=(PLANS, "reference.plan_component"),
    )
    yield on.no_rows(
        "ends_by_a_request",
        """
        select checked.metric_code, checked.metric_version, checked.change_request_id, checked.effective_to,
            request.proposed_to
        from checked
        inner join reference.metric_change_request as request on request.change_request_id = checked.change_request_id
        where checked.is_activated and checked.change_kind <> 'retirement' and (
            checked.effective_to > request.proposed_to
            or (request.proposed_to is not null and checked.effective_to is null)
            or (
                checked.effective_to <> coalesce(request.proposed_to, date '9999-12-31')
                and not exists (
                    select 1 from checked as other
                    where other.metric_code = checked.metric_code and other.is_activated
                    and other.effective_from = checked.effective_to + 1 and case other.change_kind
                        when 'retirement' then other.metric_version >= checked.metric_version
                        else other.metric_version > checked.metric_version
                    end
                )
            )
        )
        """,
        "A version ends by what was voted on: its own request, a later version in force, or a retirement.",
        DEFECT,
        reads=("reference.metric_change_request",),
    )
    yield on.no_rows(
        "holds_each_day_once",
        """
        select checked.metric_code, checked.metric_version, checked.change_request_id,
            other.metric_version as other_version
        from checked
        inner join checked as other on other.metric_code = checked.metric_code
            and other.metric_version > checked.metric_version
            and other.effective_from <= coalesce(checked.effective_to, date '9999-12-31')
            and checked.effective_from <= coalesce(other.effective_to, date '9999-12-31')
        where checked.is_activated and other.is_activated
        and checked.change_kind <> 'retirement' and other.change_kind <> 'retirement'
        """,
        "No two versions of a metric are in force on one day.",
        DEFECT,
    )


def _plans() -> Iterator[CheckSpec]:
    keys = ("subject_type", "subject_code", "subject_version", "country_code")
    on = _on(PLANS, *keys, requirements=("OPS-2.5", "LTI-8.2", "LTI-8.4", "DESK-5.6", "SVC-8.1"))
    yield on.unique(keys, "A plan is judged once for a country.", DEFECT)
    yield on.no_rows(
        "has_every_signature",
        """
        select subject_type, subject_code, subject_version, country_code, demanded_approvals, signed_approvals
        from checked
        where is_activated and (demanded_approvals is distinct from signed_approvals or effective_from < signed_on)
        """,
        "A plan version or SLA definition that has effect has every signature demanded of it, and not before them.",
        DEFECT,
    )
    yield on.no_rows(
        "says_why_not",
        """
        select subject_type, subject_code, subject_version, country_code, refusal_reasons from checked
        where is_activated = (coalesce(refusal_reasons, '') <> '')
        """,
        "One that has no effect has its reasons, and one that has it none.",
        DEFECT,
    )


def _reviews() -> Iterator[CheckSpec]:
    on = _on(REVIEWS, "plan_code", "plan_version", "country_code", requirements=("LTI-8.1",))
    yield on.no_rows(
        "overdue_is_called_so",
        """
        select plan_code, plan_version, country_code, due_on, review_status, overdue_days from checked
        where coalesce(due_on < cast(as_of_at as date), false) <> (overdue_days > 0)
        or (overdue_days > 0) <> (review_status in ('overdue', 'never_reviewed') and due_on < cast(as_of_at as date))
        """,
        "A review past its day is overdue, and no other.",
        DEFECT,
    )
    yield on.no_rows(
        "precedes_pay",
        """
        select plan_code, plan_version, country_code, first_reviewed_on, is_activated from checked
        where is_activated and first_reviewed_on is null
        """,
        "A plan version pays nowhere its documents were not reviewed.",
        DEFECT,
    )


def _relaxations() -> Iterator[CheckSpec]:
    keys = ("relaxation_id", "period_month")
    on = _on(RELAXATIONS, *keys, requirements=("OPS-4.4",))
    yield on.unique(keys, "A relaxation is shown once a month.", DEFECT)
    yield on.no_rows(
        "has_effect_only_when_in_order",
        """
        select relaxation_id, period_month, refusal_reasons, relieved_count from checked
        where is_effective = (coalesce(refusal_reasons, '') <> '')
        or (not is_effective and (relieved_count > 0 or relaxed_attainment_share <> attainment_share))
        or relieved_count > missed_count
        """,
        "Only a relaxed target in order relieves tickets, and only such as missed their own.",
        DEFECT,
    )
    yield on.no_rows(
        "is_tied_to_a_supplier",
        """
        select checked.relaxation_id, checked.period_month, checked.exclusion_id
        from checked
        left join reference.exclusion_request as request on request.exclusion_id = checked.exclusion_id
        where checked.is_effective and not coalesce(
            request.decision = 'approved' and (request.category = 'vendor_outage' or request.scope_type = 'vendor')
            and coalesce(trim(checked.justification), '') <> '',
            false
        )
        """,
        "A relaxed target that holds names its reason and an approved outage of a supplier.",
        DEFECT,
        reads=("reference.exclusion_request",),
    )


def _weights() -> Iterator[CheckSpec]:
    keys = ("adjustment_id", "component_code")
    on = _on(WEIGHTS, *keys, requirements=("DESK-7.2",))
    yield on.unique(keys, "A component is weighed once by an adjustment.", DEFECT)
    yield on.no_rows(
        "leaves_a_sum_of_one",
        """
        select adjustment_id, min(component_code) as component_code, sum(effective_weight) as weight
        from checked group by adjustment_id having sum(effective_weight) <> 1
        """,
        "The weights in force of a tier's components sum to one, adjusted or not.",
        DEFECT,
    )
    yield on.no_rows(
        "has_effect_only_when_in_order",
        """
        select adjustment_id, component_code, plan_weight, effective_weight, approved_at, weighs_from_on,
            refusal_reasons
        from checked
        where is_effective = (coalesce(refusal_reasons, '') <> '')
        or (not is_effective and effective_weight is distinct from plan_weight)
        or (is_effective and approved_at >= cast(approval_due_on as timestamp) + interval 1 day)
        or weighs_from_on is distinct from
            case when is_effective then greatest(starts_on, date_trunc('quarter', approved_at)::date) end
        """,
        "Only an adjustment in order, signed in time, moves a weight, and none of a quarter that had ended by then.",
        DEFECT,
    )


def _payouts() -> Iterator[CheckSpec]:
    on = _on(PAYOUTS, "payout_line_id", sources=("bamboohr",))
    yield on.no_rows(
        "is_of_a_signed_plan",
        f"""
        select checked.payout_line_id, checked.plan_code, checked.plan_version, checked.country_code,
            checked.earned_quarter
        from checked
        left join {PLANS} as plan on plan.subject_type = 'plan_version' and plan.subject_code = checked.plan_code
            and plan.subject_version = checked.plan_version
            and plan.country_code = coalesce(checked.country_code, '')
        where not coalesce(plan.is_activated and plan.effective_from <= checked.period_start_on, false)
        """,
        "A plan version pays only in a country that has all its signatures, from the first quarter after them.",
        DEFECT,
        reads=(PLANS,),
        requirements=("OPS-2.5", "LTI-8.2", "LTI-8.4", "DESK-5.6"),
    )
    yield on.no_rows(
        "rests_on_activated_metrics",
        f"""
        select checked.payout_line_id, result.metric_code, result.metric_version, checked.period_start_on
        from checked
        inner join {RESULTS} as result on result.metric_result_key = checked.metric_result_key
        where not exists (
            select 1 from {METRICS} as version
            where version.metric_code = result.metric_code and version.metric_version = result.metric_version
            and version.is_activated and version.change_kind <> 'retirement'
            and checked.period_start_on between version.effective_from
                and coalesce(version.effective_to, date '9999-12-31')
        )
        """,
        "Nothing is paid by a metric version that was not in force on the quarter's first day.",
        DEFECT,
        reads=(RESULTS, METRICS),
        requirements=("OPS-4.1", "SVC-6.2"),
    )
    yield on.no_rows(
        "is_weighed_as_in_force",
        f"""
        select checked.payout_line_id, checked.component_code, checked.weight, component.weight as plan_weight,
            adjusted.effective_weight, phase.weight as phase_weight
        from checked
        left join {LIFECYCLE} as phase on phase.plan_code = checked.plan_code
            and phase.plan_version = checked.plan_version and phase.team_code = checked.team_code
            and phase.component_code = checked.component_code and phase.earned_quarter = checked.earned_quarter
        left join {COMPONENTS} as component on component.plan_code = checked.plan_code
            and component.plan_version = checked.plan_version and component.tier = checked.tier
            and component.component_code = checked.component_code
        left join {WEIGHTS} as adjusted on adjusted.plan_code = checked.plan_code
            and adjusted.plan_version = checked.plan_version and adjusted.tier = checked.tier
            and adjusted.component_code = checked.component_code and adjusted.is_effective
            and checked.period_start_on between adjusted.starts_on and adjusted.ends_on
            and checked.period_start_on + interval 3 month > adjusted.approved_at
        where checked.weight is distinct from coalesce(adjusted.effective_weight, phase.weight, component.weight)
        """,
        "A line is weighed by the plan, its service's phase of life, or the adjustment in force in its quarter.",
        DEFECT,
        reads=(COMPONENTS, WEIGHTS, LIFECYCLE),
        requirements=("DESK-7.2",),
    )
