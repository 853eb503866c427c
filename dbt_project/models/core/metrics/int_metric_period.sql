-- Which version of a metric is measured in which period: the one in force on the period's first day, which decides the
-- whole period, and beside it what is replayed: each version metric_replay asks for, and for teams every version over
-- the last complete quarters, so that a proposal stands beside what holds before anybody votes on it.
with version_period as (
    select * from {{ ref('int_metric_version_period') }}
),

metric_replay as (
    select * from {{ ref('metric_replay') }}
),

metric_definition as (
    select * from {{ ref('metric_definition') }}
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
),

last_quarter as (
    select max(period_end_on) as looked_back_to_on
    from reporting_period
    where period_grain = 'quarter' and is_complete
),

in_force as (
    select
        version_period.metric_code,
        version_period.metric_version,
        version_period.effective_from,
        reporting_period.period_grain,
        reporting_period.period_start_on,
        reporting_period.period_end_on,
        reporting_period.is_complete
    from version_period
    inner join reporting_period
        on
            version_period.effective_from <= reporting_period.period_start_on
            and (
                version_period.effective_to is null
                or version_period.effective_to >= reporting_period.period_start_on
            )
),

-- null: of all entity types
asked as (
    select
        metric_code,
        metric_version,
        replayed_from_on,
        {{ add_days('replayed_to_on', 1) }} as replayed_before_on,
        cast(null as varchar) as replayed_entity_type
    from metric_replay
    union all
    select
        metric_definition.metric_code,
        metric_definition.metric_version,
        {{ add_months('last_quarter.looked_back_to_on', -3 * var('metric_replay_quarter_count')) }} as replayed_from_on,
        last_quarter.looked_back_to_on as replayed_before_on,
        'team' as replayed_entity_type
    from metric_definition
    cross join last_quarter
),

-- asked for twice, the wider one holds
replayed as (
    select
        asked.metric_code,
        asked.metric_version,
        reporting_period.period_grain,
        reporting_period.period_start_on,
        reporting_period.period_end_on,
        reporting_period.is_complete,
        case
            when count(*) = count(asked.replayed_entity_type) then min(asked.replayed_entity_type)
        end as replayed_entity_type
    from asked
    inner join reporting_period
        on
            reporting_period.period_start_on >= asked.replayed_from_on
            and reporting_period.period_start_on < asked.replayed_before_on
    group by
        asked.metric_code, asked.metric_version, reporting_period.period_grain, reporting_period.period_start_on,
        reporting_period.period_end_on, reporting_period.is_complete
),

final as (
    select
        metric_code,
        metric_version,
        effective_from,
        period_grain,
        period_start_on,
        period_end_on,
        is_complete,
        true as is_in_force,
        cast(null as varchar) as replayed_entity_type
    from in_force
    union all
    select
        replayed.metric_code,
        replayed.metric_version,
        cast(null as date) as effective_from,
        replayed.period_grain,
        replayed.period_start_on,
        replayed.period_end_on,
        replayed.is_complete,
        false as is_in_force,
        replayed.replayed_entity_type
    from replayed
    left join in_force
        on
            replayed.metric_code = in_force.metric_code
            and replayed.metric_version = in_force.metric_version
            and replayed.period_grain = in_force.period_grain
            and replayed.period_start_on = in_force.period_start_on
    where in_force.metric_code is null
)

select * from final
