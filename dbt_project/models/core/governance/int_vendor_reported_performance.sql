-- What vendors report of their components, and whether an agreement lets it count.
with report as (
    select * from {{ ref('vendor_reported_performance') }}
),

permission as (
    select * from {{ ref('int_vendor_data_permission') }}
    where is_effective and data_kind = 'component_report'
),

-- several agreements may allow the same day
allowed as (
    select distinct
        report.vendor_code,
        report.component_code,
        report.measure,
        report.period_month
    from report
    inner join permission
        on
            report.vendor_code = permission.vendor_code
            and report.period_month >= permission.valid_from_on
            and report.period_month <= permission.valid_to_on
),

final as (
    select
        report.vendor_code,
        report.component_code,
        report.measure,
        report.period_month,
        report.reported_share,
        report.reported_on,
        allowed.vendor_code is not null as is_covered
    from report
    left join allowed
        on
            report.vendor_code = allowed.vendor_code
            and report.component_code = allowed.component_code
            and report.measure = allowed.measure
            and report.period_month = allowed.period_month
)

select * from final
