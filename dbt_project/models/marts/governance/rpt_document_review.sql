-- Every document that explains a metric or plan: whether it was reviewed within the year and since the metric changed.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

reviews as (
    select * from {{ ref('document_review') }}
),

definitions as (
    select * from {{ ref('int_metric_version_period') }}
),

as_of as (
    select cast(as_of_at as date) as as_of_on
    from run_context
),

-- the review in hand: the latest one that has taken place
latest as (
    select
        reviews.document_code,
        reviews.document_type,
        reviews.title,
        reviews.metric_code,
        reviews.issued_on,
        reviews.owner_role_code,
        as_of.as_of_on,
        case when reviews.reviewed_on <= as_of.as_of_on then reviews.reviewed_on end as reviewed_on,
        case when reviews.reviewed_on <= as_of.as_of_on then reviews.reviewer_employee_number end
            as reviewer_employee_number,
        case when reviews.reviewed_on <= as_of.as_of_on then reviews.outcome end as outcome
    from reviews
    cross join as_of
    qualify row_number() over (
            partition by reviews.document_code
            -- never null: DuckDB loses the other columns of a first row whose only sort key is null
            order by
                case
                    when reviews.reviewed_on <= as_of.as_of_on then reviews.reviewed_on else date '0001-01-01'
                end desc
        ) = 1
),

-- the versions that took effect up to now
changed as (
    select
        latest.document_code,
        count(distinct definitions.metric_code) as metric_count,
        max(definitions.effective_from) as last_changed_on,
        min(case when definitions.effective_from > latest.reviewed_on then definitions.effective_from end)
            as changed_since_on
    from latest
    inner join definitions
        on
            {{ name_fits('definitions.metric_code', 'latest.metric_code') }}
            and definitions.effective_from <= latest.as_of_on
    group by latest.document_code
),

joined as (
    select
        latest.*,
        coalesce(changed.metric_count, 0) as metric_count,
        changed.last_changed_on,
        changed.changed_since_on,
        {{ add_months('coalesce(latest.reviewed_on, latest.issued_on)', 12) }} as review_due_on
    from latest
    left join changed on latest.document_code = changed.document_code
),

judged as (
    select
        *,
        case
            when metric_count = 0 then 'metric_unknown'
            when reviewed_on is null then 'never_reviewed'
            when outcome <> 'accepted' then 'changes_open'
            when changed_since_on is not null then 'definition_changed'
            when review_due_on < as_of_on then 'review_overdue'
            when review_due_on <= {{ add_days('as_of_on', 90) }} then 'due_within_90_days'
            else 'holds'
        end as finding
    from joined
),

final as (
    select
        cast(document_code as varchar) as document_code,
        cast(document_type as varchar) as document_type,
        cast(title as varchar) as title,
        cast(metric_code as varchar) as metric_code,
        cast(metric_count as bigint) as metric_count,
        cast(last_changed_on as date) as last_changed_on,
        cast(reviewed_on as date) as reviewed_on,
        cast(reviewer_employee_number as varchar) as reviewer_employee_number,
        cast(outcome as varchar) as outcome,
        cast(review_due_on as date) as review_due_on,
        cast(finding as varchar) as finding,
        cast(finding in ('holds', 'due_within_90_days') as boolean) as is_holding,
        cast(
            case finding
                when 'metric_unknown' then issued_on
                when 'never_reviewed' then issued_on
                when 'changes_open' then reviewed_on
                when 'definition_changed' then changed_since_on
                when 'review_overdue' then {{ add_days('review_due_on', 1) }}
            end as date
        ) as since_on,
        cast(case when finding <> 'holds' then owner_role_code end as varchar) as act_role_code
    from judged
)

select * from final
