-- What a closed period would pay if it were calculated today, less what it was closed with, by payout line: empty while
-- nothing has come to light since. A closed period is never changed; what stands here is for lines in the open period.
with closed_period as (
    select * from {{ ref('int_closed_period') }}
),

closed_payout_line as (
    select * from {{ ref('int_closed_payout_line') }}
),

fct_incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

fct_payout_ledger as (
    select * from {{ ref('fct_payout_ledger') }}
    where item_kind = 'earning'
),

-- what the ledger has come to for a line, whenever it was booked
booked as (
    select
        earning_line_id,
        sum(amount) as ledger_amount
    from fct_payout_ledger
    group by earning_line_id
),

recalculated as (
    select fct_incentive_payout.*
    from fct_incentive_payout
    inner join closed_period on fct_incentive_payout.earned_quarter = closed_period.period_code
),

compared as (
    select
        coalesce(closed_payout_line.period_code, recalculated.earned_quarter) as period_code,
        coalesce(closed_payout_line.payout_line_id, recalculated.payout_line_id) as payout_line_id,
        coalesce(closed_payout_line.plan_code, recalculated.plan_code) as plan_code,
        coalesce(closed_payout_line.plan_version, recalculated.plan_version) as plan_version,
        coalesce(closed_payout_line.employee_number, recalculated.employee_number) as employee_number,
        coalesce(closed_payout_line.team_code, recalculated.team_code) as team_code,
        coalesce(closed_payout_line.cost_centre_code, recalculated.cost_centre_code) as cost_centre_code,
        coalesce(closed_payout_line.component_code, recalculated.component_code) as component_code,
        coalesce(closed_payout_line.segment_start_on, recalculated.segment_start_on) as segment_start_on,
        coalesce(closed_payout_line.currency_code, recalculated.currency_code) as currency_code,
        closed_payout_line.payout_amount as archived_amount,
        recalculated.payout_amount as recalculated_amount,
        closed_payout_line.paid_value as archived_value,
        recalculated.paid_value as recalculated_value,
        case
            when recalculated.payout_line_id is null then 'gone'
            when closed_payout_line.payout_line_id is null then 'new'
            else 'changed'
        end as restatement_kind,
        concat_ws(
            ', ',
            case when closed_payout_line.paid_value is distinct from recalculated.paid_value then 'metric_result' end,
            case
                when closed_payout_line.payout_share is distinct from recalculated.payout_share then 'payout_share'
            end,
            case
                when closed_payout_line.target_amount is distinct from recalculated.target_amount then 'target_amount'
            end,
            case when closed_payout_line.weight is distinct from recalculated.weight then 'weight' end,
            case when closed_payout_line.segment_end_on is distinct from recalculated.segment_end_on then 'segment' end,
            case when closed_payout_line.team_code is distinct from recalculated.team_code then 'team' end
        ) as differing_inputs
    from closed_payout_line
    full outer join recalculated
        on
            closed_payout_line.payout_line_id = recalculated.payout_line_id
            and closed_payout_line.period_code = recalculated.earned_quarter
),

restated as (
    select
        compared.*,
        coalesce(compared.recalculated_amount, 0) - coalesce(compared.archived_amount, 0) as difference_amount,
        coalesce(booked.ledger_amount, 0) - coalesce(compared.archived_amount, 0) as booked_amount
    from compared
    left join booked on compared.payout_line_id = booked.earning_line_id
    where
        compared.restatement_kind <> 'changed'
        or compared.archived_amount <> compared.recalculated_amount
),

final as (
    select
        cast({{ md5_of(['period_code', 'payout_line_id']) }} as varchar) as restatement_key,
        cast(period_code as varchar) as period_code,
        cast(payout_line_id as varchar) as payout_line_id,
        cast(plan_code as varchar) as plan_code,
        cast(plan_version as integer) as plan_version,
        cast(employee_number as varchar) as employee_number,
        cast(team_code as varchar) as team_code,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast(component_code as varchar) as component_code,
        cast(segment_start_on as date) as segment_start_on,
        cast(currency_code as varchar) as currency_code,
        cast(restatement_kind as varchar) as restatement_kind,
        cast(case when restatement_kind = 'changed' then nullif(differing_inputs, '') end as varchar) as changed_inputs,
        cast(archived_value as decimal(18, 6)) as archived_value,
        cast(recalculated_value as decimal(18, 6)) as recalculated_value,
        cast(coalesce(archived_amount, 0) as decimal(18, 2)) as archived_amount,
        cast(coalesce(recalculated_amount, 0) as decimal(18, 2)) as recalculated_amount,
        cast(difference_amount as decimal(18, 2)) as difference_amount,
        cast(booked_amount as decimal(18, 2)) as booked_amount,
        cast(difference_amount = booked_amount as boolean) as is_booked
    from restated
)

select * from final
