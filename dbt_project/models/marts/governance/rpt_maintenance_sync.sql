with maintenance_windows as (
    select * from {{ ref('int_maintenance_window') }}
),

occurrences as (
    select * from {{ ref('int_exclusion_occurrence') }}
),

requests as (
    select * from {{ ref('int_exclusion_request') }}
),

synchronised as (
    select
        exclusion_id,
        cast(1 as integer) as occurrence_number,
        exclusion_source,
        source_reference,
        service_code,
        starts_at,
        ends_at,
        refusal_reason,
        batch_id
    from maintenance_windows
),

-- requests are listed with the windows the other calendars should show; one for an item or a vendor names no service
requested as (
    select
        requests.exclusion_id,
        occurrences.occurrence_number,
        requests.exclusion_source,
        requests.exclusion_id as source_reference,
        case when requests.scope_type = 'service' then requests.scope_code end as service_code,
        occurrences.starts_at,
        occurrences.ends_at,
        case
            when not requests.is_documented then requests.reason
            when not occurrences.is_usable then 'approved_after_start'
        end as refusal_reason,
        cast(null as varchar) as batch_id
    from requests
    inner join occurrences on requests.exclusion_id = occurrences.exclusion_id
    where
        requests.exclusion_source = 'exclusion_request'
        and requests.category = 'planned_maintenance'
        and requests.audience = 'internal'
),

windows as (
    select * from synchronised
    union all
    select * from requested
),

-- a downtime without a change is in order by itself, and in one system only
comparable as (
    select *
    from windows
    where coalesce(refusal_reason, 'change_record_missing') = 'change_record_missing'
),

-- one row per window: what the other systems show at the same time, the best match first
matched as (
    select
        comparable.exclusion_id,
        comparable.occurrence_number,
        others.exclusion_source as other_source,
        others.source_reference as other_reference,
        others.starts_at as other_starts_at,
        others.ends_at as other_ends_at,
        others.exclusion_source = comparable.exclusion_source as is_same_source
    from comparable
    inner join comparable as others
        on
            comparable.service_code = others.service_code
            and comparable.exclusion_id <> others.exclusion_id
            and comparable.starts_at < others.ends_at
            and comparable.ends_at > others.starts_at
    qualify row_number() over (
            partition by comparable.exclusion_id, comparable.occurrence_number
            order by
                case when others.exclusion_source = comparable.exclusion_source then 1 else 0 end,
                {{ seconds_between(
                    'greatest(comparable.starts_at, others.starts_at)', 'least(comparable.ends_at, others.ends_at)'
                ) }} desc,
                others.exclusion_id asc
        ) = 1
),

final as (
    select
        cast(windows.exclusion_id as varchar) as exclusion_id,
        cast(windows.occurrence_number as integer) as occurrence_number,
        cast(windows.exclusion_source as varchar) as exclusion_source,
        cast(windows.source_reference as varchar) as source_reference,
        cast(windows.service_code as varchar) as service_code,
        cast(windows.starts_at as timestamp) as starts_at,
        cast(windows.ends_at as timestamp) as ends_at,
        cast(windows.refusal_reason as varchar) as refusal_reason,
        cast(matched.other_source as varchar) as other_source,
        cast(matched.other_reference as varchar) as other_reference,
        cast(matched.other_starts_at as timestamp) as other_starts_at,
        cast(matched.other_ends_at as timestamp) as other_ends_at,
        cast(
            case
                when coalesce(windows.refusal_reason, 'change_record_missing') <> 'change_record_missing' then 'refused'
                when windows.service_code is null then 'not_comparable'
                when matched.exclusion_id is null then 'in_one_system_only'
                when matched.is_same_source then 'overlaps_in_its_own_system'
                when windows.starts_at = matched.other_starts_at and windows.ends_at = matched.other_ends_at
                    then 'in_agreement'
                else 'times_differ'
            end as varchar
        ) as sync_status,
        cast(windows.batch_id as varchar) as batch_id
    from windows
    left join matched
        on
            windows.exclusion_id = matched.exclusion_id
            and windows.occurrence_number = matched.occurrence_number
)

select * from final
