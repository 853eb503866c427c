-- What a period demands before it can be closed, and what is still missing, as known at the as-of instant. The gates
-- and the order of closing are judged by the close itself, after this was built.
with incentive_period as (
    select * from {{ ref('int_incentive_period') }}
),

fct_incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

approval as (
    select * from {{ ref('int_period_approval') }}
),

period_approval_demand as (
    select * from {{ ref('period_approval_demand') }}
),

close_difference as (
    select * from {{ ref('rpt_close_difference') }}
),

closed_period as (
    select * from {{ ref('int_closed_period') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

period as (
    select
        earned_quarter as period_code,
        max(period_end_on) as period_end_on,
        bool_and(is_complete) as is_complete
    from incentive_period
    group by earned_quarter
),

calculated as (
    select
        earned_quarter as period_code,
        currency_code,
        sum(payout_amount) as payout_amount
    from fct_incentive_payout
    group by earned_quarter, currency_code
),

-- every currency of an approval or of what it approves, so that one that is left out is seen
approval_head as (
    select distinct
        approval_id,
        period_code
    from approval
),

approval_currency as (
    select
        approval_head.approval_id,
        approval_head.period_code,
        calculated.currency_code
    from approval_head
    inner join calculated on approval_head.period_code = calculated.period_code

    union

    select
        approval_id,
        period_code,
        currency_code
    from approval
),

compared as (
    select
        approval_currency.approval_id,
        {{ string_list(
            "'approved ' || coalesce(cast(approval.control_total_amount as varchar), 'nothing') || ' '
                || approval_currency.currency_code || ', calculated '
                || coalesce(cast(cast(calculated.payout_amount as decimal(18, 2)) as varchar), 'nothing')",
            'approval_currency.currency_code'
        ) }} as total_differences
    from approval_currency
    left join approval
        on
            approval_currency.approval_id = approval.approval_id
            and approval_currency.currency_code = approval.currency_code
    left join calculated
        on
            approval_currency.period_code = calculated.period_code
            and approval_currency.currency_code = calculated.currency_code
    where
        approval.control_total_amount is null
        or calculated.payout_amount is null
        or approval.control_total_amount <> calculated.payout_amount
    group by approval_currency.approval_id
),

-- one row per approval, whatever currencies it has
judged_approval as (
    select
        approval.approval_id,
        approval.period_code,
        approval.approval_kind,
        approval.role_code,
        min(approval.approved_by) as approved_by,
        bool_and(approval.is_entitled) and max(compared.total_differences) is null as is_counted,
        concat_ws(
            ', ',
            max(approval.refusal_reasons),
            'control_total_differs (' || max(compared.total_differences) || ')'
        ) as faults
    from approval
    left join compared on approval.approval_id = compared.approval_id
    group by approval.approval_id, approval.period_code, approval.approval_kind, approval.role_code
),

approval_demand as (
    select
        period.period_code,
        period_approval_demand.approval_kind || '_is_approved_by_' || period_approval_demand.role_code as demand_code,
        count(*) filter (where judged_approval.is_counted) > 0 as is_met,
        count(judged_approval.approval_id) filter (where not judged_approval.is_counted) as finding_count,
        {{ string_list(
            "case
                when not judged_approval.is_counted
                    then judged_approval.approval_id || ' by ' || judged_approval.approved_by || ': ' || judged_approval.faults
            end",
            'judged_approval.approval_id'
        ) }} as refused
    from period
    cross join period_approval_demand
    left join judged_approval
        on
            period.period_code = judged_approval.period_code
            and period_approval_demand.approval_kind = judged_approval.approval_kind
            and period_approval_demand.role_code = judged_approval.role_code
    group by period.period_code, period_approval_demand.approval_kind, period_approval_demand.role_code
),

signer as (
    select
        period_code,
        min(approved_by) as first_signer,
        max(approved_by) as last_signer
    from judged_approval
    where is_counted
    group by period_code
),

-- a line that names no quarter belongs to none and holds up all that are still open
asked_difference as (
    select
        period.period_code,
        case
            when close_difference.earned_quarter is null then 'lines_without_a_period_are_explained'
            when close_difference.finding = 'not_told_yet' then close_difference.rec_name || '_is_told'
            else close_difference.rec_name || '_is_explained'
        end as demand_code,
        close_difference.is_explained,
        close_difference.rec_explanation
        || coalesce(' Refused: ' || close_difference.refused_acceptances || '.', '') as finding,
        row_number() over (
            partition by
                period.period_code, close_difference.rec_name, close_difference.earned_quarter, close_difference.finding
            order by abs(close_difference.difference_amount) desc, close_difference.rec_difference_key
        ) as finding_rank
    from period
    inner join close_difference
        on period.period_code = coalesce(close_difference.earned_quarter, period.period_code)
),

difference_demand_code as (
    select 'rec_payout_to_payroll_is_explained' as demand_code

    union all

    select 'rec_payout_to_payroll_is_told' as demand_code

    union all

    select 'rec_payout_to_gl_is_explained' as demand_code

    union all

    select 'rec_payout_to_gl_is_told' as demand_code

    union all

    select 'lines_without_a_period_are_explained' as demand_code
),

difference_demand as (
    select
        period.period_code,
        difference_demand_code.demand_code,
        count(asked_difference.period_code) filter (where not asked_difference.is_explained) as finding_count,
        {{ string_list(
            'case
                when asked_difference.finding_rank <= 3 and not asked_difference.is_explained
                    then asked_difference.finding
            end',
            'asked_difference.finding_rank, asked_difference.finding'
        ) }} as finding
    from period
    cross join difference_demand_code
    left join asked_difference
        on
            period.period_code = asked_difference.period_code
            and difference_demand_code.demand_code = asked_difference.demand_code
    group by period.period_code, difference_demand_code.demand_code
),

listed as (
    select
        period_code,
        'period_is_over' as demand_code,
        is_complete as is_met,
        case when is_complete then 0 else 1 end as finding_count,
        case
            when not is_complete then 'the quarter ends before ' || cast(period_end_on as varchar)
        end as finding
    from period

    union all

    select
        period.period_code,
        'something_was_calculated' as demand_code,
        count(calculated.period_code) > 0 as is_met,
        case when count(calculated.period_code) > 0 then 0 else 1 end as finding_count,
        case when count(calculated.period_code) = 0 then 'no payout line was calculated for it' end as finding
    from period
    left join calculated on period.period_code = calculated.period_code
    group by period.period_code

    union all

    select
        period_code,
        demand_code,
        is_met,
        case when is_met then 0 else greatest(finding_count, 1) end as finding_count,
        case when not is_met then coalesce(refused, 'nobody has signed it') end as finding
    from approval_demand

    union all

    select
        period.period_code,
        'approvals_are_of_two_persons' as demand_code,
        coalesce(signer.first_signer <> signer.last_signer, false) as is_met,
        case when coalesce(signer.first_signer <> signer.last_signer, false) then 0 else 1 end as finding_count,
        case
            when signer.period_code is null then 'no approval counts'
            when signer.first_signer = signer.last_signer then 'all that count are of ' || signer.first_signer
        end as finding
    from period
    left join signer on period.period_code = signer.period_code

    union all

    select
        period_code,
        demand_code,
        finding_count = 0 as is_met,
        finding_count,
        finding
    from difference_demand
),

final as (
    select
        cast(listed.period_code as varchar) as period_code,
        cast(listed.demand_code as varchar) as demand_code,
        cast(listed.is_met as boolean) as is_met,
        cast(listed.finding_count as bigint) as finding_count,
        cast(listed.finding as varchar) as finding,
        cast(closed_period.period_code is not null as boolean) as is_closed,
        cast(run_context.as_of_at as timestamp) as as_of_at
    from listed
    cross join run_context
    left join closed_period on listed.period_code = closed_period.period_code
)

select * from final
