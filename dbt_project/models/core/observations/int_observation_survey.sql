-- Answers of customers, raw and with those left out behind which something outside our control lay.
with answers as (
    select * from {{ ref('int_survey_answer') }}
    where observation_status = 'observed'
),

rules as (
    select * from {{ ref('satisfaction_rule') }}
),

courses as (
    select * from {{ ref('int_ticket_course') }}
),

tickets as (
    select * from {{ ref('int_observation_ticket') }}
),

contracts as (
    select * from {{ ref('contract') }}
),

services as (
    select * from {{ ref('service') }}
),

vendor_families as (
    select * from {{ ref('int_vendor_family') }}
),

scored as (
    select
        answers.*,
        {{ round_half_up_integer(
            '(answers.score_value - answers.scale_minimum_value) * 10000',
            '(answers.scale_maximum_value - answers.scale_minimum_value)'
        ) }} as score_basis_points,
        case when answers.score_value >= rules.satisfied_from_value then 1 else 0 end as satisfied_count,
        case when answers.has_outside_cause then 0 else 1 end as adjusted_response_count
    from answers
    left join rules
        on
            answers.survey_code = rules.survey_code
            and answers.question_code = rules.question_code
            and cast(answers.answered_at as date) >= rules.effective_from
            and cast(answers.answered_at as date) <= coalesce(rules.effective_to, date '9999-12-31')
),

final as (
    select
        {{ md5_of(["'survey'", 'scored.answer_key']) }} as observation_key,
        scored.answered_at as observed_at,
        courses.employee_number,
        courses.team_code,
        coalesce(tickets.service_code, courses.service_code, scored.named_service_code) as service_code,
        coalesce(tickets.business_unit_code, contracts.business_unit_code) as business_unit_code,
        vendor_families.primary_vendor_code as vendor_code,
        cast(null as varchar) as slt_code,
        cast(courses.priority as varchar) as priority,
        tickets.channel,
        tickets.category,
        cast(null as varchar) as risk_code,
        tickets.complexity_code,
        scored.question_code,
        cast(1 as bigint) as response_count,
        cast(scored.score_basis_points as bigint) as score_basis_points,
        cast(scored.satisfied_count as bigint) as satisfied_count,
        cast(scored.adjusted_response_count as bigint) as adjusted_response_count,
        cast(scored.adjusted_response_count * scored.score_basis_points as bigint) as adjusted_score_basis_points,
        cast(scored.adjusted_response_count * scored.satisfied_count as bigint) as adjusted_satisfied_count,
        scored.batch_id
    from scored
    left join courses on scored.ticket_key = courses.ticket_key
    left join tickets on 'ticket:' || scored.ticket_key = tickets.observation_key
    left join contracts on courses.contract_code = contracts.contract_code
    left join services
        on coalesce(tickets.service_code, courses.service_code, scored.named_service_code) = services.service_code
    left join vendor_families on services.vendor_code = vendor_families.vendor_code
)

select * from final
