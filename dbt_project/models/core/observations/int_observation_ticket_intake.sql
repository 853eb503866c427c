-- Tickets as those who took them in are measured: a ticket handed on is resolved by another team, and would leave the
-- share of the team that handed it on.
with courses as (
    select * from {{ ref('int_ticket_course') }}
    where observation_status = 'observed'
),

tickets as (
    select * from {{ ref('int_observation_ticket') }}
),

teams as (
    select
        team_code,
        tier
    from {{ ref('team') }}
),

highest_tier as (
    select max(tier) as tier
    from teams
),

taken_in as (
    select
        courses.*,
        coalesce(teams.tier < highest_tier.tier, false) as is_escalatable
    from courses
    cross join highest_tier
    left join teams on courses.first_team_code = teams.team_code
),

final as (
    select
        'ticket_intake:' || taken_in.ticket_key as observation_key,
        tickets.observed_at,
        taken_in.first_employee_number as employee_number,
        taken_in.first_team_code as team_code,
        tickets.service_code,
        tickets.business_unit_code,
        tickets.vendor_code,
        cast(null as varchar) as slt_code,
        tickets.priority,
        tickets.channel,
        tickets.category,
        cast(null as varchar) as risk_code,
        tickets.complexity_code,
        cast(null as varchar) as question_code,
        cast(1 as bigint) as intake_count,
        tickets.first_contact_resolved_count,
        cast(case when taken_in.is_escalatable then 1 else 0 end as bigint) as escalatable_count,
        cast(case when taken_in.is_escalatable and taken_in.escalation_count > 0 then 1 else 0 end as bigint)
            as escalated_count,
        cast(case when taken_in.is_escalatable and taken_in.escalation_count = 0 then 1 else 0 end as bigint)
            as contained_count,
        tickets.batch_id
    from taken_in
    inner join tickets on 'ticket:' || taken_in.ticket_key = tickets.observation_key
)

select * from final
