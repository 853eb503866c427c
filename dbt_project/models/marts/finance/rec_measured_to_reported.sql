-- What we measured of the tickets customers answered about against what they said: service x quarter, on the very same
-- tickets. difference_share = reported_share - measured_share. The service's availability stands beside it.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

survey_answer as (
    select * from {{ ref('int_survey_answer') }}
    where observation_status = 'observed'
),

satisfaction_rule as (
    select * from {{ ref('satisfaction_rule') }}
),

ticket as (
    select * from {{ ref('int_ticket') }}
),

comparison_tolerance as (
    select * from {{ ref('comparison_tolerance') }}
    where comparison_code = 'measured_to_reported'
),

fct_ticket_slt as (
    select * from {{ ref('fct_ticket_slt') }}
    where phase = 'resolution' and slt_status in ('met', 'within_tolerance', 'breached')
),

fct_availability as (
    select * from {{ ref('fct_availability') }}
    where service_code is not null
),

-- a ticket of several SLTs kept its promise when it kept each of them
verdict as (
    select
        ticket_key,
        min(case when slt_status = 'breached' then 0 else 1 end) as met_count
    from fct_ticket_slt
    group by ticket_key
),

answer as (
    select
        coalesce(survey_answer.named_service_code, ticket.service_code) as service_code,
        {{ quarter_start('survey_answer.answered_at') }} as quarter_start_on,
        survey_answer.answer_key,
        case when survey_answer.score_value >= satisfaction_rule.satisfied_from_value then 1 else 0 end
            as satisfied_count,
        verdict.met_count
    from survey_answer
    inner join satisfaction_rule
        on
            survey_answer.survey_code = satisfaction_rule.survey_code
            and survey_answer.question_code = satisfaction_rule.question_code
            and cast(survey_answer.answered_at as date) >= satisfaction_rule.effective_from
            and (
                satisfaction_rule.effective_to is null
                or cast(survey_answer.answered_at as date) <= satisfaction_rule.effective_to
            )
    left join ticket on survey_answer.ticket_key = ticket.ticket_key
    left join verdict on survey_answer.ticket_key = verdict.ticket_key
),

reported as (
    select
        coalesce(service_code, '') as service_code,
        quarter_start_on,
        count(*) as answer_count,
        count(met_count) as compared_count,
        sum(satisfied_count) as satisfied_count,
        sum(case when met_count is not null then satisfied_count else 0 end) as compared_satisfied_count,
        sum(coalesce(met_count, 0)) as met_count,
        count(*) filter (where met_count = 1 and satisfied_count = 0) as met_and_unsatisfied_count,
        count(*) filter (where met_count = 0 and satisfied_count = 1) as missed_and_satisfied_count
    from answer
    group by coalesce(service_code, ''), quarter_start_on
),

available as (
    select
        service_code,
        {{ quarter_start('period_month') }} as quarter_start_on,
        sum(adjusted_up_seconds) as up_seconds,
        sum(adjusted_up_seconds + adjusted_down_seconds) as known_seconds
    from fct_availability
    group by service_code, {{ quarter_start('period_month') }}
),

joined as (
    select
        coalesce(reported.service_code, available.service_code) as service_code,
        coalesce(reported.quarter_start_on, available.quarter_start_on) as quarter_start_on,
        coalesce(reported.answer_count, 0) as answer_count,
        coalesce(reported.compared_count, 0) as compared_count,
        coalesce(reported.satisfied_count, 0) as satisfied_count,
        coalesce(reported.compared_satisfied_count, 0) as compared_satisfied_count,
        coalesce(reported.met_count, 0) as met_count,
        coalesce(reported.met_and_unsatisfied_count, 0) as met_and_unsatisfied_count,
        coalesce(reported.missed_and_satisfied_count, 0) as missed_and_satisfied_count,
        {{ round_half_up_ratio('available.up_seconds', 'available.known_seconds', 6) }} as availability_share
    from reported
    full outer join available
        on
            reported.service_code = available.service_code
            and reported.quarter_start_on = available.quarter_start_on
),

judged as (
    select
        joined.*,
        run_context.as_of_at,
        {{ add_months('joined.quarter_start_on', 3) }} as quarter_end_on,
        coalesce(comparison_tolerance.tolerance_share, 0) as tolerance_share,
        coalesce(comparison_tolerance.minimum_count, 1) as minimum_count,
        {{ round_half_up_ratio('joined.met_count', 'joined.compared_count', 6) }} as measured_share,
        {{ round_half_up_ratio('joined.compared_satisfied_count', 'joined.compared_count', 6) }} as reported_share
    from joined
    cross join run_context
    left join comparison_tolerance
        on
            joined.quarter_start_on >= comparison_tolerance.effective_from
            and (
                comparison_tolerance.effective_to is null
                or joined.quarter_start_on <= comparison_tolerance.effective_to
            )
),

classified as (
    select
        *,
        reported_share - measured_share as difference_share,
        case
            when cast(quarter_end_on as timestamp) > as_of_at then 'timing'
            when answer_count < minimum_count then 'missing_right'
            when compared_count < minimum_count then 'missing_left'
            when abs(reported_share - measured_share) > tolerance_share then 'amount_differs'
            else 'matched'
        end as status
    from judged
),

explained as (
    select
        *,
        'of ' || cast(compared_count as varchar) || ' answered tickets we kept '
        || coalesce(cast(measured_share as varchar), 'none known') || ', customers were satisfied with '
        || coalesce(cast(reported_share as varchar), 'none known') || '; '
        || cast(met_and_unsatisfied_count as varchar) || ' kept and not satisfied, '
        || cast(missed_and_satisfied_count as varchar) || ' missed and satisfied; availability '
        || coalesce(cast(availability_share as varchar), 'not measured') as figures
    from classified
),

final as (
    select
        cast({{ md5_of(['service_code', 'quarter_start_on']) }} as varchar) as rec_key,
        cast(nullif(service_code, '') as varchar) as service_code,
        cast({{ quarter_code('quarter_start_on') }} as varchar) as quarter_code,
        cast(quarter_start_on as date) as quarter_start_on,
        cast(answer_count as bigint) as answer_count,
        cast(satisfied_count as bigint) as satisfied_count,
        cast(compared_count as bigint) as compared_count,
        cast(met_and_unsatisfied_count as bigint) as met_and_unsatisfied_count,
        cast(missed_and_satisfied_count as bigint) as missed_and_satisfied_count,
        cast(measured_share as decimal(18, 6)) as measured_share,
        cast(reported_share as decimal(18, 6)) as reported_share,
        cast(difference_share as decimal(18, 6)) as difference_share,
        cast(tolerance_share as decimal(18, 6)) as tolerance_share,
        cast(availability_share as decimal(18, 6)) as availability_share,
        cast(status as varchar) as status,
        cast(
            case status
                when 'matched' then 0
                else greatest(0, {{ day_count('quarter_end_on', 'as_of_at') }})
            end as integer
        ) as age_days,
        cast(
            case status
                when 'matched' then 'Agrees: '
                when 'timing' then 'The quarter is not over: '
                when 'missing_right'
                    then
                        'Too few answers of customers to judge by (' || cast(answer_count as varchar) || ' of at least '
                        || cast(minimum_count as varchar) || '): '
                when 'missing_left' then 'Answers about tickets we did not measure: '
                when 'amount_differs'
                    then
                        case
                            when difference_share < 0 then 'Customers report worse than we measure: '
                            else 'Customers report better than we measure: '
                        end
            end || figures || '.' as varchar
        ) as explanation
    from explained
)

select * from final
