with definitions as (
    select * from {{ ref('slo_definition') }}
),

services as (
    select * from {{ ref('service') }}
),

slt_definitions as (
    select * from {{ ref('slt_definition') }}
),

slt_codes as (
    select distinct slt_code from slt_definitions
),

compared as (
    select
        definitions.*,
        services.service_code is not null as is_service_known,
        slt_codes.slt_code is not null as is_slt_known,
        max(coalesce(definitions.effective_to, date '9999-12-31')) over (
            partition by definitions.slo_code
            order by definitions.effective_from, definitions.slo_version
            rows between unbounded preceding and 1 preceding
        ) as earlier_effective_to
    from definitions
    left join services on definitions.service_code = services.service_code
    left join slt_codes on definitions.slt_code = slt_codes.slt_code
),

-- each branch says what is wrong and what to write instead; the first ones make the later ones meaningless
judged as (
    select
        *,
        nullif(concat_ws(
            '; ',
            case
                when service_code is not null and not is_service_known
                    then 'service ' || service_code || ' is not in service.csv: add it or name another'
            end,
            case
                when service_code is null and indicator <> 'ticket_attainment'
                    then 'no service: monitor samples are those of a service, name it in service_code'
            end,
            case
                when indicator = 'ticket_attainment' and slt_code is null
                    then 'no slt_code: ticket attainment is that of one SLT, name it'
                when indicator = 'ticket_attainment' and not is_slt_known
                    then 'SLT ' || slt_code || ' is not in slt_definition.csv: add it or name another'
                when indicator <> 'ticket_attainment' and slt_code is not null
                    then 'slt_code given for monitor samples: leave it empty'
                when indicator not in ('sample_time', 'monitor_samples') and sample_kind is not null
                    then 'sample_kind given for what is not sampled: leave it empty'
            end,
            case
                when target_share <= 0 or target_share >= 1
                    then 'target_share must lie between 0 and 1, both exclusive: a target of 1 leaves no budget'
            end,
            case
                when indicator = 'ticket_attainment' and budgeting_method <> 'occurrences'
                    then 'time slices need monitor samples: use occurrences for tickets'
                when
                    budgeting_method = 'occurrences'
                    and (time_slice_seconds is not null or time_slice_target_share is not null)
                    then 'occurrences have no time slices: leave time_slice_seconds and _target_share empty'
                when budgeting_method <> 'occurrences' and time_slice_seconds is null
                    then 'no time_slice_seconds: say how long a slice is'
                when
                    budgeting_method <> 'occurrences'
                    and (
                        time_slice_seconds <= 0
                        or mod(time_slice_seconds, {{ slo_bucket_seconds() }}) <> 0
                        or mod(86400, greatest(time_slice_seconds, 1)) <> 0
                    )
                    then
                        'a slice of ' || cast(time_slice_seconds as varchar) || ' s: take a multiple of '
                        || '{{ slo_bucket_seconds() }} that divides a day, such as 300, 900 or 3600'
                when budgeting_method = 'timeslices' and time_slice_target_share is null
                    then 'no time_slice_target_share: say from which share of good a slice is good'
                when budgeting_method = 'timeslices' and (time_slice_target_share <= 0 or time_slice_target_share > 1)
                    then 'time_slice_target_share must be above 0 and at most 1'
                when budgeting_method = 'ratio_timeslices' and time_slice_target_share is not null
                    then 'ratio_timeslices averages the slices: leave time_slice_target_share empty'
            end,
            case
                when window_kind = 'rolling' and (window_days is null or window_days < 1)
                    then 'no window_days: say how many days the rolling window has'
                when window_kind = 'rolling' and calendar_unit is not null
                    then 'a rolling window has no calendar_unit: leave it empty'
                when window_kind = 'calendar' and calendar_unit is null
                    then 'no calendar_unit: say week, month, quarter or year'
                when window_kind = 'calendar' and window_days is not null
                    then 'a calendar window has no window_days: leave it empty'
            end,
            case
                when not {{ is_time_zone('time_zone') }}
                    then 'time zone ' || time_zone || ' is unknown: write an IANA name such as Europe/Dublin'
            end,
            case
                when effective_to < effective_from
                    then 'effective_to lies before effective_from'
                when earlier_effective_to >= effective_from
                    then 'overlaps an earlier version: end that one the day before ' || cast(effective_from as varchar)
            end
        ), '') as refusal_reason
    from compared
),

final as (
    select
        slo_code,
        slo_version,
        slo_name,
        service_code,
        indicator,
        slt_code,
        sample_kind,
        budgeting_method,
        target_share,
        time_slice_seconds,
        time_slice_target_share,
        window_kind,
        window_days,
        calendar_unit,
        time_zone,
        exclusion_effect,
        minimum_event_count,
        effective_from,
        effective_to,
        case
            when budgeting_method = 'timeslices' then 'slice'
            when budgeting_method = 'ratio_timeslices' then 'slice_millionth'
            when indicator in ('monitor_time', 'sample_time') then 'second'
            when indicator = 'monitor_samples' then 'sample'
            else 'ticket'
        end as counted_unit,
        refusal_reason,
        refusal_reason is null as is_effective
    from judged
)

select * from final
