-- What the HRIS says of the people payroll pays against the register: base pay by month (employed, currency, amount
-- where the person's other months tell it) and incentive by quarter (a target, in which currency). HRIS left, register
-- right, full outer, so that every line of pay in the register is in it once.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

pay_source as (
    select * from {{ ref('int_pay_source') }}
),

landed_pay_month as (
    select * from {{ ref('int_landed_pay_month') }}
    where source_name = 'payroll'
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
),

-- payroll's own HRIS; people of another one are paid elsewhere
employment as (
    select * from {{ ref('int_employment') }}
    where hris_system = 'bamboohr' and employee_number is not null
),

employee_assignment as (
    select * from {{ ref('int_employee_assignment') }}
),

team as (
    select * from {{ ref('team') }}
),

-- what is withheld is no pay of its own: it is in the lines it is withheld from
payroll_earning_code as (
    select * from {{ ref('payroll_earning_code') }}
    where earning_role in ('base', 'incentive')
),

register_line as (
    select * from {{ ref('stg_payroll__register_lines') }}
),

run_state as (
    {{ pay_run_state('run_context', 'pay_source', 'payroll') }}
),

-- what was paid before the first register is told by none
first_landed as (
    select min(month_code) as first_month_code
    from landed_pay_month
),

pay_month as (
    select
        reporting_period.period_code as month_code,
        reporting_period.period_start_on as month_start_on,
        reporting_period.period_end_on as month_end_on,
        {{ day_count('reporting_period.period_start_on', 'reporting_period.period_end_on') }} as month_days
    from reporting_period
    cross join first_landed
    where
        reporting_period.period_grain = 'month'
        and (first_landed.first_month_code is null or reporting_period.period_code >= first_landed.first_month_code)
),

employed_month as (
    select
        employment.employee_number,
        pay_month.month_code,
        pay_month.month_days,
        min(greatest(employment.employed_from_on, pay_month.month_start_on)) as first_day_on,
        max({{ add_days(
            'least(coalesce(employment.employed_to_on, pay_month.month_end_on), pay_month.month_end_on)', -1
        ) }}) as last_day_on,
        sum({{ day_count(
            'greatest(employment.employed_from_on, pay_month.month_start_on)',
            'least(coalesce(employment.employed_to_on, pay_month.month_end_on), pay_month.month_end_on)'
        ) }}) as employed_days
    from employment
    inner join pay_month
        on
            employment.employed_from_on < pay_month.month_end_on
            and (employment.employed_to_on is null or employment.employed_to_on > pay_month.month_start_on)
    group by employment.employee_number, pay_month.month_code, pay_month.month_days
),

-- team on the first and the last day employed; the currency of the target, or else of the team
hris_month as (
    select
        employed_month.*,
        last_day.team_code,
        coalesce(last_day.currency_code, team.currency_code) as hris_currency_code,
        coalesce(first_day.team_code = last_day.team_code, false) as is_one_team
    from employed_month
    left join employee_assignment as first_day
        on
            employed_month.employee_number = first_day.employee_number
            and employed_month.first_day_on >= first_day.assigned_from_on
            and (first_day.assigned_to_on is null or employed_month.first_day_on < first_day.assigned_to_on)
    left join employee_assignment as last_day
        on
            employed_month.employee_number = last_day.employee_number
            and employed_month.last_day_on >= last_day.assigned_from_on
            and (last_day.assigned_to_on is null or employed_month.last_day_on < last_day.assigned_to_on)
    left join team on last_day.team_code = team.team_code
),

pay_line as (
    select
        payroll_earning_code.earning_role,
        register_line.payroll_line_id,
        register_line.pay_period,
        register_line.paid_on,
        case payroll_earning_code.earning_role when 'base' then 'base_pay' else 'incentive_target' end
            as attribute_code,
        coalesce(register_line.employee_number, '') as employee_number,
        coalesce(
            case payroll_earning_code.earning_role
                when 'base' then register_line.pay_period
                else register_line.earned_quarter
            end,
            ''
        ) as period_code,
        coalesce(register_line.currency_code, '') as currency_code,
        coalesce(register_line.amount, 0) as amount
    from register_line
    inner join payroll_earning_code on register_line.earning_code = payroll_earning_code.earning_code
),

payroll as (
    select
        attribute_code,
        employee_number,
        period_code,
        currency_code,
        count(*) as payroll_line_count,
        sum(amount) as payroll_amount,
        min(paid_on) as first_paid_on,
        {{ string_list('payroll_line_id', 'payroll_line_id') }} as payroll_line_ids
    from pay_line
    group by attribute_code, employee_number, period_code, currency_code
),

-- whole months of one team, paid in one line: what they say of the person's base pay
full_month as (
    select
        hris_month.employee_number,
        hris_month.team_code,
        hris_month.month_code,
        payroll.currency_code,
        payroll.payroll_amount
    from hris_month
    inner join payroll
        on
            hris_month.employee_number = payroll.employee_number
            and hris_month.month_code = payroll.period_code
            and payroll.attribute_code = 'base_pay'
            and payroll.payroll_line_count = 1
    where hris_month.is_one_team and hris_month.employed_days = hris_month.month_days
),

-- the nearest earlier one, or where there is none the next one
reference_month as (
    select
        hris_month.employee_number,
        hris_month.month_code,
        hris_month.employed_days,
        hris_month.month_days,
        full_month.month_code as reference_month_code,
        full_month.currency_code,
        full_month.payroll_amount as reference_amount
    from hris_month
    inner join full_month
        on
            hris_month.employee_number = full_month.employee_number
            and hris_month.team_code = full_month.team_code
            and hris_month.month_code <> full_month.month_code
    where hris_month.is_one_team
    qualify row_number() over (
            partition by hris_month.employee_number, hris_month.month_code
            order by
                case when full_month.month_code < hris_month.month_code then 0 else 1 end asc,
                case when full_month.month_code < hris_month.month_code then full_month.month_code end desc,
                full_month.month_code asc,
                full_month.currency_code asc
        ) = 1
),

-- a person whose currency the HRIS does not tell is held against the register in the register's
register_currency as (
    select
        employee_number,
        period_code,
        min(currency_code) as currency_code
    from payroll
    where attribute_code = 'base_pay'
    group by employee_number, period_code
),

hris_base as (
    select
        'base_pay' as attribute_code,
        hris_month.employee_number,
        hris_month.month_code as period_code,
        coalesce(hris_month.hris_currency_code, register_currency.currency_code, '') as currency_code,
        hris_month.month_code as due_month_code,
        reference_month.reference_month_code,
        {{ from_integer_units(
            round_half_up_integer(
                integer_units('reference_month.reference_amount', 2) ~ ' * ' ~ exact_integer('hris_month.employed_days'),
                'hris_month.month_days'
            ),
            2
        ) }} as hris_amount,
        'employed ' || cast(hris_month.employed_days as varchar) || ' of '
        || cast(hris_month.month_days as varchar) || ' days' as hris_text
    from hris_month
    left join register_currency
        on
            hris_month.employee_number = register_currency.employee_number
            and hris_month.month_code = register_currency.period_code
    left join reference_month
        on
            hris_month.employee_number = reference_month.employee_number
            and hris_month.month_code = reference_month.month_code
            and reference_month.currency_code = coalesce(
                hris_month.hris_currency_code, register_currency.currency_code
            )
),

-- a target entitles; what it earns is the calculation's matter, so only quarters the register pays for are listed
hris_target as (
    select distinct
        'incentive_target' as attribute_code,
        employee_assignment.employee_number,
        reporting_period.period_code,
        employee_assignment.currency_code,
        cast(null as varchar) as due_month_code,
        cast(null as varchar) as reference_month_code,
        cast(null as decimal(18, 2)) as hris_amount,
        'a target in ' || employee_assignment.currency_code as hris_text
    from employee_assignment
    inner join reporting_period
        on
            reporting_period.period_grain = 'quarter'
            and employee_assignment.assigned_from_on < reporting_period.period_end_on
            and (
                employee_assignment.assigned_to_on is null
                or employee_assignment.assigned_to_on > reporting_period.period_start_on
            )
    inner join payroll
        on
            employee_assignment.employee_number = payroll.employee_number
            and reporting_period.period_code = payroll.period_code
            and payroll.attribute_code = 'incentive_target'
    where employee_assignment.is_in_incentive_plan
),

hris as (
    select * from hris_base

    union all

    select * from hris_target
),

-- a second currency that the register does not pay in is no difference where the first one is paid
joined as (
    select
        hris.due_month_code,
        hris.reference_month_code,
        hris.hris_text,
        payroll.first_paid_on,
        payroll.payroll_line_ids,
        coalesce(hris.attribute_code, payroll.attribute_code) as attribute_code,
        coalesce(hris.employee_number, payroll.employee_number) as employee_number,
        coalesce(hris.period_code, payroll.period_code) as period_code,
        coalesce(hris.currency_code, payroll.currency_code) as currency_code,
        case when hris.employee_number is null then 0 else hris.hris_amount end as hris_amount,
        coalesce(payroll.payroll_amount, 0) as payroll_amount,
        coalesce(payroll.payroll_line_count, 0) as payroll_line_count,
        hris.employee_number is not null as has_hris,
        payroll.employee_number is not null as has_payroll
    from hris
    full outer join payroll
        on
            hris.attribute_code = payroll.attribute_code
            and hris.employee_number = payroll.employee_number
            and hris.period_code = payroll.period_code
            and hris.currency_code = payroll.currency_code
),

judged as (
    select
        joined.*,
        joined.payroll_amount - joined.hris_amount as difference_amount,
        run_state.as_of_at,
        run_state.is_payroll_absent,
        run_state.payroll_status_reason,
        run_state.is_hris_absent,
        run_state.hris_status_reason,
        sum(case when joined.has_hris and not joined.has_payroll then 1 else 0 end) over (
            partition by joined.attribute_code, joined.employee_number, joined.period_code
        ) as unpaid_currency_count,
        sum(
            case when joined.has_payroll and not joined.has_hris and joined.payroll_amount <> 0 then 1 else 0 end
        ) over (
            partition by joined.attribute_code, joined.employee_number, joined.period_code
        ) as unknown_currency_count,
        landed_pay_month.month_code is not null as is_month_landed,
        coalesce(
            run_state.as_of_at >= cast({{ add_months(month_code_start('joined.due_month_code'), 1) }} as timestamp),
            false
        ) as is_month_over,
        {{ add_months(month_code_start('joined.due_month_code'), 1) }} as overdue_from_on
    from joined
    cross join run_state
    left join landed_pay_month on joined.due_month_code = landed_pay_month.month_code
),

classified as (
    select
        *,
        case
            when not has_payroll and unknown_currency_count > 0 then 'wrong_currency'
            when not has_payroll and is_month_landed and is_month_over then 'missing_right'
            when not has_payroll and is_payroll_absent then 'source_absent'
            when not has_payroll then 'timing'
            when not has_hris and payroll_amount = 0 then 'matched'
            when not has_hris and unpaid_currency_count > 0 then 'wrong_currency'
            when not has_hris and is_hris_absent then 'source_absent'
            when not has_hris then 'missing_left'
            when attribute_code = 'base_pay' and payroll_line_count > 1 then 'duplicate'
            when difference_amount <> 0 then 'amount_differs'
            else 'matched'
        end as status
    from judged
    where has_payroll or attribute_code = 'base_pay' or unknown_currency_count > 0
),

explained as (
    select
        *,
        'register ' || cast(cast(payroll_amount as decimal(18, 2)) as varchar) || ' ' || currency_code
        || coalesce(' (line ' || payroll_line_ids || ')', '') as payroll_text,
        case
            when reference_month_code is null
                then 'the HRIS tells no base pay and no other whole month of the team does'
            else
                cast(cast(hris_amount as decimal(18, 2)) as varchar) || ' ' || currency_code
                || ' would be due by the base pay of ' || reference_month_code
        end as amount_text,
        case
            when status = 'matched' then cast(null as date)
            when has_payroll then first_paid_on
            else overdue_from_on
        end as since_on
    from classified
),

final as (
    select
        cast(
            {{ md5_of(['attribute_code', 'employee_number', 'period_code', 'currency_code']) }} as varchar
        ) as rec_key,
        cast(attribute_code as varchar) as attribute_code,
        cast(nullif(employee_number, '') as varchar) as employee_number,
        cast(nullif(period_code, '') as varchar) as period_code,
        cast(nullif(currency_code, '') as varchar) as currency_code,
        cast(has_hris as boolean) as has_hris,
        cast(hris_amount as decimal(18, 2)) as hris_amount,
        cast(payroll_amount as decimal(18, 2)) as payroll_amount,
        cast(difference_amount as decimal(18, 2)) as difference_amount,
        cast(status as varchar) as status,
        cast(
            case
                when since_on is null then 0
                else greatest(0, {{ day_count('since_on', 'as_of_at') }})
            end as integer
        ) as age_days,
        cast(
            case status
                when 'matched'
                    then
                        'Agrees: ' || coalesce(hris_text, 'nothing in the HRIS') || ', ' || payroll_text
                        || case
                            when attribute_code = 'base_pay' and reference_month_code is null
                                then '; its amount is not judged: ' || amount_text
                            else ''
                        end || '.'
                when 'amount_differs'
                    then 'Another amount than the days employed give: ' || hris_text || ', ' || amount_text || ', '
                        || payroll_text || '.'
                when 'missing_right'
                    then
                        'Employed and not paid: ' || hris_text || '; the register of ' || period_code
                        || ' is landed and holds no base pay of this person; ' || amount_text || '.'
                when 'missing_left'
                    then
                        case attribute_code
                            when 'base_pay' then 'Paid and not employed by the HRIS in this month: '
                            else 'Paid an incentive without a target in the HRIS in this quarter: '
                        end || payroll_text || '.'
                when 'timing'
                    then
                        'Not due yet or not told yet: ' || hris_text
                        || case
                            when is_month_over then '; the register of ' || period_code || ' has not been landed.'
                            else '; pay period ' || period_code || ' is not over.'
                        end
                when 'duplicate'
                    then 'More than one line of base pay in one month: ' || hris_text || ', ' || payroll_text || '.'
                when 'wrong_currency'
                    then
                        'Paid in another currency than the HRIS has: here '
                        || coalesce(hris_text, 'nothing in the HRIS') || ', ' || payroll_text
                        || '; the other side stands in a row of its own currency.'
                when 'source_absent' then
                    'Nothing to compare with: '
                    || case
                        when has_payroll then payroll_text || '; HRIS is absent: ' || hris_status_reason
                        else hris_text || '; payroll is absent: ' || payroll_status_reason
                    end || '.'
            end as varchar
        ) as explanation,
        cast(payroll_line_count as bigint) as payroll_line_count,
        cast(payroll_line_ids as varchar) as payroll_line_ids
    from explained
)

select * from final
