with recursive
tickets as (
    select * from {{ ref('fct_ticket_slt') }}
),

ticket_records as (
    select * from {{ ref('int_ticket') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
),

policies as (
    select * from {{ ref('calibration_policy') }}
),

services as (
    select * from {{ ref('service') }}
),

components as (
    select * from {{ ref('service_component') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

applied_policies as (
    select
        policies.*,
        run_context.as_of_at,
        cast({{ add_months('cast(run_context.as_of_at as date)', '-policies.window_months') }} as timestamp)
            as window_from_at
    from policies
    inner join run_context
        on
            cast(run_context.as_of_at as date) >= policies.effective_from
            and cast(run_context.as_of_at as date) <= coalesce(policies.effective_to, date '9999-12-31')
),

-- with a clock: what the target is judged by; '' are the tickets whose source names no service
clocked as (
    select
        tickets.source_system,
        tickets.phase,
        coalesce(tickets.service_code, '') as service_code,
        tickets.priority,
        'net_clock' as basis_code,
        tickets.net_seconds as seconds,
        tickets.target_seconds,
        tickets.stop_at
    from tickets
    where
        tickets.stop_at is not null
        and tickets.slt_status in ('met', 'within_tolerance', 'breached')
),

first_touches as (
    select
        ticket_key,
        min(event_at) as responded_at
    from events
    where ticket_state not in ('new', 'unknown')
    group by ticket_key
),

-- without a target there is no clock: the wall time of the record is the only history there is
unclocked as (
    select
        ticket_records.source_system,
        applied_policies.phase,
        coalesce(ticket_records.service_code, '') as service_code,
        ticket_records.priority,
        ticket_records.ticket_key,
        ticket_records.opened_at,
        case
            when applied_policies.phase = 'response' then first_touches.responded_at
            else ticket_records.source_resolved_at
        end as ended_at
    from ticket_records
    cross join applied_policies
    left join first_touches on ticket_records.ticket_key = first_touches.ticket_key
    left join tickets
        on ticket_records.ticket_key = tickets.ticket_key and applied_policies.phase = tickets.phase
    where
        tickets.ticket_key is null
        and ticket_records.priority is not null
        and not ticket_records.has_history_contradiction
),

observations as (
    select * from clocked
    union all
    select
        source_system,
        phase,
        service_code,
        priority,
        'wall_clock' as basis_code,
        {{ seconds_between('opened_at', 'ended_at') }} as seconds,
        cast(null as bigint) as target_seconds,
        ended_at as stop_at
    from unclocked
    where ended_at >= opened_at
),

windowed as (
    select observations.*
    from observations
    inner join applied_policies
        on
            observations.phase = applied_policies.phase
            and observations.stop_at >= applied_policies.window_from_at
            and observations.stop_at < applied_policies.as_of_at
),

-- a vendor's history is that of all services it supplies
subjects as (
    select
        'service' as subject_kind,
        service_code as subject_code,
        windowed.*
    from windowed
    union all
    select
        'vendor' as subject_kind,
        services.vendor_code as subject_code,
        windowed.*
    from windowed
    inner join services on windowed.service_code = services.service_code
    where services.vendor_code is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by subject_kind, subject_code, source_system, phase, priority, basis_code order by seconds
        ) as place_number,
        count(*) over (
            partition by subject_kind, subject_code, source_system, phase, priority, basis_code
        ) as sample_count
    from subjects
),

-- ranks of the quantile and of its interval: Conover, Practical Nonparametric Statistics, 3.2
targeted_ranks as (
    select
        ranked.*,
        applied_policies.attainment_share,
        applied_policies.confidence_share,
        applied_policies.minimum_sample_count,
        applied_policies.rounding_seconds,
        cast(ceil(ranked.sample_count * applied_policies.attainment_share) as bigint) as quantile_rank,
        cast(ceil(
            {{ float_of('ranked.sample_count * applied_policies.attainment_share') }}
            - applied_policies.confidence_factor * {{ square_root(
                'ranked.sample_count * applied_policies.attainment_share * (1 - applied_policies.attainment_share)'
            ) }}
        ) as bigint) as lower_rank,
        cast(ceil(
            {{ float_of('ranked.sample_count * applied_policies.attainment_share') }}
            + applied_policies.confidence_factor * {{ square_root(
                'ranked.sample_count * applied_policies.attainment_share * (1 - applied_policies.attainment_share)'
            ) }}
        ) as bigint) as upper_rank
    from ranked
    inner join applied_policies on ranked.phase = applied_policies.phase
),

quantiles as (
    select
        subject_kind,
        subject_code,
        source_system,
        phase,
        priority,
        basis_code,
        attainment_share,
        confidence_share,
        minimum_sample_count,
        rounding_seconds,
        sample_count,
        max(case when place_number = quantile_rank then seconds end) as quantile_seconds,
        max(case when place_number = lower_rank then seconds end) as lower_seconds,
        -- above the largest there is nothing to be confident of
        max(case when place_number = upper_rank then seconds end) as upper_seconds,
        max_by(target_seconds, stop_at) as target_seconds,
        sum(case when seconds <= target_seconds then 1 else 0 end) as within_target_count
    from targeted_ranks
    group by
        subject_kind, subject_code, source_system, phase, priority, basis_code, attainment_share,
        confidence_share, minimum_sample_count, rounding_seconds, sample_count
),

-- what a service stands on, however deep; a vendor is a dependency by name, union ends cycles
edges as (
    select distinct
        components.parent_code,
        components.component_code,
        components.owner_code
    from components
    inner join run_context
        on
            cast(run_context.as_of_at as date) >= components.effective_from
            and cast(run_context.as_of_at as date) <= coalesce(components.effective_to, date '9999-12-31')
),

reached as (
    select
        service_code,
        service_code as component_code,
        cast(null as varchar) as owner_code
    from services
    union
    select
        reached.service_code,
        edges.component_code,
        edges.owner_code
    from reached
    inner join edges on reached.component_code = edges.parent_code
),

dependencies as (
    select distinct
        reached.service_code,
        'service' as subject_kind,
        reached.component_code as subject_code
    from reached
    inner join services on reached.component_code = services.service_code
    where reached.component_code <> reached.service_code
    union
    select distinct
        service_code,
        'vendor' as subject_kind,
        owner_code as subject_code
    from reached
    where owner_code <> 'internal'
    union
    select distinct
        reached.service_code,
        'vendor' as subject_kind,
        services.vendor_code as subject_code
    from reached
    inner join services on reached.component_code = services.service_code
    where services.vendor_code is not null
),

slowest as (
    select
        own.subject_code as service_code,
        own.source_system,
        own.phase,
        own.priority,
        own.basis_code,
        count(*) as dependency_count,
        sum(case when other.sample_count >= other.minimum_sample_count then 0 else 1 end)
            as unmeasured_dependency_count,
        max(case when other.sample_count >= other.minimum_sample_count then other.quantile_seconds end)
            as dependency_seconds,
        max_by(
            dependencies.subject_kind || ':' || dependencies.subject_code,
            case when other.sample_count >= other.minimum_sample_count then other.quantile_seconds end
        ) as slowest_dependency_code
    from quantiles as own
    inner join dependencies on own.subject_code = dependencies.service_code
    left join quantiles as other
        on
            dependencies.subject_kind = other.subject_kind
            and dependencies.subject_code = other.subject_code
            and own.source_system = other.source_system
            and own.phase = other.phase
            and own.priority = other.priority
            and own.basis_code = other.basis_code
    where own.subject_kind = 'service'
    group by own.subject_code, own.source_system, own.phase, own.priority, own.basis_code
),

combined as (
    select
        quantiles.*,
        coalesce(slowest.dependency_count, 0) as dependency_count,
        coalesce(slowest.unmeasured_dependency_count, 0) as unmeasured_dependency_count,
        slowest.dependency_seconds,
        case when slowest.dependency_seconds is not null then slowest.slowest_dependency_code end
            as slowest_dependency_code,
        coalesce(
            quantiles.sample_count >= quantiles.minimum_sample_count
            and slowest.dependency_seconds > quantiles.quantile_seconds,
            false
        ) as is_limited_by_dependency,
        quantiles.sample_count >= quantiles.minimum_sample_count as is_sufficient,
        case
            when slowest.dependency_seconds > quantiles.quantile_seconds then slowest.dependency_seconds
            else quantiles.quantile_seconds
        end as supported_seconds
    from quantiles
    left join slowest
        on
            quantiles.subject_code = slowest.service_code
            and quantiles.source_system = slowest.source_system
            and quantiles.phase = slowest.phase
            and quantiles.priority = slowest.priority
            and quantiles.basis_code = slowest.basis_code
    where quantiles.subject_kind = 'service'
),

final as (
    select
        cast(source_system as varchar) as source_system,
        cast(phase as varchar) as phase,
        cast(nullif(subject_code, '') as varchar) as service_code,
        cast(priority as integer) as priority,
        cast(basis_code as varchar) as basis_code,
        cast(attainment_share as decimal(18, 6)) as attainment_share,
        cast(confidence_share as decimal(18, 6)) as confidence_share,
        cast(sample_count as bigint) as sample_count,
        cast(case when is_sufficient then quantile_seconds end as bigint) as quantile_seconds,
        cast(case when is_sufficient then lower_seconds end as bigint) as lower_seconds,
        cast(case when is_sufficient then upper_seconds end as bigint) as upper_seconds,
        cast(dependency_count as bigint) as dependency_count,
        cast(unmeasured_dependency_count as bigint) as unmeasured_dependency_count,
        cast(slowest_dependency_code as varchar) as slowest_dependency_code,
        cast(dependency_seconds as bigint) as dependency_seconds,
        cast(is_limited_by_dependency as boolean) as is_limited_by_dependency,
        cast(
            case
                when is_sufficient
                    then
                        {{ int_div('supported_seconds + rounding_seconds - 1', 'rounding_seconds') }}
                        * rounding_seconds
            end as bigint
        ) as proposed_target_seconds,
        cast(target_seconds as bigint) as current_target_seconds,
        case
            when target_seconds is not null
                then {{ round_half_up_ratio('within_target_count', 'sample_count', 6) }}
        end as observed_attainment_share,
        cast(
            case
                when not is_sufficient then 'insufficient_data'
                when target_seconds is null then 'baseline_only'
                when target_seconds < lower_seconds then 'target_not_supported'
                when target_seconds < dependency_seconds then 'target_not_supported_by_dependency'
                when target_seconds > upper_seconds then 'target_looser_than_history'
                else 'target_supported'
            end as varchar
        ) as calibration_verdict
    from combined
)

select * from final
