"""Gate marts, statistics and planning: figures follow from what stands beside them, and nothing was left out.

The judgements are made anew from the tables as they stand, apart from the models that built them.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

TICKETS = "slt.fct_ticket_slt"
CHARTS, SEASONS = "slt.fct_control_chart", "slt.fct_seasonal_index"
BASELINES, CALIBRATION = "slt.fct_dynamic_baseline", "slt.rpt_threshold_calibration"
FORECASTS, CAPACITY = "slt.fct_slt_forecast", "slt.rpt_capacity"
GATES, ACCEPTANCE = "slt.fct_decision_gate", "slt.rpt_acceptance"
ASSUMPTIONS, DEFINITIONS = "slt.rpt_assumption_breach", "slt.dim_slt_definition"
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of statistics and planning."""
    return [
        *_charts(),
        *_usual(),
        *_planning(),
        *_decisions(),
        *_templates(),
    ]


def _on(table: str, *keys: str, requirements: tuple[str, ...]) -> On:
    return On(table, table.partition(".")[2], keys=keys, requirements=requirements)


def _charts() -> Iterator[CheckSpec]:
    on = _on(CHARTS, "slt_code", "service_code", "statistic_code", "week_start_on", requirements=("SLT-5.1",))
    yield on.no_rows(
        "signals_follow_the_limits",
        """
        select slt_code, service_code, statistic_code, week_start_on, observed_value, lower_limit_value,
            upper_limit_value, is_beyond_limits, point_status
        from checked
        where (
            point_status not in ('low_volume', 'no_baseline')
            and is_beyond_limits is distinct from (
                abs(observed_value - centre_value) > 3 * sigma_value
            )
            -- the limits are rounded: a point on one of them is judged by the model alone
            and abs(abs(observed_value - centre_value) - 3 * sigma_value) > 0.00001
        )
        or (point_status in ('low_volume', 'no_baseline')) and (
            is_beyond_limits or has_two_of_three or has_four_of_five or has_eight_on_one_side
        )
        or (point_status like 'signal%') <> (
            is_beyond_limits or has_two_of_three or has_four_of_five or has_eight_on_one_side
        )
        or is_low_volume <> (point_status = 'low_volume')
        """,
        "A point is out of control where it lies beyond its limits or completes a run, and only where it was judged.",
        DEFECT,
    )
    yield on.no_rows(
        "counts_every_settled_ticket",
        f"""
        with drawn as (
            select slt_code, service_code, statistic_code, week_start_on, sum(ticket_count) as drawn_count
            from checked where service_code is null group by all
        ),
        weeks as (
            select slt_code, date_trunc('week', stop_at)::date as week_start_on, count(*) as ticket_count
            from {TICKETS} where slt_status in ('met', 'within_tolerance', 'breached') group by all
        ),
        charts as (
            select slt_code, statistic_code, max(max(week_start_on)) over (partition by slt_code) as last_week_on
            from drawn group by slt_code, statistic_code
        )
        select weeks.slt_code, drawn.service_code, charts.statistic_code, weeks.week_start_on, weeks.ticket_count,
            drawn.drawn_count
        from weeks
        join charts on weeks.slt_code = charts.slt_code and weeks.week_start_on <= charts.last_week_on
        left join drawn on weeks.slt_code = drawn.slt_code and weeks.week_start_on = drawn.week_start_on
            and charts.statistic_code = drawn.statistic_code
        where drawn.drawn_count is distinct from weeks.ticket_count
        """,
        "Up to the last whole week every settled ticket of a charted SLT is in its chart, once for each statistic.",
        DEFECT,
        reads=(TICKETS,),
    )


