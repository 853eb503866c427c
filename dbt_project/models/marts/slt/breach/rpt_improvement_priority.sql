{%- set factors = ['frequency', 'duration', 'impact'] -%}
with breaches as (
    select * from {{ ref('fct_slt_breach') }}
    where breach_class = 'breached' and false_positive <> 'confirmed'
),

weights as (
    select * from {{ ref('improvement_weight') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

recent as (
    select
        breaches.slt_code,
        breaches.service_code,
        breaches.team_code,
        breaches.overrun_seconds,
        cast(
            coalesce(priority_weights.weight, 1) * coalesce(criticality_weights.weight, 1) as decimal(18, 4)
        ) as impact_weight
    from breaches
    cross join run_context
    left join weights as priority_weights
        on
            priority_weights.weight_kind = 'priority'
            and cast(breaches.priority as varchar) = priority_weights.weight_code
    left join weights as criticality_weights
        on
            criticality_weights.weight_kind = 'criticality'
            and coalesce(cast(breaches.criticality as varchar), 'none') = criticality_weights.weight_code
    -- the twelve months up to as_of
    where cast(breaches.target_reached_at as date) >= {{ add_months('cast(run_context.as_of_at as date)', -12) }}
),

scoped as (
    select
        'service' as scope_type,
        coalesce(service_code, 'unknown') as scope_code,
        slt_code,
        overrun_seconds,
        impact_weight
    from recent
    union all
    select
        'team' as scope_type,
        coalesce(team_code, 'unknown') as scope_code,
        slt_code,
        overrun_seconds,
        impact_weight
    from recent
),

summed as (
    select
        scope_type,
        scope_code,
        slt_code,
        count(*) as breached_count,
        sum(overrun_seconds) as overrun_seconds,
        sum(impact_weight) as breached_weight
    from scoped
    group by scope_type, scope_code, slt_code
),

ranked as (
    select
        *,
        rank() over (partition by scope_type order by breached_count desc) as frequency_rank,
        rank() over (partition by scope_type order by overrun_seconds desc) as duration_rank,
        rank() over (partition by scope_type order by breached_weight desc) as impact_rank,
        count(*) over (partition by scope_type) as candidate_count
    from summed
),

-- a rank as a share: the worst is 1, the last 0, a single candidate 1
normalised as (
    select
        scope_type,
        scope_code,
        slt_code,
        breached_count,
        overrun_seconds,
        breached_weight,
        {% for factor in factors -%}
        case
            when candidate_count = 1 then cast(1 as decimal(18, 6))
            else {{ round_half_up_ratio('candidate_count - ' ~ factor ~ '_rank', 'candidate_count - 1', 6) }}
        end as {{ factor }}_share,
        {{ factor }}_rank,
        {% endfor -%}
        candidate_count
    from ranked
),

factor_weights as (
    select
        max(case when weight_code = 'frequency' then weight end) as frequency_weight,
        max(case when weight_code = 'duration' then weight end) as duration_weight,
        max(case when weight_code = 'impact' then weight end) as impact_weight
    from weights
    where weight_kind = 'factor'
),

scored as (
    select
        normalised.*,
        cast(
            factor_weights.frequency_weight * normalised.frequency_share
            + factor_weights.duration_weight * normalised.duration_share
            + factor_weights.impact_weight * normalised.impact_share as decimal(18, 6)
        ) as priority_share
    from normalised
    cross join factor_weights
),

final as (
    select
        cast(scope_type as varchar) as scope_type,
        cast(scope_code as varchar) as scope_code,
        cast(slt_code as varchar) as slt_code,
        cast(row_number() over (
            partition by scope_type order by priority_share desc, breached_weight desc, scope_code asc, slt_code asc
        ) as integer) as improvement_rank,
        cast(priority_share as decimal(18, 6)) as priority_share,
        cast(breached_count as bigint) as breached_count,
        cast(overrun_seconds as bigint) as overrun_seconds,
        cast(breached_weight as decimal(18, 4)) as breached_weight,
        cast(frequency_rank as integer) as frequency_rank,
        cast(duration_rank as integer) as duration_rank,
        cast(impact_rank as integer) as impact_rank,
        cast(frequency_share as decimal(18, 6)) as frequency_share,
        cast(duration_share as decimal(18, 6)) as duration_share,
        cast(impact_share as decimal(18, 6)) as impact_share
    from scored
)

select * from final
