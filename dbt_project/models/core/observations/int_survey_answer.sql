-- Answers of every survey tool on one footing, and whether something outside our control lay behind the ticket.
with responses as (
    select * from {{ ref('stg_survey__responses') }}
),

servicenow_answers as (
    select * from {{ ref('stg_servicenow__survey_answers') }}
),

servicenow_surveys as (
    select * from {{ ref('stg_servicenow__surveys') }}
),

incidents as (
    select * from {{ ref('stg_servicenow__incidents') }}
),

source_questions as (
    select * from {{ ref('survey_source_question') }}
),

questions as (
    select * from {{ ref('survey_question') }}
),

tickets as (
    select * from {{ ref('int_ticket') }}
),

courses as (
    select * from {{ ref('int_ticket_course') }}
),

exclusion_scopes as (
    select * from {{ ref('int_exclusion_scope') }}
    where audience = 'internal'
),

exclusion_requests as (
    select * from {{ ref('int_exclusion_request') }}
    where audience = 'internal' and is_effective and controllability = 'outside_control'
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- a number two systems know says nothing
ticket_numbers as (
    select
        ticket_number,
        max(ticket_key) as ticket_key
    from tickets
    group by ticket_number
    having count(*) = 1
),

survey_tool as (
    select
        'survey:' || responses.response_id as answer_key,
        responses.survey_code,
        responses.question_code,
        cast(responses.score_value as decimal(18, 6)) as score_value,
        responses.submitted_at as answered_at,
        case when responses.reference_kind = 'ticket' then ticket_numbers.ticket_key end as ticket_key,
        case when responses.reference_kind = 'service' then responses.reference end as named_service_code,
        case when responses.response_status <> 'valid' then responses.response_status end as own_reason,
        responses.batch_id
    from responses
    left join ticket_numbers
        on responses.reference_kind = 'ticket' and responses.reference = ticket_numbers.ticket_number
),

servicenow as (
    select
        'servicenow:' || servicenow_answers.survey_answer_id as answer_key,
        source_questions.survey_code,
        source_questions.question_code,
        servicenow_answers.score_points as score_value,
        servicenow_surveys.taken_at as answered_at,
        'servicenow:' || incidents.number as ticket_key,
        cast(null as varchar) as named_service_code,
        case
            when coalesce(servicenow_surveys.state, '') <> 'complete' or servicenow_surveys.taken_at is null
                then 'not_complete'
            when source_questions.survey_code is null then 'unknown_question'
        end as own_reason,
        servicenow_answers.batch_id
    from servicenow_answers
    left join servicenow_surveys on servicenow_answers.survey_id = servicenow_surveys.survey_id
    left join incidents on servicenow_surveys.task_id = incidents.incident_id
    left join source_questions
        on
            source_questions.source_system = 'servicenow'
            and (
                source_questions.source_question_id is null
                or servicenow_answers.question_id = source_questions.source_question_id
            )
    qualify row_number() over (
            partition by servicenow_answers.survey_answer_id
            order by source_questions.source_question_id nulls last
        ) = 1
),

answers as (
    select * from survey_tool
    union all
    select * from servicenow
),

answered_in_tool as (
    select distinct
        ticket_key,
        question_code
    from survey_tool
    where own_reason is null and ticket_key is not null
),

situated as (
    select
        answers.*,
        questions.scale_minimum_value,
        questions.scale_maximum_value,
        courses.ticket_key is not null as has_ticket,
        coalesce(courses.exclusion_scope_code, answers.named_service_code) as exclusion_scope_code,
        -- what happened between the call and the solution is what the caller judges
        coalesce(courses.opened_at, answers.answered_at) as judged_from_at,
        case
            when courses.ticket_key is not null then coalesce(courses.resolved_at, answers.answered_at)
            else {{ add_seconds('answers.answered_at', '1') }}
        end as judged_to_at,
        case
            when answers.own_reason is not null then answers.own_reason
            when answers.survey_code <> 'csat' then 'other_survey'
            when
                questions.question_code is null
                or answers.score_value is null
                or answers.score_value < questions.scale_minimum_value
                or answers.score_value > questions.scale_maximum_value
                then 'out_of_scale'
            when answers.answered_at > run_context.as_of_at then 'after_as_of'
            when left(answers.answer_key, 7) <> 'survey:' and answered_in_tool.ticket_key is not null
                then 'answered_in_survey_tool'
            else 'observed'
        end as observation_status
    from answers
    cross join run_context
    left join questions
        on answers.survey_code = questions.survey_code and answers.question_code = questions.question_code
    left join courses on answers.ticket_key = courses.ticket_key
    left join answered_in_tool
        on answers.ticket_key = answered_in_tool.ticket_key and answers.question_code = answered_in_tool.question_code
),

outside_windows as (
    select
        exclusion_scopes.exclusion_scope_code,
        exclusion_scopes.exclusion_id,
        exclusion_scopes.starts_at,
        exclusion_scopes.ends_at
    from exclusion_scopes
    inner join exclusion_requests on exclusion_scopes.exclusion_id = exclusion_requests.exclusion_id
),

outside_causes as (
    select
        situated.answer_key,
        {{ distinct_list('outside_windows.exclusion_id') }} as exclusion_ids
    from situated
    inner join outside_windows
        on
            situated.exclusion_scope_code = outside_windows.exclusion_scope_code
            and situated.judged_from_at < outside_windows.ends_at
            and situated.judged_to_at > outside_windows.starts_at
    group by situated.answer_key
),

final as (
    select
        situated.answer_key,
        situated.observation_status,
        situated.survey_code,
        situated.question_code,
        situated.answered_at,
        -- an answer that does not count says nothing further; least of all one of staff
        case when situated.observation_status = 'observed' then situated.score_value end as score_value,
        situated.scale_minimum_value,
        situated.scale_maximum_value,
        case when situated.has_ticket then situated.ticket_key end as ticket_key,
        situated.named_service_code,
        outside_causes.answer_key is not null as has_outside_cause,
        outside_causes.exclusion_ids,
        situated.batch_id
    from situated
    left join outside_causes on situated.answer_key = outside_causes.answer_key
)

select * from final