def _usual() -> Iterator[CheckSpec]:
    yield _on(SEASONS, "source_system", "service_code", "cycle_code", requirements=("SLT-5.1",)).no_rows(
        "seasons_average_to_one",
        """
        select source_system, service_code, cycle_code, count(*) as season_count, avg(seasonal_factor) as mean_factor
        from checked group by all
        having count(*) <> case cycle_code when 'weekday' then 7 when 'hour_of_day' then 24 else 12 end
            or abs(avg(seasonal_factor) - 1) > 0.00001
            or count(seasonal_factor) not in (0, count(*))
        """,
        "A cycle has all its seasons, and their factors average one.",
        DEFECT,
    )
    yield _on(
        BASELINES, "measure_code", "series_code", "service_code", "period_start_on", requirements=("SLT-5.1",)
    ).no_rows(
        "anomalies_follow_the_band",
        """
        select measure_code, series_code, service_code, period_start_on, observed_value, lower_limit_value,
            upper_limit_value, is_anomaly, baseline_status
        from checked
        where is_anomaly <> (baseline_status = 'ok' and abs(deviation_factor) > 3.5)
            and abs(abs(coalesce(deviation_factor, 0)) - 3.5) > 0.00001
        or (baseline_status = 'insufficient_data') <> (window_count < 6)
        or window_count > 8
        """,
        "An anomaly lies beyond the band of what came before it, and needs at least six earlier values.",
        DEFECT,
    )
    yield _on(CALIBRATION, "phase", "service_code", "priority", requirements=("OPS-1.4", "SVC-1.6", "SLT-1.2")).no_rows(
        "proposals_rest_on_history",
        """
        select phase, service_code, priority, basis_code, sample_count, quantile_seconds, lower_seconds,
            upper_seconds, dependency_seconds, proposed_target_seconds
        from checked
        where proposed_target_seconds < greatest(quantile_seconds, coalesce(dependency_seconds, 0))
        or lower_seconds > quantile_seconds or upper_seconds < quantile_seconds
        or (proposed_target_seconds is null) <> (calibration_verdict = 'insufficient_data')
        or (calibration_verdict = 'target_not_supported' and current_target_seconds >= lower_seconds)
        """,
        "No proposal is stricter than the history of the service or of its slowest dependency.",
        DEFECT,
    )


def _planning() -> Iterator[CheckSpec]:
    yield _on(
        FORECASTS, "slt_code", "service_code", "measure_code", "forecast_month", requirements=("SLT-1.2",)
    ).no_rows(
        "forecasts_lie_in_their_interval",
        """
        select slt_code, service_code, measure_code, forecast_month, forecast_value, lower_limit_value,
            upper_limit_value, backtest_error_value, forecast_status
        from checked
        where forecast_value not between lower_limit_value and upper_limit_value
        or (measure_code = 'attainment_share' and upper_limit_value > 1)
        or (forecast_status = 'ok') <> (forecast_value is not null and backtest_error_value is not null)
        """,
        "A forecast has an interval around it and the error it would have had.",
        DEFECT,
    )
    yield _on(
        CAPACITY, "team_code", "period_month", "slt_code", "priority", requirements=("DESK-1.4", "SLT-2.1")
    ).no_rows(
        "verdict_follows_the_prediction",
        """
        select team_code, period_month, slt_code, priority, offered_load_factor, agent_count,
            predicted_attainment_share, response_attainment_share, capacity_verdict
        from checked
        where capacity_verdict is distinct from case
            when peak_hour_ticket_count > 0 and agent_count <= offered_load_factor then 'target_not_feasible'
            when predicted_attainment_share < response_attainment_share then 'target_at_risk'
            else 'capacity_ok'
        end
        and abs(predicted_attainment_share - response_attainment_share) > 0.000001
        or (capacity_verdict = 'target_at_risk') <> (suggested_peak_target_seconds is not null)
        or suggested_peak_target_seconds < target_seconds
        or (capacity_verdict = 'capacity_ok' and required_agent_count > agent_count)
        """,
        "The verdict on a team's capacity follows from load, agents and the promised share.",
        DEFECT,
    )


