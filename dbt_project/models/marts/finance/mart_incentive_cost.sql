-- What incentives cost, laid on the services and business units the paid teams worked for: in proportion to the tickets
-- each team resolved in the quarter, by largest remainder, so that the parts are the payouts to the cent.
with fct_incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

observation_ticket as (
    select * from {{ ref('int_observation_ticket') }}
),

service as (
    select * from {{ ref('service') }}
),

business_unit as (
    select * from {{ ref('business_unit') }}
),

cost as (
    select
        earned_quarter,
        payment_period,
        team_code,
        cost_centre_code,
        currency_code,
        sum(payout_amount) as payout_amount
    from fct_incentive_payout
    group by earned_quarter, payment_period, team_code, cost_centre_code, currency_code
),

work as (
    select
        team_code,
        {{ quarter_code('observed_at') }} as earned_quarter,
        service_code,
        business_unit_code,
        sum(ticket_count) as ticket_count
    from observation_ticket
    where team_code is not null
    group by team_code, {{ quarter_code('observed_at') }}, service_code, business_unit_code
    having sum(ticket_count) > 0
),

-- a team that resolved nothing is paid all the same: its cost stands on no service
spread as (
    select
        cost.*,
        work.service_code,
        work.business_unit_code,
        coalesce(work.ticket_count, 0) as ticket_count,
        case when work.team_code is null then 'unallocated' else 'tickets_resolved' end as allocation_basis,
        coalesce(work.ticket_count, 1) as share_units,
        sum(coalesce(work.ticket_count, 1)) over (
            partition by
                cost.earned_quarter, cost.payment_period, cost.team_code, cost.cost_centre_code, cost.currency_code
        ) as whole_units
    from cost
    left join work
        on
            cost.team_code = work.team_code
            and cost.earned_quarter = work.earned_quarter
),

allocated as (
    select
        *,
        {{ from_integer_units(
            '(' ~ allocate_largest_remainder(
                'abs(' ~ integer_units('payout_amount', 2) ~ ') * share_units',
                'whole_units',
                'earned_quarter, payment_period, team_code, cost_centre_code, currency_code',
                "coalesce(service_code, ''), coalesce(business_unit_code, '')"
            ) ~ ') * case when payout_amount < 0 then -1 else 1 end',
            2
        ) }} as cost_amount
    from spread
),

final as (
    select
        cast(
            {{ md5_of([
                'allocated.earned_quarter', 'allocated.payment_period', 'allocated.team_code',
                'allocated.cost_centre_code', 'allocated.currency_code', 'allocated.service_code',
                'allocated.business_unit_code'
            ]) }} as varchar
        ) as cost_key,
        cast(allocated.earned_quarter as varchar) as earned_quarter,
        cast(allocated.payment_period as varchar) as payment_period,
        cast(allocated.team_code as varchar) as team_code,
        cast(allocated.cost_centre_code as varchar) as cost_centre_code,
        cast(allocated.business_unit_code as varchar) as business_unit_code,
        cast(business_unit.business_unit_name as varchar) as business_unit_name,
        cast(allocated.service_code as varchar) as service_code,
        cast(service.service_name as varchar) as service_name,
        cast(allocated.allocation_basis as varchar) as allocation_basis,
        cast(allocated.ticket_count as bigint) as ticket_count,
        cast({{ round_half_up_ratio('allocated.share_units', 'allocated.whole_units', 6) }} as decimal(18, 6))
            as allocation_share,
        cast(allocated.cost_amount as decimal(18, 2)) as cost_amount,
        cast(allocated.currency_code as varchar) as currency_code
    from allocated
    left join service on allocated.service_code = service.service_code
    left join business_unit on allocated.business_unit_code = business_unit.business_unit_code
)

select * from final
