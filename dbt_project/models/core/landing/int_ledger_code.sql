-- The ledger's own charts, one row a code and time it is open: accounts and cost centres.
with account as (
    select * from {{ ref('stg_ledger__accounts') }}
),

cost_centre as (
    select * from {{ ref('stg_ledger__cost_centres') }}
),

final as (
    select
        'account' as code_kind,
        account_code as ledger_code,
        cast(null as varchar) as currency_code,
        coalesce(effective_from, date '0001-01-01') as effective_from,
        effective_to,
        batch_id
    from account

    union all

    select
        'cost_centre' as code_kind,
        cost_centre_code as ledger_code,
        currency_code,
        coalesce(effective_from, date '0001-01-01') as effective_from,
        effective_to,
        batch_id
    from cost_centre
)

select * from final
