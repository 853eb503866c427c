"""Gate marts, observations: what metrics are computed from agrees with the records, counted anew from staging.

The checks stand on the report of what was counted, since the gate blocks marts; they read the observations below it.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

COVERAGE = "metrics.rpt_observation_coverage"
TICKET, INTAKE = "core.int_observation_ticket", "core.int_observation_ticket_intake"
CHANGE, SURVEY = "core.int_observation_change", "core.int_observation_survey"
VIEW, ARTICLE = "core.int_observation_page_view", "core.int_observation_article"
MONTH = "core.int_observation_service_month"
KEPT, CONTEXT = "core.int_ticket", "core.int_run_context"
INCIDENTS, CHANGES = "staging.stg_servicenow__incidents", "core.int_change_request"
ANSWERS, TOOL_ANSWERS = "staging.stg_servicenow__survey_answers", "staging.stg_survey__responses"
EVENTS, ARTICLES = "staging.stg_datadog__rum_events", "staging.stg_servicenow__articles"
RULES, CHANNELS = "reference.change_outcome_rule", "reference.ticket_channel"
QUESTIONS = "reference.survey_question"
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of observations."""
    return [*_coverage(), *_tickets(), *_changes(), *_answers(), *_usage()]


def _on(*requirements: str) -> On:
    return On(
        COVERAGE,
        COVERAGE.partition(".")[2],
        keys=("observation_kind", "observation_status"),
        requirements=requirements,
    )


def _coverage() -> Iterator[CheckSpec]:
    yield _on("DESK-1.3", "OPS-1.3", "LTI-1.4", "SVC-1.4").no_rows(
        "holds_every_record",
        f"""
        with owed as (
            select kind, record_count from (
                select unnest(['ticket', 'ticket_intake', 'service_month']) as kind,
                    (select count(*) from {KEPT}) as record_count
                union all select 'change', count(*) from {CHANGES}
                union all select 'survey', (select count(*) from {ANSWERS}) + (select count(*) from {TOOL_ANSWERS})
                union all select 'page_view', count(*) from {EVENTS}
                union all select 'article', count(*) from {ARTICLES}
            )
        ),
        told as (
            select observation_kind, sum(record_count) as record_count from checked group by all
        )
        select owed.kind as observation_kind, null as observation_status, owed.record_count as owed_count,
            told.record_count
        from owed left join told on told.observation_kind = owed.kind
        where owed.record_count <> coalesce(told.record_count, 0)
        """,
        "Every record of a kind is an observation or has a reason why not.",
        DEFECT,
        reads=(KEPT, CHANGES, ANSWERS, TOOL_ANSWERS, EVENTS, ARTICLES),
    )


def _tickets() -> Iterator[CheckSpec]:
    on = _on("DESK-1.3", "DESK-1.5", "DESK-3.3", "SLT-1.1")
    yield on.no_rows(
        "counts_every_resolved_ticket",
        f"""
        with owed as (
            select ticket_key from {KEPT}
            where ticket_state in ('resolved', 'closed') and not has_history_contradiction
        ),
        counted as (
            select substr(observation_key, 8) as ticket_key, sum(ticket_count) as ticket_count
            from {TICKET} group by all
        ),
        taken as (
            select substr(observation_key, 15) as ticket_key, sum(intake_count) as intake_count
            from {INTAKE} group by all
        )
        select coalesce(owed.ticket_key, counted.ticket_key, taken.ticket_key) as ticket_key, counted.ticket_count,
            taken.intake_count
        from owed full join counted on counted.ticket_key = owed.ticket_key
        full join taken on taken.ticket_key = coalesce(owed.ticket_key, counted.ticket_key)
        where owed.ticket_key is null or counted.ticket_count is distinct from 1
        or taken.intake_count is distinct from 1
        """,
        "Each resolved ticket is one observation of who resolved it and one of who took it in, and no other is.",
        DEFECT,
        reads=(KEPT, TICKET, INTAKE),
    )
    yield on.no_rows(
        "ticket_measures_agree",
        f"""
        select observation_key, ticket_count, first_contact_resolved_count, escalated_count, reopened_count,
            handover_count, resolution_seconds, responded_count, first_response_seconds, complexity_points, order_count,
            order_cycle_seconds
        from {TICKET}
        where first_contact_resolved_count + least(handover_count + reopened_count, 1) > 1
        or escalated_count > handover_count
        or (responded_count = 1 and first_response_seconds > resolution_seconds)
        or (responded_count = 0 and first_response_seconds <> 0)
        or order_cycle_seconds <> order_count * resolution_seconds
        or (complexity_code is null) <> (complexity_points = 0)
        """,
        "No ticket is solved at first contact and handed on or reopened, answered after its end, or of a"
        " complexity without points.",
        DEFECT,
        reads=(TICKET,),
    )
    yield on.no_rows(
        "intake_is_kept_or_handed_up",
        f"""
        select taken.observation_key, taken.team_code, escalatable_count, taken.escalated_count, contained_count
        from {INTAKE} as taken
        left join {TICKET} as resolved on substr(resolved.observation_key, 8) = substr(taken.observation_key, 15)
        where escalatable_count <> taken.escalated_count + contained_count
        or taken.escalated_count > resolved.escalated_count
        or taken.first_contact_resolved_count is distinct from resolved.first_contact_resolved_count
        or (taken.first_contact_resolved_count = 1 and taken.team_code is distinct from resolved.team_code)
        """,
        "A ticket that could be escalated was kept or escalated; one solved at first contact stayed with its team.",
        DEFECT,
        reads=(INTAKE, TICKET),
    )
    yield on.no_rows(
        "history_agrees_with_the_record",
        f"""
        select counted.observation_key, counted.handover_count, record.reassignment_count, counted.reopened_count,
            record.reopen_count
        from {TICKET} as counted
        join {INCIDENTS} as record on counted.observation_key = concat('ticket:', 'servicenow:', record.number)
        where counted.handover_count <> record.reassignment_count
        or counted.reopened_count <> least(record.reopen_count, 1)
        """,
        "Handovers and reopenings counted from the history are those the incident's own counters say.",
        "the audit log lacks entries, or somebody wrote to the counters: have the table's auditing mended; until then "
        "first contact resolution follows the history",
        "warn",
        sources=("servicenow",),
        reads=(TICKET, INCIDENTS),
    )
    yield on.no_rows(
        "every_channel_is_mapped",
        f"""
        select kept.source_system, lower(kept.channel) as source_value, count(*) as ticket_count
        from {KEPT} as kept
        left join {CHANNELS} as known
            on known.source_system = kept.source_system and known.source_value = lower(kept.channel)
        where kept.channel is not null and known.channel_code is null
        group by all
        """,
        "Every contact type has a channel.",
        "add it to seeds/observations/ticket_channel.csv: until then its tickets are in no channel's response time",
        "warn",
        reads=(KEPT, CHANNELS),
    )


