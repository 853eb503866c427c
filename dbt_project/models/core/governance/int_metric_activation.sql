-- Every definition version: whether its gates held, and the days it is in force. Of the versions that passed, the
-- highest one that has begun is in force; a refused or late one leaves the earlier one in force without a gap.
with metric_definition as (
    select * from {{ ref('metric_definition') }}
),

change as (
    select * from {{ ref('int_metric_change') }}
),

-- of several requests for a version, the one that passed first; without one, the latest
request as (
    select *
    from change
    where change_kind <> 'retirement'
    qualify row_number() over (
            partition by metric_code, metric_version
            order by is_passed desc, effective_from asc, requested_on desc, change_request_id asc
        ) = 1
),

-- the last day before a metric is retired; later versions are another beginning
retirement as (
    select
        metric_definition.metric_code,
        metric_definition.metric_version,
        min(change.effective_from) as retired_from
    from metric_definition
    inner join change
        on
            metric_definition.metric_code = change.metric_code
            and metric_definition.metric_version <= change.metric_version
    where change.change_kind = 'retirement' and change.is_passed
    group by metric_definition.metric_code, metric_definition.metric_version
),

gated as (
    select
        metric_definition.metric_code,
        metric_definition.metric_version,
        metric_definition.effective_from as proposed_from,
        request.change_request_id,
        retirement.retired_from,
        -- of ends only what was voted on: one typed into the definition, or a later proposal, ends and prolongs nothing
        request.proposed_to as approved_to,
        coalesce(request.is_passed, false) as is_passed,
        request.effective_from,
        case when request.change_request_id is null then 'request_missing' else request.gate_faults end as gate_faults
    from metric_definition
    left join request
        on
            metric_definition.metric_code = request.metric_code
            and metric_definition.metric_version = request.metric_version
    left join retirement
        on
            metric_definition.metric_code = retirement.metric_code
            and metric_definition.metric_version = retirement.metric_version
),

timely as (
    select
        *,
        case
            when is_passed and coalesce(effective_from > approved_to, false) then 'effective_after_its_end'
            when is_passed and coalesce(effective_from >= retired_from, false) then 'retired_before_effect'
        end as time_fault
    from gated
),

succeeded as (
    select
        *,
        min(case when is_passed and time_fault is null then effective_from end) over (
            partition by metric_code
            order by metric_version desc
            rows between unbounded preceding and 1 preceding
        ) as succeeded_from
    from timely
),

judged as (
    select
        *,
        concat_ws(
            ', ',
            nullif(gate_faults, ''),
            time_fault,
            case
                when is_passed and time_fault is null and coalesce(effective_from >= succeeded_from, false)
                    then 'overtaken_by_later_version'
            end
        ) as refusal_reasons
    from succeeded
),

final as (
    select
        metric_code,
        metric_version,
        proposed_from,
        change_request_id,
        refusal_reasons = '' as is_activated,
        case when refusal_reasons = '' then effective_from end as effective_from,
        case
            when refusal_reasons = ''
                then nullif(
                        least(
                            coalesce({{ add_days('succeeded_from', -1) }}, date '9999-12-31'),
                            coalesce({{ add_days('retired_from', -1) }}, date '9999-12-31'),
                            coalesce(approved_to, date '9999-12-31')
                        ),
                        date '9999-12-31'
                    )
        end as effective_to,
        nullif(refusal_reasons, '') as refusal_reasons
    from judged
)

select * from final