def _decisions() -> Iterator[CheckSpec]:
    gates = _on(GATES, "change_request_key", "gate_code", requirements=("SVC-7.6", "SLT-2.3"))
    yield gates.no_rows(
        "decision_follows_its_inputs",
        """
        select change_request_key, gate_code, before_sample_count, after_sample_count, deviation_value,
            threshold_value, reason, gate_decision, change_decision
        from checked
        where (reason = 'within_threshold') <> (gate_decision = 'proceed')
        or (reason = 'threshold_exceeded' and deviation_value < threshold_value)
        or (reason = 'within_threshold' and deviation_value > threshold_value)
        or (reason in ('threshold_exceeded', 'within_threshold')
            and before_sample_count + after_sample_count < minimum_sample_count)
        or (gate_decision = 'rollback' and change_decision <> 'rollback')
        or (gate_decision = 'hold' and change_decision = 'proceed')
        """,
        "A gate lets a change proceed on enough evidence within its threshold alone, and the sternest gate decides.",
        DEFECT,
    )
    yield gates.no_rows(
        "judges_every_implemented_change",
        """
        select change.change_request_key, gate.gate_code, change.planned_start_at
        from core.int_change_request as change
        join reference.decision_gate as gate
            on change.planned_start_at::date >= gate.effective_from
            and change.planned_start_at::date <= coalesce(gate.effective_to, date '9999-12-31')
            and coalesce(gate.change_type, change.change_type) = change.change_type
            and coalesce(gate.service_code, change.service_code, '') = coalesce(change.service_code, '')
        left join checked
            on checked.change_request_key = change.change_request_key and checked.gate_code = gate.gate_code
        where change.is_implemented and checked.gate_code is null
        """,
        "Every implemented change is judged by every gate that was in force for it.",
        DEFECT,
        reads=("core.int_change_request", "reference.decision_gate"),
    )
    yield _on(
        ACCEPTANCE, "slt_code", "priority", "target_seconds", "criterion_code", requirements=("SLT-2.5",)
    ).no_rows(
        "verdict_follows_the_share",
        """
        select slt_code, priority, target_seconds, criterion_code, sample_count, observed_share, comparison,
            threshold_share, acceptance_verdict, is_target_accepted
        from checked
        where acceptance_verdict is distinct from case
            when criterion_code is null then 'no_criterion'
            when sample_count < minimum_sample_count then 'insufficient_data'
            when comparison = 'at_least' and observed_share >= threshold_share then 'accepted'
            when comparison = 'at_most' and observed_share <= threshold_share then 'accepted'
            else 'not_accepted'
        end
        or (is_target_accepted and acceptance_verdict <> 'accepted')
        """,
        "A target is accepted where each of its criteria is met on enough tickets.",
        DEFECT,
    )
    yield _on(ASSUMPTIONS, "assumption_code", "period_month", requirements=("SLT-1.6",)).no_rows(
        "verdict_follows_the_figure",
        """
        select assumption_code, period_month, sample_count, observed_value, comparison, assumed_value,
            assumption_verdict, consecutive_breach_count
        from checked
        where assumption_verdict = 'breached' and (
            observed_value is null
            or (comparison = 'at_most' and observed_value < assumed_value)
            or (comparison = 'at_least' and observed_value > assumed_value)
        )
        or assumption_verdict = 'holds' and (
            observed_value is null
            or (comparison = 'at_most' and observed_value > assumed_value)
            or (comparison = 'at_least' and observed_value < assumed_value)
        )
        or (assumption_verdict = 'breached') <> (consecutive_breach_count > 0)
        """,
        "An assumption is breached where the month's figure lies on its wrong side.",
        DEFECT,
    )


def _templates() -> Iterator[CheckSpec]:
    yield _on(DEFINITIONS, "slt_code", "slt_version", requirements=("SLT-8.3",)).no_rows(
        "follows_a_template",
        """
        select checked.slt_code, checked.slt_version, checked.slt_name, checked.phase, checked.reopen_policy,
            checked.target_policy
        from checked
        where not exists (
            select 1 from reference.slt_template as template
            where template.phase = checked.phase
            and regexp_full_match(checked.slt_code, template.slt_code_pattern)
            and regexp_full_match(checked.slt_name, template.slt_name_pattern)
            and regexp_full_match(checked.reopen_policy, template.allowed_reopen_policies)
            and regexp_full_match(checked.target_policy, template.allowed_target_policies)
            and checked.at_risk_share between template.minimum_at_risk_share and template.maximum_at_risk_share
        )
        """,
        "Every SLT definition has the name, the code and the policies of a standard template.",
        "follow a template of seeds/slt_planning/slt_template.csv, or have one approved and added there",
        reads=("reference.slt_template",),
    )