def _changes() -> Iterator[CheckSpec]:
    on = _on("OPS-1.3", "LTI-5.3")
    yield on.no_rows(
        "counts_every_change_that_is_over",
        f"""
        with owed as (
            select change.change_request_key from {CHANGES} as change, {CONTEXT} as context
            where change.is_implemented and change.planned_end_at + to_days((
                select max(coalesce(window_days, 0)) from {RULES} as rule
                where rule.source_system = change.source_system and change.planned_end_at::date
                    between rule.effective_from and coalesce(rule.effective_to, date '9999-12-31')
            )::integer) <= context.as_of_at
        )
        select coalesce(owed.change_request_key, substr(counted.observation_key, 8)) as change_request_key,
            counted.change_count
        from owed full join {CHANGE} as counted on counted.observation_key = 'change:' || owed.change_request_key
        where owed.change_request_key is null or counted.change_count is distinct from 1
        """,
        "Each implemented change whose windows are over is an observation, and no other is.",
        DEFECT,
        reads=(CHANGES, CONTEXT, CHANGE, RULES),
    )
    yield on.no_rows(
        "a_failing_code_fails_the_change",
        f"""
        select counted.observation_key, change.close_code, counted.failed_count, counted.defect_count,
            counted.defective_count
        from {CHANGE} as counted
        join {CHANGES} as change on counted.observation_key = 'change:' || change.change_request_key
        where counted.failed_count not in (0, 1)
        or counted.defective_count <> least(counted.defect_count, 1)
        or counted.risk_code is distinct from change.risk_code
        or (counted.failed_count = 0 and exists (
            select 1 from {RULES} as rule
            where rule.outcome_code = 'failed' and rule.close_code = change.close_code
            and rule.source_system = change.source_system and change.planned_end_at::date
                between rule.effective_from and coalesce(rule.effective_to, date '9999-12-31')
        ))
        -- without a failing code there is an incident behind it, which is then opened after the change
        or (counted.failed_count = 1 and not exists (
            select 1 from {RULES} as rule
            where rule.outcome_code = 'failed' and rule.close_code = change.close_code
        ) and not exists (
            select 1 from {KEPT} as ticket
            where ticket.service_code = change.service_code and ticket.opened_at >= change.planned_end_at
            and ticket.priority <= (select max(to_priority) from {RULES} where outcome_code = 'failed')
        ))
        """,
        "A change failed where its closure code or an incident after it says so, once.",
        DEFECT,
        reads=(CHANGE, CHANGES, RULES, KEPT),
    )


