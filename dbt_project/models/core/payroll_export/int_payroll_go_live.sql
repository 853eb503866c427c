-- Every decision on the first month the payout ledger pays that is known at the as-of instant, and the one that stands:
-- the last that was taken by somebody entitled to it while its month was not over. What was paid before was paid
-- outside, and a later decision cannot make it payable again.
with payroll_go_live as (
    select * from {{ ref('payroll_go_live') }}
),

payroll_export_demand as (
    select * from {{ ref('payroll_export_demand') }}
),

governance_member as (
    select * from {{ ref('governance_member') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

known as (
    select
        payroll_go_live.*,
        {{ counts_from('payroll_go_live.decided_on', 'payroll_go_live.recorded_at') }} as counts_from_at
    from payroll_go_live
    cross join run_context
    where {{ counts_from('payroll_go_live.decided_on', 'payroll_go_live.recorded_at') }} <= run_context.as_of_at
),

-- on the day it was decided
role_held as (
    select distinct known.go_live_id
    from known
    inner join governance_member
        on
            known.decided_by = governance_member.employee_number
            and known.decided_on >= governance_member.from_on
            and known.decided_on <= coalesce(governance_member.to_on, date '9999-12-31')
    inner join payroll_export_demand on governance_member.role_code = payroll_export_demand.role_code
),

judged as (
    select
        known.*,
        concat_ws(
            ', ',
            case when role_held.go_live_id is null then 'role_not_held' end,
            case when coalesce(known.decided_by = known.prepared_by, true) then 'decider_is_preparer' end,
            case
                when
                    coalesce(
                        known.counts_from_at
                        >= {{ add_months(month_code_start('known.first_payment_period'), 1) }},
                        true
                    )
                    then 'decided_after_first_month'
            end
        ) as faults
    from known
    left join role_held on known.go_live_id = role_held.go_live_id
),

final as (
    select
        go_live_id,
        first_payment_period,
        prepared_by,
        decided_by,
        decided_on,
        recorded_at,
        counts_from_at,
        faults = '' as is_entitled,
        faults = ''
        and row_number() over (
            partition by case when faults = '' then 1 else 0 end order by counts_from_at desc, go_live_id desc
        ) = 1 as is_standing,
        nullif(faults, '') as refusal_reasons
    from judged
)

select * from final
