with policies as (
    select
        *,
        lag(coalesce(effective_to, date '9999-12-31')) over (
            partition by slo_code, alert_policy_code order by effective_from
        ) as earlier_effective_to
    from {{ ref('slo_alert_policy') }}
),

definitions as (
    select * from {{ ref('int_slo_definition') }}
),

known_slos as (
    select distinct slo_code from definitions
),

-- a policy belongs to a code; it is judged against every version it can meet
met as (
    select
        policies.*,
        known_slos.slo_code is not null as is_slo_known,
        definitions.slo_version,
        definitions.is_effective as is_slo_effective,
        definitions.time_slice_seconds,
        case
            when definitions.window_kind = 'rolling' then definitions.window_days * 86400
            when definitions.calendar_unit = 'week' then 604800
            when definitions.calendar_unit = 'month' then 28 * 86400
            when definitions.calendar_unit = 'quarter' then 90 * 86400
            when definitions.calendar_unit = 'year' then 365 * 86400
        end as shortest_window_seconds
    from policies
    left join known_slos on policies.slo_code = known_slos.slo_code
    left join definitions
        on
            policies.slo_code = definitions.slo_code
            and policies.effective_from <= coalesce(definitions.effective_to, date '9999-12-31')
            and definitions.effective_from <= coalesce(policies.effective_to, date '9999-12-31')
),

judged as (
    select
        *,
        nullif(concat_ws(
            '; ',
            case
                when not is_slo_known
                    then 'SLO ' || slo_code || ' is not in slo_definition.csv'
                when slo_version is null
                    then 'no version of SLO ' || slo_code || ' is in force with it: see effective_from and effective_to'
                when not is_slo_effective
                    then 'version ' || cast(slo_version as varchar) || ' of its SLO is refused: mend that first'
            end,
            case
                when budget_share is null and threshold_factor is null
                    then 'no threshold: give budget_share (or threshold_factor)'
                when budget_share is not null and threshold_factor is not null
                    then 'two thresholds: give budget_share or threshold_factor, not both'
                when coalesce(budget_share, threshold_factor) <= 0
                    then 'the threshold must be above 0'
                when budget_share > 1
                    then 'budget_share is a share of the budget: at most 1'
            end,
            case
                when
                    mod(long_window_seconds, {{ slo_bucket_seconds() }}) <> 0
                    or mod(short_window_seconds, {{ slo_bucket_seconds() }}) <> 0
                    or short_window_seconds < {{ slo_bucket_seconds() }}
                    then 'windows are whole multiples of {{ slo_bucket_seconds() }} seconds'
                when short_window_seconds >= long_window_seconds
                    then 'the short window must be shorter than the long one'
                when short_window_seconds < time_slice_seconds
                    then
                        'the short window is shorter than a slice of ' || cast(time_slice_seconds as varchar)
                        || ' s: lengthen it'
                when long_window_seconds > shortest_window_seconds
                    then 'the long window is longer than the objective''s own window'
            end,
            case
                when effective_to < effective_from
                    then 'effective_to lies before effective_from'
                when earlier_effective_to >= effective_from
                    then 'overlaps an earlier row: end that one the day before ' || cast(effective_from as varchar)
            end
        ), '') as refusal_reason
    from met
),

final as (
    select
        slo_code,
        slo_version,
        alert_policy_code,
        long_window_seconds,
        short_window_seconds,
        budget_share,
        threshold_factor,
        minimum_event_count,
        severity,
        notification_target,
        effective_from,
        effective_to,
        refusal_reason,
        refusal_reason is null as is_effective
    from judged
)

select * from final
