-- Every cent of every pool: what went to persons, and why the rest did not.
with pool_funding as (
    select * from {{ ref('fct_pool_funding') }}
),

pool_claim as (
    select * from {{ ref('fct_pool_claim') }}
),

funded as (
    select
        pool_code,
        earned_quarter,
        currency_code,
        sum(funded_amount) as funded_amount,
        sum(case when funding_status = 'funded' then 1 else 0 end) as funding_service_count,
        sum(case when funding_status <> 'funded' then 1 else 0 end) as refused_service_count
    from pool_funding
    group by pool_code, earned_quarter, currency_code
),

claimed as (
    select
        pool_code,
        earned_quarter,
        sum(earned_amount) as allocated_amount,
        sum(case when claim_status = 'earned' then unallocated_amount else 0 end) as over_cap_amount,
        sum(case when claim_status = 'team_without_person' then unallocated_amount else 0 end) as no_person_amount,
        sum(case when claim_status = 'left_before_quarter_end' then unallocated_amount else 0 end) as leaver_amount,
        sum(case when claim_status in ('not_in_hris', 'without_team') then unallocated_amount else 0 end)
            as not_placed_amount,
        sum(case when claim_status = 'earned' then 1 else 0 end) as person_count
    from pool_claim
    group by pool_code, earned_quarter
),

final as (
    select
        cast(funded.pool_code as varchar) as pool_code,
        cast(funded.earned_quarter as varchar) as earned_quarter,
        cast(funded.currency_code as varchar) as currency_code,
        cast(funded.funding_service_count as integer) as funding_service_count,
        cast(funded.refused_service_count as integer) as refused_service_count,
        cast(funded.funded_amount as decimal(18, 2)) as funded_amount,
        cast(coalesce(claimed.person_count, 0) as integer) as person_count,
        cast(coalesce(claimed.allocated_amount, 0) as decimal(18, 2)) as allocated_amount,
        cast(funded.funded_amount - coalesce(claimed.allocated_amount, 0) as decimal(18, 2)) as unallocated_amount,
        cast(coalesce(claimed.over_cap_amount, 0) as decimal(18, 2)) as over_cap_amount,
        cast(coalesce(claimed.no_person_amount, 0) as decimal(18, 2)) as no_person_amount,
        cast(coalesce(claimed.leaver_amount, 0) as decimal(18, 2)) as leaver_amount,
        cast(coalesce(claimed.not_placed_amount, 0) as decimal(18, 2)) as not_placed_amount,
        -- nobody of the pool did anything it pays for
        cast(case when claimed.pool_code is null then funded.funded_amount else 0 end as decimal(18, 2))
            as no_claim_amount
    from funded
    left join claimed
        on funded.pool_code = claimed.pool_code and funded.earned_quarter = claimed.earned_quarter
)

select * from final
