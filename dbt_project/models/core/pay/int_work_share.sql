-- The days on which a person works less than full time, and what share of them counts for pay: no part of a day of
-- unpaid leave, of other days the share of the signed part-time agreement. Half-open ranges that never overlap; a day
-- without a row counts whole.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

requests as (
    select * from {{ ref('stg_bamboohr__time_off_requests') }}
),

employees as (
    select * from {{ ref('stg_bamboohr__employees') }}
),

leave_rule as (
    select * from {{ ref('leave_rule') }}
),

part_time_agreement as (
    select * from {{ ref('part_time_agreement') }}
),

-- the rule of the leave's first day holds for all of it
reduction as (
    select
        employees.employee_number,
        requests.first_on as from_on,
        {{ add_days('requests.last_on', 1) }} as to_on,
        cast(0 as decimal(9, 4)) as work_share,
        'unpaid_leave ' || requests.time_off_request_id as reason
    from requests
    inner join employees on requests.employee_id = employees.employee_id
    inner join leave_rule
        on
            requests.leave_type = leave_rule.leave_type
            and requests.first_on >= leave_rule.effective_from
            and (leave_rule.effective_to is null or requests.first_on <= leave_rule.effective_to)
    where
        requests.request_status = 'approved'
        and requests.leave_unit = 'days'
        and not leave_rule.is_paid
        and requests.last_on >= requests.first_on

    union all

    -- an agreement takes pay away from the day after its signature on, never before it was signed
    select
        part_time_agreement.employee_number,
        greatest(part_time_agreement.effective_from, {{ add_days('part_time_agreement.signed_on', 1) }}) as from_on,
        coalesce({{ add_days('part_time_agreement.effective_to', 1) }}, date '9999-12-31') as to_on,
        part_time_agreement.work_share,
        'part_time ' || part_time_agreement.agreement_id as reason
    from part_time_agreement
    cross join run_context
    where part_time_agreement.signed_on <= cast(run_context.as_of_at as date)
),

change_day as (
    select
        employee_number,
        from_on
    from reduction
    where from_on < to_on

    union

    select
        employee_number,
        to_on as from_on
    from reduction
    where from_on < to_on
),

piece as (
    select
        employee_number,
        from_on,
        lead(from_on) over (partition by employee_number order by from_on) as to_on
    from change_day
),

final as (
    select
        piece.employee_number,
        piece.from_on,
        piece.to_on,
        cast(min(reduction.work_share) as decimal(9, 4)) as work_share,
        {{ string_list('reduction.reason', 'reduction.reason') }} as reasons
    from piece
    inner join reduction
        on
            piece.employee_number = reduction.employee_number
            and piece.from_on >= reduction.from_on
            and piece.to_on <= reduction.to_on
    group by piece.employee_number, piece.from_on, piece.to_on
)

select * from final
