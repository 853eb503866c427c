with terms as (
    select * from {{ ref('int_slt_terms') }}
),

situation_slots as (
    select * from {{ ref('int_slt_situation') }}
),

situations as (
    select * from {{ ref('int_ticket_situation') }}
),

definitions as (
    select * from {{ ref('int_slt_definition') }}
),

dated as (
    select
        cast(
            situation_slots.situation_id * {{ slt_slot_count() }} + situation_slots.slot_number as integer
        ) as slot_terms_key,
        definitions.slt_code,
        definitions.slt_version,
        definitions.phase,
        definitions.at_risk_share,
        situations.service_code,
        situations.contract_code,
        terms.business_unit_code,
        situations.priority,
        terms.calendar_code,
        terms.scope_id,
        cast(terms.target_seconds as integer) as target_seconds,
        terms.tolerance_seconds,
        greatest(terms.from_on, definitions.effective_from) as from_on,
        least(terms.to_on, coalesce(definitions.effective_to, date '9999-12-31')) as to_on
    from terms
    inner join situation_slots
        on
            terms.situation_id = situation_slots.situation_id
            and terms.slt_code = situation_slots.slt_code
            and terms.slt_version = situation_slots.slt_version
    inner join situations on terms.situation_id = situations.situation_id
    inner join definitions
        on
            terms.slt_code = definitions.slt_code
            and terms.slt_version = definitions.slt_version
    where
        not terms.depends_on_start_hour
        and situation_slots.slot_number <= {{ slt_slot_count() }}
),

-- the days as instants of the clock, within what those can hold; terms that ended before the definition began are none
final as (
    select
        cast(row_number() over (order by slot_terms_key, from_on) as integer) as slot_terms_id,
        slot_terms_key,
        slt_code,
        slt_version,
        phase,
        at_risk_share,
        service_code,
        contract_code,
        business_unit_code,
        priority,
        calendar_code,
        scope_id,
        target_seconds,
        tolerance_seconds,
        {{ clock_seconds("cast(greatest(from_on, date '1940-01-01') as timestamp)") }} as from_s,
        {{ clock_seconds("cast(" ~ add_days("least(to_on, date '2067-12-31')", 1) ~ " as timestamp)") }} as to_s
    from dated
    where from_on <= to_on
)

select * from final
order by slot_terms_id
