{%- set audiences = ['customer', 'internal', 'personal'] -%}
with requests as (
    select * from {{ ref('exclusion_request') }}
),

categories as (
    select * from {{ ref('exclusion_category') }}
),

policies as (
    select * from {{ ref('exclusion_policy') }}
),

audiences as (
    {% for audience in audiences -%}
    select '{{ audience }}' as audience
    {%- if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

judged as (
    select
        requests.exclusion_id,
        audiences.audience,
        requests.category,
        requests.scope_type,
        requests.scope_code,
        requests.starts_at,
        requests.ends_at,
        -- the first condition that fails is the reason: the decision, then its papers, then policy
        case
            when requests.decision is null or requests.decision <> 'approved' then 'not_approved'
            when requests.approved_by is null then 'approver_missing'
            when requests.requested_by is null then 'requester_missing'
            when requests.approved_by = requests.requested_by then 'approver_is_requester'
            when requests.approved_at is null then 'approval_time_missing'
            when categories.category is null then 'category_unknown'
            when categories.is_evidence_required and requests.evidence_reference is null
                then 'evidence_missing'
            when categories.is_root_cause_required and requests.root_cause is null then 'root_cause_missing'
            when not coalesce(policies.is_counted, false) then 'category_not_counted'
            when
                requests.starts_at is null
                or requests.ends_at is null
                or requests.ends_at <= requests.starts_at
                then 'window_empty'
            else 'effective'
        end as reason
    from requests
    cross join audiences
    left join categories on requests.category = categories.category
    left join policies
        on
            requests.category = policies.category
            and audiences.audience = policies.audience
            and cast(requests.starts_at as date) >= policies.effective_from
            and cast(requests.starts_at as date) <= coalesce(policies.effective_to, date '9999-12-31')
),

final as (
    select
        *,
        reason = 'effective' as is_effective
    from judged
)

select * from final
