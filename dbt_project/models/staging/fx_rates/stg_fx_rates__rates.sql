with source as (
    select * from {{ source('fx_rates', 'rate') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('fx_rates', 'rate', ['rate_on', 'from_currency', 'to_currency', 'rate_source']) }}
),

renamed as (
    select
        {{ to_date('rate_on') }} as rate_on,
        from_currency as from_currency_code,
        to_currency as to_currency_code,
        rate_source,
        cast(nullif(unit_count, '') as integer) as unit_count,
        cast(nullif(rate, '') as decimal(18, 8)) as quoted_value,
        {{ from_integer_units(
            round_half_up_integer(integer_units("nullif(rate, '')", 8), "cast(nullif(unit_count, '') as integer)"), 8
        ) }} as rate_value,
        _batch_id as batch_id
    from current_records
)

select * from renamed
