{%- set audiences = ['customer', 'internal', 'personal'] -%}
with requests as (
    select * from {{ ref('exclusion_request') }}
),

rules as (
    select * from {{ ref('int_exclusion_rule') }}
),

occurrences as (
    select * from {{ ref('int_exclusion_occurrence') }}
),

maintenance_windows as (
    select * from {{ ref('int_maintenance_window') }}
),

categories as (
    select * from {{ ref('exclusion_category') }}
),

category_documents as (
    select * from {{ ref('exclusion_category_document') }}
),

documents as (
    select * from {{ ref('exclusion_document') }}
),

policies as (
    select * from {{ ref('exclusion_policy') }}
),

vendors as (
    select * from {{ ref('vendor') }}
),

item_refusals as (
    select * from {{ ref('int_exclusion_item_refusal') }}
),

audiences as (
    {% for audience in audiences -%}
    select '{{ audience }}' as audience
    {%- if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

-- papers that have not come in are no papers
received_documents as (
    select distinct
        exclusion_id,
        document_type
    from documents
    where received_at is not null and reference is not null
),

missing_documents as (
    select
        requests.exclusion_id,
        {{ string_list("category_documents.document_type || '_missing'", 'category_documents.document_type') }}
            as document_fault
    from requests
    inner join category_documents on requests.category = category_documents.category
    left join received_documents
        on
            requests.exclusion_id = received_documents.exclusion_id
            and category_documents.document_type = received_documents.document_type
    where received_documents.exclusion_id is null
    group by requests.exclusion_id
),

windows as (
    select
        exclusion_id,
        count(*) as occurrence_count,
        sum(case when is_usable then 1 else 0 end) as usable_count
    from occurrences
    group by exclusion_id
),

-- the item is at fault where it leaves a request by item no window that could count
item_faults as (
    select
        requests.exclusion_id,
        max(item_refusals.item_fault) as item_fault
    from requests
    inner join occurrences on requests.exclusion_id = occurrences.exclusion_id
    inner join windows on requests.exclusion_id = windows.exclusion_id
    left join item_refusals
        on
            occurrences.exclusion_id = item_refusals.exclusion_id
            and occurrences.occurrence_number = item_refusals.occurrence_number
    where
        requests.scope_type = 'configuration_item'
        and (occurrences.is_usable or windows.usable_count = 0)
    group by requests.exclusion_id
    having count(item_refusals.item_fault) = count(*)
),

requested as (
    select
        requests.exclusion_id,
        'exclusion_request' as exclusion_source,
        requests.category,
        requests.controllability,
        requests.scope_type,
        requests.scope_code,
        {{ local_to_utc_first('rules.first_starts_local', 'rules.time_zone') }} as starts_at,
        {{ local_to_utc_first('rules.first_ends_local', 'rules.time_zone') }} as ends_at,
        coalesce(windows.occurrence_count, 0) as occurrence_count,
        -- every condition that fails, the decision first, then its papers
        concat_ws(
            ', ',
            case when coalesce(requests.decision, '') <> 'approved' then 'not_approved' end,
            case when requests.approved_by is null then 'approver_missing' end,
            case when requests.requested_by is null then 'requester_missing' end,
            case when requests.approved_by = requests.requested_by then 'approver_is_requester' end,
            case when requests.approved_at is null then 'approval_time_missing' end,
            case when requests.requested_at is null then 'request_time_missing' end,
            case when requests.approved_at < requests.requested_at then 'approved_before_requested' end,
            case when categories.category is null then 'category_unknown' end,
            case
                when
                    requests.requested_at > {{ add_seconds(
                        local_to_utc_first('rules.first_ends_local', 'rules.time_zone'),
                        '86400 * categories.request_deadline_days'
                    ) }}
                    then 'requested_late'
            end,
            missing_documents.document_fault,
            case
                when categories.is_root_cause_required and coalesce(trim(requests.root_cause), '') = ''
                    then 'root_cause_missing'
            end,
            case
                when coalesce(requests.scope_type, '') not in ('service', 'vendor', 'configuration_item', 'all')
                    then 'scope_type_unknown'
                when requests.scope_type = 'all' and requests.scope_code is not null then 'scope_code_not_empty'
                when requests.scope_type <> 'all' and requests.scope_code is null then 'scope_code_missing'
                when requests.scope_type = 'vendor' and vendors.vendor_code is null then 'vendor_unknown'
            end,
            item_faults.item_fault,
            rules.recurrence_fault,
            case
                when rules.recurrence_fault is null and coalesce(windows.occurrence_count, 0) = 0 then 'window_empty'
                when windows.usable_count = 0 then 'approved_after_start'
            end
        ) as own_faults
    from requests
    inner join rules on requests.exclusion_id = rules.exclusion_id
    left join categories on requests.category = categories.category
    left join missing_documents on requests.exclusion_id = missing_documents.exclusion_id
    left join vendors on requests.scope_code = vendors.vendor_code
    left join item_faults on requests.exclusion_id = item_faults.exclusion_id
    left join windows on requests.exclusion_id = windows.exclusion_id
),

candidates as (
    select * from requested
    union all
    select
        exclusion_id,
        exclusion_source,
        'planned_maintenance' as category,
        'within_control' as controllability,
        'service' as scope_type,
        service_code as scope_code,
        starts_at,
        ends_at,
        case when ends_at > starts_at then 1 else 0 end as occurrence_count,
        coalesce(refusal_reason, '') as own_faults
    from maintenance_windows
),

-- policy is that of the day an occurrence begins
counted as (
    select
        candidates.exclusion_id,
        policies.audience,
        bool_or(policies.is_counted) as is_counted,
        bool_or(
            policies.is_counted
            and (
                not coalesce(policies.is_outside_control_required, false)
                or coalesce(candidates.controllability = 'outside_control', false)
            )
        ) as is_counted_by_control,
        bool_or(policies.is_counted and occurrences.is_usable) as is_counted_in_time,
        bool_or(
            policies.is_counted
            and occurrences.is_usable
            and item_refusals.exclusion_id is null
        ) as is_counted_by_item
    from candidates
    inner join occurrences on candidates.exclusion_id = occurrences.exclusion_id
    left join item_refusals
        on
            candidates.scope_type = 'configuration_item'
            and occurrences.exclusion_id = item_refusals.exclusion_id
            and occurrences.occurrence_number = item_refusals.occurrence_number
    inner join policies
        on
            candidates.category = policies.category
            and cast(occurrences.starts_at as date) >= policies.effective_from
            and cast(occurrences.starts_at as date) <= coalesce(policies.effective_to, date '9999-12-31')
    group by candidates.exclusion_id, policies.audience
),

judged as (
    select
        candidates.*,
        audiences.audience,
        concat_ws(
            ', ',
            nullif(candidates.own_faults, ''),
            case
                when not coalesce(counted.is_counted, false) and candidates.occurrence_count > 0
                    then 'category_not_counted'
                when not coalesce(counted.is_counted_by_control, true) then 'within_control'
                when not counted.is_counted_in_time and candidates.own_faults = '' then 'approved_after_start'
                when not counted.is_counted_by_item and candidates.own_faults = '' then 'item_not_verified'
            end
        ) as reasons
    from candidates
    cross join audiences
    left join counted
        on candidates.exclusion_id = counted.exclusion_id and audiences.audience = counted.audience
),

final as (
    select
        exclusion_id,
        exclusion_source,
        audience,
        category,
        controllability,
        scope_type,
        scope_code,
        starts_at,
        ends_at,
        cast(occurrence_count as bigint) as occurrence_count,
        own_faults = '' as is_documented,
        case when reasons = '' then 'effective' else split_part(reasons, ', ', 1) end as reason,
        case when reasons = '' then 'effective' else reasons end as reasons,
        reasons = '' as is_effective
    from judged
)

select * from final
