-- Every decision on the first month the payout ledger pays that is known at the as-of instant, and the ones that stand,
-- one for each kind of pay named by itself and one for every other: the last taken by somebody entitled to it before
-- its month began, while the month that stood until then had not begun either and nothing before it had been exported.
-- What was paid before was paid outside: no later decision makes it payable, nor makes unpaid pay paid outside.
with payroll_go_live as (
    select * from {{ ref('payroll_go_live') }}
),

payroll_export_demand as (
    select * from {{ ref('payroll_export_demand') }}
),

governance_member as (
    select * from {{ ref('governance_member') }}
),

exported_line as (
    select * from {{ ref('int_payroll_export_ledger_line') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

known as (
    select
        payroll_go_live.go_live_id,
        payroll_go_live.first_payment_period,
        nullif(payroll_go_live.earning_kind, '') as earning_kind,
        payroll_go_live.prepared_by,
        payroll_go_live.decided_by,
        payroll_go_live.decided_on,
        payroll_go_live.recorded_at,
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
        coalesce(known.earning_kind, '') as scope_kind,
        concat_ws(
            ', ',
            case when role_held.go_live_id is null then 'role_not_held' end,
            case when coalesce(known.decided_by = known.prepared_by, true) then 'decider_is_preparer' end,
            case
                when coalesce(known.counts_from_at >= {{ month_code_start('known.first_payment_period') }}, true)
                    then 'first_month_had_begun'
            end
        ) as faults
    from known
    left join role_held on known.go_live_id = role_held.go_live_id
),

previous as (
    select
        go_live_id,
        scope_kind,
        first_payment_period,
        counts_from_at,
        coalesce(
            counts_from_at >= {{ month_code_start(
                'lag(first_payment_period) over (partition by scope_kind order by counts_from_at, go_live_id)'
            ) }},
            false
        ) as is_after_live
    from judged
    where faults = ''
),

-- once the month that stands has begun no later decision counts: what stood then stands for good
in_time as (
    select
        go_live_id,
        scope_kind,
        first_payment_period,
        counts_from_at,
        bool_or(is_after_live) over (
            partition by scope_kind
            order by counts_from_at, go_live_id
            rows between unbounded preceding and current row
        ) as is_after_live
    from previous
),

exported_kind as (
    select
        earning_kind,
        min(payment_period) as payment_period
    from exported_line
    group by earning_kind
),

-- kinds with a decision of their own that nothing exported speaks against
named_kind as (
    select distinct in_time.scope_kind as earning_kind
    from in_time
    left join exported_kind on in_time.scope_kind = exported_kind.earning_kind
    where
        not in_time.is_after_live
        and in_time.scope_kind <> ''
        and coalesce(exported_kind.payment_period >= in_time.first_payment_period, true)
),

exported_scope as (
    select
        earning_kind as scope_kind,
        payment_period
    from exported_kind

    union all

    select
        '' as scope_kind,
        min(exported_kind.payment_period) as payment_period
    from exported_kind
    left join named_kind on exported_kind.earning_kind = named_kind.earning_kind
    where named_kind.earning_kind is null
),

held_against_exports as (
    select
        in_time.*,
        coalesce(exported_scope.payment_period < in_time.first_payment_period, false) as is_after_export
    from in_time
    left join exported_scope on in_time.scope_kind = exported_scope.scope_kind
),

-- a decision that an earlier month was exported against, and that no later one had set right
timed as (
    select
        go_live_id,
        is_after_live or (
            is_after_export
            and not coalesce(
                bool_or(not is_after_live and not is_after_export) over (
                    partition by scope_kind
                    order by counts_from_at, go_live_id
                    rows between 1 following and unbounded following
                ),
                false
            )
        ) as is_decided_after_live
    from held_against_exports
),

faulted as (
    select
        judged.*,
        case when timed.is_decided_after_live then 'decided_after_live' else judged.faults end as all_faults
    from judged
    left join timed on judged.go_live_id = timed.go_live_id
),

final as (
    select
        go_live_id,
        first_payment_period,
        earning_kind,
        prepared_by,
        decided_by,
        decided_on,
        recorded_at,
        counts_from_at,
        all_faults = '' as is_entitled,
        all_faults = ''
        and row_number() over (
            partition by scope_kind, case when all_faults = '' then 1 else 0 end
            order by counts_from_at desc, go_live_id desc
        ) = 1 as is_standing,
        nullif(all_faults, '') as refusal_reasons
    from faulted
)

select * from final
