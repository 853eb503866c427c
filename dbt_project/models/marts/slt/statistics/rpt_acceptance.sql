with definitions as (
    select * from {{ ref('slt_definition') }}
),

targets as (
    select * from {{ ref('slt_target') }}
),

criteria as (
    select * from {{ ref('acceptance_criterion') }}
),

tickets as (
    select * from {{ ref('fct_ticket_slt') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- a target is what tickets can be judged by: SLT, priority and seconds; the rows that say where it holds fall together
current_targets as (
    select distinct
        targets.slt_code,
        targets.slt_version,
        targets.priority,
        targets.target_seconds,
        definitions.phase,
        definitions.source_system,
        cast(run_context.as_of_at as date) as as_of_on,
        run_context.as_of_at
    from targets
    cross join run_context
    inner join definitions
        on targets.slt_code = definitions.slt_code and targets.slt_version = definitions.slt_version
    where
        cast(run_context.as_of_at as date) >= targets.effective_from
        and cast(run_context.as_of_at as date) <= coalesce(targets.effective_to, date '9999-12-31')
        and cast(run_context.as_of_at as date) >= definitions.effective_from
        and cast(run_context.as_of_at as date) <= coalesce(definitions.effective_to, date '9999-12-31')
),

-- of a metric's criteria the one that names the most holds
applied as (
    select
        current_targets.*,
        criteria.criterion_code,
        criteria.metric_code,
        criteria.comparison,
        criteria.threshold_share,
        criteria.minimum_sample_count,
        criteria.consequence,
        {{ add_months(month_start('current_targets.as_of_on'), '-criteria.window_months') }} as window_from_on,
        {{ month_start('current_targets.as_of_on') }} as window_to_on
    from current_targets
    left join criteria
        on
            coalesce(criteria.slt_code, current_targets.slt_code) = current_targets.slt_code
            and coalesce(criteria.phase, current_targets.phase) = current_targets.phase
            and coalesce(criteria.priority, current_targets.priority) = current_targets.priority
            and current_targets.as_of_on >= criteria.effective_from
            and current_targets.as_of_on <= coalesce(criteria.effective_to, date '9999-12-31')
    qualify row_number() over (
            partition by
                current_targets.slt_code, current_targets.slt_version, current_targets.priority,
                current_targets.target_seconds, criteria.metric_code
            order by
                case when criteria.slt_code is not null then 0 else 1 end,
                case when criteria.priority is not null then 0 else 1 end,
                case when criteria.phase is not null then 0 else 1 end,
                criteria.criterion_code
        ) = 1
),

-- whole months before the as-of instant, by when the clock started: open clocks count too
measured as (
    select
        applied.slt_code,
        applied.slt_version,
        applied.priority,
        applied.target_seconds,
        applied.criterion_code,
        count(*) as ticket_count,
        sum(case when tickets.slt_status in ('met', 'within_tolerance', 'breached') then 1 else 0 end)
            as settled_count,
        sum(case when tickets.slt_status in ('met', 'within_tolerance') then 1 else 0 end) as met_count,
        sum(case when tickets.is_forgiven then 1 else 0 end) as forgiven_count,
        sum(case when tickets.slt_status = 'invalid' then 1 else 0 end) as invalid_count,
        sum(case when tickets.slt_status = 'running_breached' then 1 else 0 end) as overdue_count
    from applied
    inner join tickets
        on
            applied.slt_code = tickets.slt_code
            and applied.slt_version = tickets.slt_version
            and applied.priority = tickets.priority
            and applied.target_seconds = tickets.target_seconds
            and tickets.start_at >= cast(applied.window_from_on as timestamp)
            and tickets.start_at < cast(applied.window_to_on as timestamp)
    where tickets.slt_status <> 'canceled'
    group by
        applied.slt_code, applied.slt_version, applied.priority, applied.target_seconds, applied.criterion_code
),

figured as (
    select
        applied.*,
        case
            when applied.metric_code in ('attainment_share', 'forgiven_share') then coalesce(measured.settled_count, 0)
            else coalesce(measured.ticket_count, 0)
        end as sample_count,
        case applied.metric_code
            when 'attainment_share' then coalesce(measured.met_count, 0)
            when 'forgiven_share' then coalesce(measured.forgiven_count, 0)
            when 'invalid_share' then coalesce(measured.invalid_count, 0)
            when 'overdue_share' then coalesce(measured.overdue_count, 0)
        end as counted_count
    from applied
    left join measured
        on
            applied.slt_code = measured.slt_code
            and applied.slt_version = measured.slt_version
            and applied.priority = measured.priority
            and applied.target_seconds = measured.target_seconds
            and applied.criterion_code = measured.criterion_code
),

shared as (
    select
        *,
        {{ round_half_up_ratio('counted_count', 'sample_count', 6) }} as observed_share
    from figured
),

judged as (
    select
        *,
        case
            when criterion_code is null then 'no_criterion'
            when sample_count < minimum_sample_count then 'insufficient_data'
            when comparison = 'at_least' and observed_share >= threshold_share then 'accepted'
            when comparison = 'at_most' and observed_share <= threshold_share then 'accepted'
            else 'not_accepted'
        end as acceptance_verdict
    from shared
),

final as (
    select
        cast(slt_code as varchar) as slt_code,
        cast(slt_version as integer) as slt_version,
        cast(priority as integer) as priority,
        cast(target_seconds as bigint) as target_seconds,
        cast(source_system as varchar) as source_system,
        cast(phase as varchar) as phase,
        cast(criterion_code as varchar) as criterion_code,
        cast(metric_code as varchar) as metric_code,
        cast(window_from_on as date) as window_from_on,
        cast(window_to_on as date) as window_to_on,
        cast(sample_count as bigint) as sample_count,
        cast(minimum_sample_count as bigint) as minimum_sample_count,
        cast(observed_share as decimal(18, 6)) as observed_share,
        cast(comparison as varchar) as comparison,
        cast(threshold_share as decimal(18, 6)) as threshold_share,
        cast(acceptance_verdict as varchar) as acceptance_verdict,
        cast(case when acceptance_verdict = 'not_accepted' then consequence end as varchar) as consequence,
        cast(
            bool_and(acceptance_verdict = 'accepted') over (
                partition by slt_code, slt_version, priority, target_seconds
            ) as boolean
        ) as is_target_accepted
    from judged
)

select * from final
