-- What each person earns for each stretch of duty outside hours.
with on_call_duty as (
    select * from {{ ref('fct_on_call_duty') }}
    where duty_status = 'rewarded'
),

-- until the quarter has ended a stronger duty may still take a stretch's place
reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'quarter' and is_complete
),

final as (
    select
        cast({{ md5_of(["'on_call'", 'on_call_duty.on_call_stretch_key']) }} as varchar) as earning_line_id,
        cast('on_call' as varchar) as earning_kind,
        cast(on_call_duty.employee_number as varchar) as employee_number,
        cast(on_call_duty.earned_quarter as varchar) as earned_quarter,
        cast(on_call_duty.team_code as varchar) as team_code,
        cast(on_call_duty.country_code as varchar) as country_code,
        cast(on_call_duty.cost_centre_code as varchar) as cost_centre_code,
        cast(on_call_duty.currency_code as varchar) as currency_code,
        cast(on_call_duty.earned_amount as decimal(18, 2)) as earned_amount,
        cast(on_call_duty.payment_period as varchar) as payment_period,
        cast(on_call_duty.on_call_stretch_key as varchar) as on_call_stretch_key,
        cast(on_call_duty.duty_source as varchar) as duty_source,
        cast(on_call_duty.duty_code as varchar) as duty_code,
        cast(on_call_duty.criticality as integer) as criticality,
        cast(on_call_duty.duty_on as date) as duty_on,
        cast(on_call_duty.duty_number as integer) as duty_number,
        cast(on_call_duty.frequency_factor as decimal(9, 4)) as frequency_factor,
        cast(on_call_duty.rate_amount as decimal(18, 2)) as rate_amount,
        cast(on_call_duty.batch_id as varchar) as batch_id
    from on_call_duty
    inner join reporting_period on on_call_duty.earned_quarter = reporting_period.period_code
)

select * from final
