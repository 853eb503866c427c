-- Whether the ledger can take each payout line before it is paid: cost centre, account and currency, each known to the
-- governed seeds and open in the ledger's own chart (where one has been landed) on the last day of the payment month.
with fct_incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

cost_centre as (
    select * from {{ ref('cost_centre') }}
),

payout_account as (
    select * from {{ ref('payout_account') }}
),

gl_account as (
    select * from {{ ref('gl_account') }}
    where account_role = 'incentive_expense'
),

ledger_code as (
    select * from {{ ref('int_ledger_code') }}
),

payout_line as (
    select
        payout_line_id,
        'incentive' as earning_kind,
        employee_number,
        earned_quarter,
        payment_period,
        cost_centre_code,
        currency_code,
        payout_amount,
        {{ add_days(add_months(month_code_start('payment_period'), 1), -1) }} as posted_on
    from fct_incentive_payout
),

chart as (
    select
        count(*) filter (where code_kind = 'account') > 0 as has_accounts,
        count(*) filter (where code_kind = 'cost_centre') > 0 as has_cost_centres
    from ledger_code
),

mapped as (
    select
        payout_line.payout_line_id,
        payout_line.earning_kind,
        payout_line.employee_number,
        payout_line.earned_quarter,
        payout_line.payment_period,
        payout_line.cost_centre_code,
        payout_line.currency_code,
        payout_line.payout_amount,
        payout_account.account_code,
        chart.has_accounts,
        chart.has_cost_centres,
        cost_centre.cost_centre_code is not null as is_cost_centre_governed,
        gl_account.account_code is not null as is_account_governed,
        centre_code.ledger_code is not null as is_cost_centre_open,
        account_code.ledger_code is not null as is_account_open,
        coalesce(centre_code.currency_code, cost_centre.currency_code) as book_currency_code,
        cost_centre.currency_code as governed_currency_code
    from payout_line
    cross join chart
    left join cost_centre on payout_line.cost_centre_code = cost_centre.cost_centre_code
    left join payout_account
        on
            payout_line.earning_kind = payout_account.earning_kind
            and payout_line.posted_on >= payout_account.effective_from
            and (payout_account.effective_to is null or payout_line.posted_on <= payout_account.effective_to)
    left join gl_account on payout_account.account_code = gl_account.account_code
    left join ledger_code as centre_code
        on
            centre_code.code_kind = 'cost_centre'
            and payout_line.cost_centre_code = centre_code.ledger_code
            and payout_line.posted_on >= centre_code.effective_from
            and (centre_code.effective_to is null or payout_line.posted_on <= centre_code.effective_to)
    left join ledger_code as account_code
        on
            account_code.code_kind = 'account'
            and payout_account.account_code = account_code.ledger_code
            and payout_line.posted_on >= account_code.effective_from
            and (account_code.effective_to is null or payout_line.posted_on <= account_code.effective_to)
),

judged as (
    select
        *,
        is_cost_centre_governed and (is_cost_centre_open or not has_cost_centres) as is_cost_centre_known,
        is_account_governed and (is_account_open or not has_accounts) as is_account_known,
        coalesce(currency_code = governed_currency_code and currency_code = book_currency_code, false)
            as is_currency_known
    from mapped
),

-- a line that two rows of a chart or of the seed claim would be told twice: it is told once, and refused
counted as (
    select
        *,
        count(*) over (partition by payout_line_id) as mapping_count,
        row_number() over (partition by payout_line_id order by account_code, book_currency_code) as mapping_rank
    from judged
),

final as (
    select
        cast(payout_line_id as varchar) as payout_line_id,
        cast(earning_kind as varchar) as earning_kind,
        cast(employee_number as varchar) as employee_number,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(payment_period as varchar) as payment_period,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast(account_code as varchar) as account_code,
        cast(currency_code as varchar) as currency_code,
        cast(payout_amount as decimal(18, 2)) as payout_amount,
        cast(has_accounts and has_cost_centres as boolean) as is_chart_landed,
        cast(is_cost_centre_known as boolean) as is_cost_centre_known,
        cast(is_account_known as boolean) as is_account_known,
        cast(is_currency_known as boolean) as is_currency_known,
        cast(
            is_cost_centre_known and is_account_known and is_currency_known and mapping_count = 1 as boolean
        ) as is_mapped,
        cast(
            nullif(
                concat_ws(
                    '; ',
                    case
                        when cost_centre_code is null then 'the line has no cost centre'
                        when not is_cost_centre_governed
                            then 'cost centre ' || cost_centre_code || ' is not in the seed cost_centre'
                        when not is_cost_centre_known
                            then
                                'cost centre ' || cost_centre_code || ' is not open in the ledger''s chart in '
                                || coalesce(payment_period, 'an unknown month')
                    end,
                    case
                        when account_code is null
                            then 'no account of the seed payout_account holds for the kind ' || earning_kind
                        when not is_account_governed
                            then 'account ' || account_code || ' is no incentive expense in the seed gl_account'
                        when not is_account_known
                            then
                                'account ' || account_code || ' is not open in the ledger''s chart in '
                                || coalesce(payment_period, 'an unknown month')
                    end,
                    case
                        when currency_code is null then 'the line has no currency'
                        when is_cost_centre_governed and not is_currency_known
                            then
                                'the books of cost centre ' || cost_centre_code || ' are kept in '
                                || coalesce(book_currency_code, 'no known currency') || ', not in ' || currency_code
                    end,
                    case when mapping_count > 1 then 'more than one account or cost centre row holds for it' end
                ),
                ''
            ) as varchar
        ) as refusal_reasons
    from counted
    where mapping_rank = 1
)

select * from final
