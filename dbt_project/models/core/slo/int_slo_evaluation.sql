with policies as (
    select * from {{ ref('int_slo_alert_policy') }}
    where is_effective
),

definitions as (
    select * from {{ ref('int_slo_definition') }}
    where is_effective
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

bounds as (
    select {{ bucket_start('as_of_at', var('slo_burn_step_seconds', 3600)) }} as last_at
    from run_context
),

instants as (
    select
        {{ instant_spine(
            add_seconds('last_at', '-86400 * ' ~ var('slo_burn_days', 14)),
            'last_at',
            var('slo_burn_step_seconds', 3600)
        ) }} as evaluation_at
    from bounds
),

-- the last instant before it decides the local day: at midnight the day that ends is judged
placed as (
    select
        definitions.slo_code,
        definitions.slo_version,
        definitions.window_kind,
        definitions.window_days,
        definitions.calendar_unit,
        definitions.time_zone,
        instants.evaluation_at,
        cast({{ utc_to_local(add_seconds('instants.evaluation_at', '-1'), 'definitions.time_zone') }} as date)
            as local_on
    from definitions
    cross join instants
    where
        cast({{ utc_to_local(add_seconds('instants.evaluation_at', '-1'), 'definitions.time_zone') }} as date)
        between definitions.effective_from and coalesce(definitions.effective_to, date '9999-12-31')
),

periods as (
    select
        *,
        case
            when window_kind = 'rolling' then window_days * 86400
            else {{ seconds_between(
                local_to_utc('cast(' ~ calendar_window_start('calendar_unit', 'local_on') ~ ' as timestamp)', 'time_zone'),
                local_to_utc(
                    'cast(' ~ calendar_window_end('calendar_unit', calendar_window_start('calendar_unit', 'local_on'))
                    ~ ' as timestamp)', 'time_zone'
                )
            ) }}
        end as period_seconds
    from placed
),

final as (
    select
        periods.slo_code,
        periods.slo_version,
        policies.alert_policy_code,
        periods.evaluation_at,
        policies.severity,
        policies.notification_target,
        policies.long_window_seconds,
        policies.short_window_seconds,
        policies.budget_share,
        policies.threshold_factor,
        policies.minimum_event_count,
        periods.period_seconds,
        {{ add_seconds('periods.evaluation_at', '-policies.long_window_seconds') }} as long_from_at,
        {{ add_seconds('periods.evaluation_at', '-policies.short_window_seconds') }} as short_from_at
    from periods
    inner join policies
        on
            periods.slo_code = policies.slo_code
            and periods.slo_version = policies.slo_version
            and periods.local_on between policies.effective_from and coalesce(policies.effective_to, date '9999-12-31')
)

select * from final
