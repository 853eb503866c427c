-- What vendors claim for a month, and whether an agreement lets it count.
with claim as (
    select * from {{ ref('stg_vendor_performance__summaries') }}
),

permission as (
    select * from {{ ref('int_vendor_data_permission') }}
    where is_effective and data_kind = 'performance_drop'
),

-- several agreements may allow the same day
allowed as (
    select distinct
        claim.vendor_code,
        claim.service_code,
        claim.measure,
        claim.period_month
    from claim
    inner join permission
        on
            claim.vendor_code = permission.vendor_code
            and claim.period_month >= permission.valid_from_on
            and claim.period_month <= permission.valid_to_on
),

final as (
    select
        claim.vendor_code,
        claim.service_code,
        claim.measure,
        claim.period_month,
        claim.claimed_share,
        claim.claimed_record_count,
        claim.reported_on,
        claim.batch_id,
        allowed.vendor_code is not null as is_covered
    from claim
    left join allowed
        on
            claim.vendor_code = allowed.vendor_code
            and claim.service_code = allowed.service_code
            and claim.measure = allowed.measure
            and claim.period_month = allowed.period_month
)

select * from final