def _answers() -> Iterator[CheckSpec]:
    on = _on("LTI-1.4")
    yield on.no_rows(
        "answers_sum_to_the_records",
        f"""
        with owed as (
            select count(*) as response_count, sum(round(
                (score_value - scale_minimum_value) * 10000.0 / (scale_maximum_value - scale_minimum_value)
            )) as score_basis_points
            from {TOOL_ANSWERS} as answer
            join {QUESTIONS} as question using (survey_code, question_code), {CONTEXT}
            where survey_code = 'csat' and response_status = 'valid' and submitted_at <= as_of_at
        ),
        counted as (
            select count(*) as response_count, sum(score_basis_points) as score_basis_points from {SURVEY}
            where observation_key in (
                select md5('survey' || '|' || 'survey:' || response_id) from {TOOL_ANSWERS}
            )
        )
        select owed.response_count as owed_count, counted.response_count, owed.score_basis_points as owed_points,
            counted.score_basis_points
        from owed, counted
        where owed.response_count <> counted.response_count
        or coalesce(owed.score_basis_points, 0) <> coalesce(counted.score_basis_points, 0)
        """,
        "Every valid answer about customers' satisfaction counts once, with its score on the common scale.",
        DEFECT,
        sources=("survey",),
        reads=(SURVEY, TOOL_ANSWERS, QUESTIONS, CONTEXT),
    )
    yield on.no_rows(
        "adjusted_is_part_of_raw",
        f"""
        select observation_key, response_count, adjusted_response_count, score_basis_points,
            adjusted_score_basis_points, satisfied_count, adjusted_satisfied_count
        from {SURVEY}
        where response_count <> 1 or adjusted_response_count not in (0, 1)
        or score_basis_points not between 0 and 10000
        or adjusted_score_basis_points <> adjusted_response_count * score_basis_points
        or adjusted_satisfied_count <> adjusted_response_count * satisfied_count
        """,
        "An answer is adjusted by leaving it out whole, never by changing its score.",
        DEFECT,
        reads=(SURVEY,),
    )


def _usage() -> Iterator[CheckSpec]:
    yield _on("SVC-1.4").no_rows(
        "views_sum_to_the_events",
        f"""
        with owed as (
            select service_code, viewed_at::date as day_on, count(*) as view_count, sum(response_ms) as milliseconds,
                sum(error_count) as error_count
            from {EVENTS}, {CONTEXT} where viewed_at <= as_of_at group by all
        ),
        counted as (
            select service_code, observed_at::date as day_on, sum(view_count) as view_count,
                sum(response_milliseconds) as milliseconds, sum(error_count) as error_count,
                sum(slow_count) > sum(limited_view_count) as is_slower
            from {VIEW} group by all
        )
        select coalesce(owed.service_code, counted.service_code) as service_code,
            coalesce(owed.day_on, counted.day_on) as day_on, owed.view_count as owed_count, counted.view_count,
            owed.milliseconds as owed_milliseconds, counted.milliseconds
        from owed full join counted
            on counted.service_code is not distinct from owed.service_code and counted.day_on = owed.day_on
        where owed.view_count is distinct from counted.view_count
        or coalesce(owed.milliseconds, 0) <> coalesce(counted.milliseconds, 0)
        or owed.error_count is distinct from counted.error_count or counted.is_slower
        """,
        "Views, their time and their errors are those the client sent, by service and day.",
        DEFECT,
        sources=("datadog",),
        reads=(VIEW, EVENTS, CONTEXT),
    )
    yield _on("DESK-1.3").no_rows(
        "articles_are_those_published",
        f"""
        select article.number, article.published_on, article.use_count as owed_use_count, counted.use_count
        from (select * from {ARTICLES}, {CONTEXT} where published_on <= as_of_at) as article
        full join {ARTICLE} as counted on counted.observation_key = concat('article:', 'servicenow:', article.number)
        where counted.published_count is distinct from 1 or article.number is null
        or counted.use_count is distinct from coalesce(article.use_count, 0)
        or (counted.useful_count = 1 and counted.retired_count = 1)
        """,
        "Each published article counts once with its use.",
        DEFECT,
        sources=("servicenow",),
        reads=(ARTICLE, ARTICLES, CONTEXT),
    )
    yield _on("LTI-2.2").no_rows(
        "no_rate_without_exposure",
        f"""
        select observation_key, service_code, incident_count, exposed_incident_count, exposure_user_days, category
        from {MONTH}
        where exposed_incident_count not in (0, incident_count)
        or (exposure_user_days = 0 and exposed_incident_count > 0)
        or (exposure_user_days > 0) <> (category is not null)
        or exposed_day_count > date_diff('day', observed_at, observed_at + interval 1 month)
        """,
        "Incidents are in a rate only where the service's users of the month are known.",
        DEFECT,
        reads=(MONTH,),
    )
    yield _on("LTI-2.2").no_rows(
        "every_service_with_incidents_has_an_exposure",
        f"""
        select service_code, min(observed_at)::date as first_month_on, sum(incident_count) as incident_count
        from {MONTH} where exposure_user_days = 0 group by all
        """,
        "The users of every service that has incidents are known.",
        "add the service and month to seeds/observations/service_exposure.csv: until then it has no incident rate",
        "warn",
        reads=(MONTH,),
    )
