"""Gate marts, proposals: what is voted on shows every proposal, and its amounts are those that were paid and would be.

`checks()` is read by `expectations.suites.marts`. Pay is counted anew from the payout lines, apart from the model.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

IMPACT = "governance.rpt_metric_change_impact"
ACTIVATION, PAYOUTS = "governance.rpt_metric_activation", "incentives.fct_incentive_payout"
COMPONENTS, RESULTS, REPLAY = "reference.plan_component", "metrics.fct_metric_result", "metrics.fct_metric_replay"
DEFINITIONS, ENTITIES = "reference.metric_definition", "reference.metric_entity_type"
TEAMS, PERIODS = "reference.team", "core.int_reporting_period"
KEYS = ("metric_code", "proposed_version", "team_code", "period_start_on", "currency_code")
DEFECT = "a defect of the model: nobody may vote on what it shows; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of what a proposal would do."""
    return list(_impact())


def _impact() -> Iterator[CheckSpec]:
    on = On(IMPACT, IMPACT.partition(".")[2], keys=KEYS, requirements=("OPS-4.5",))
    yield on.unique(KEYS, "A proposal is told once for a team, quarter and currency.", DEFECT)
    yield on.no_rows(
        "tells_every_proposal",
        f"""
        select definition.metric_code, definition.metric_version as proposed_version, team.team_code,
            period.period_start_on
        from {DEFINITIONS} as definition
        inner join {ENTITIES} as entity on entity.metric_code = definition.metric_code
            and entity.metric_version = definition.metric_version and entity.entity_type = 'team'
        cross join {TEAMS} as team
        cross join (
            select period_start_on from {PERIODS} where period_grain = 'quarter' and is_complete
            order by period_start_on desc limit 1
        ) as period
        left join (
            select metric_code, metric_version, bool_or(is_activated) as is_activated from {ACTIVATION}
            where change_kind <> 'retirement' group by all
        ) as activation on activation.metric_code = definition.metric_code
            and activation.metric_version = definition.metric_version
        left join checked on checked.metric_code = definition.metric_code
            and checked.proposed_version = definition.metric_version and checked.team_code = team.team_code
            and checked.period_start_on = period.period_start_on
        where not coalesce(activation.is_activated, false) and checked.metric_code is null
        """,
        "Every version no gate has let through is told for every team, of the last quarter at least.",
        DEFECT,
        reads=(DEFINITIONS, ENTITIES, TEAMS, PERIODS, ACTIVATION),
    )
    yield on.no_rows(
        "compares_what_holds",
        f"""
        select checked.metric_code, checked.proposed_version, checked.team_code, checked.period_start_on,
            checked.current_value, held.metric_value, checked.proposed_value, replayed.metric_value as replayed_value
        from checked
        left join {RESULTS} as held on held.metric_code = checked.metric_code and held.entity_type = 'team'
            and held.entity_code = checked.team_code and held.period_grain = checked.period_grain
            and held.period_start_on = checked.period_start_on
        left join {REPLAY} as replayed on replayed.metric_code = checked.metric_code
            and replayed.metric_version = checked.proposed_version and replayed.entity_type = 'team'
            and replayed.entity_code = checked.team_code and replayed.period_grain = checked.period_grain
            and replayed.period_start_on = checked.period_start_on
        where held.metric_value is distinct from checked.current_value
        or held.metric_version is distinct from checked.current_version
        or replayed.metric_value is distinct from checked.proposed_value
        or checked.difference_value is distinct from checked.proposed_value - checked.current_value
        """,
        "The values are those of the version in force and of the proposal, and the difference is theirs.",
        DEFECT,
        reads=(RESULTS, REPLAY),
    )
    yield on.no_rows(
        "pays_what_was_paid",
        f"""
        select checked.metric_code, checked.proposed_version, checked.team_code, checked.period_start_on,
            checked.currency_code, checked.paid_amount, checked.measured_payout_amount, paid.paid_amount as paid_again
        from checked
        full join (
            select proposal.metric_code, proposal.proposed_version, line.team_code, line.period_start_on,
                line.currency_code, sum(line.payout_amount) as paid_amount, count(*) as line_count
            from (
                select distinct metric_code, proposed_version, team_code, period_start_on from checked
            ) as proposal
            inner join {COMPONENTS} as component on component.metric_code = proposal.metric_code
            inner join {PAYOUTS} as line on line.plan_code = component.plan_code
                and line.plan_version = component.plan_version and line.tier = component.tier
                and line.component_code = component.component_code and line.team_code = proposal.team_code
                and line.period_start_on = proposal.period_start_on
            group by all
        ) as paid on paid.metric_code = checked.metric_code and paid.proposed_version = checked.proposed_version
            and paid.team_code = checked.team_code and paid.period_start_on = checked.period_start_on
            and paid.currency_code = checked.currency_code
        where checked.paid_amount is distinct from paid.paid_amount
            and not (checked.currency_code = '' and checked.paid_amount = 0)
        or (
            checked.adjustment_count = 0
            and abs(checked.paid_amount - checked.measured_payout_amount) > 0.01 * coalesce(paid.line_count, 0)
        )
        """,
        "What was paid is the sum of the payout lines, and without adjustments, but for cents of rounding, what the "
        "measured value earns.",
        DEFECT,
        reads=(COMPONENTS, PAYOUTS),
    )
    yield on.no_rows(
        "difference_is_of_its_amounts",
        """
        select metric_code, proposed_version, team_code, period_start_on, currency_code, measured_payout_amount,
            proposed_payout_amount, difference_amount
        from checked
        where difference_amount <> proposed_payout_amount - measured_payout_amount
        or (proposed_status <> 'ok' and proposed_payout_amount <> 0)
        """,
        "A difference is that of its amounts, and a value that is not there earns nothing.",
        DEFECT,
    )
