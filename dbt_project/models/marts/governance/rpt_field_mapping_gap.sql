with categories as (
    select * from {{ ref('int_performance_category') }}
),

mappings as (
    select * from {{ ref('field_mapping') }}
),

tickets as (
    select * from {{ ref('int_ticket') }}
),

sources as (
    select
        source_system,
        count(*) as ticket_count,
        cast(min(opened_at) as date) as first_opened_on,
        cast(max(opened_at) as date) as last_opened_on
    from tickets
    group by source_system
),

value_gaps as (
    select
        source_system,
        entity,
        field_name,
        case mapping_status when 'conflict' then 'conflicting_mappings' else 'unmapped_value' end as gap_reason,
        field_value,
        mapping_codes,
        count(*) as ticket_count,
        min(opened_on) as first_opened_on,
        max(opened_on) as last_opened_on
    from categories
    where mapping_status in ('conflict', 'unmapped')
    group by source_system, entity, field_name, mapping_status, field_value, mapping_codes
),

name_gaps as (
    select
        source_system,
        entity,
        field_name,
        'field_name_not_unique' as gap_reason,
        cast(null as varchar) as field_value,
        cast(null as varchar) as mapping_codes,
        count(*) as ticket_count,
        min(opened_on) as first_opened_on,
        max(opened_on) as last_opened_on
    from categories
    where field_count > 1
    group by source_system, entity, field_name
),

valued_fields as (
    select distinct
        source_system,
        entity,
        field_name
    from categories
    where field_value is not null
),

-- a field that is mapped and never has a value was renamed, or is not shown to the integration account
field_gaps as (
    select
        mappings.source_system,
        mappings.entity,
        mappings.field_name,
        'field_without_values' as gap_reason,
        cast(null as varchar) as field_value,
        {{ string_list('mappings.mapping_code', 'mappings.mapping_code') }} as mapping_codes,
        max(sources.ticket_count) as ticket_count,
        max(sources.first_opened_on) as first_opened_on,
        max(sources.last_opened_on) as last_opened_on
    from mappings
    inner join sources on mappings.source_system = sources.source_system
    left join valued_fields
        on
            mappings.source_system = valued_fields.source_system
            and mappings.entity = valued_fields.entity
            and mappings.field_name = valued_fields.field_name
    where valued_fields.field_name is null
    group by mappings.source_system, mappings.entity, mappings.field_name
),

used_codes as (
    select distinct
        source_system,
        entity,
        field_name,
        mapping_codes
    from categories
    where mapping_codes is not null
),

unused_mappings as (
    select
        mappings.source_system,
        mappings.entity,
        mappings.field_name,
        'mapping_never_used' as gap_reason,
        cast(null as varchar) as field_value,
        mappings.mapping_code as mapping_codes,
        cast(0 as bigint) as ticket_count,
        cast(null as date) as first_opened_on,
        cast(null as date) as last_opened_on
    from mappings
    inner join valued_fields
        on
            mappings.source_system = valued_fields.source_system
            and mappings.entity = valued_fields.entity
            and mappings.field_name = valued_fields.field_name
    where not exists (
            select used_codes.mapping_codes
            from used_codes
            where
                used_codes.source_system = mappings.source_system
                and used_codes.entity = mappings.entity
                and used_codes.field_name = mappings.field_name
                and ', ' || used_codes.mapping_codes || ',' like '%, ' || mappings.mapping_code || ',%'
        )
),

unioned as (
    select * from value_gaps
    union all
    select * from name_gaps
    union all
    select * from field_gaps
    union all
    select * from unused_mappings
),

final as (
    select
        cast(source_system as varchar) as source_system,
        cast(entity as varchar) as entity,
        cast(field_name as varchar) as field_name,
        cast(gap_reason as varchar) as gap_reason,
        cast(field_value as varchar) as field_value,
        cast(mapping_codes as varchar) as mapping_codes,
        cast(ticket_count as bigint) as ticket_count,
        cast(first_opened_on as date) as first_opened_on,
        cast(last_opened_on as date) as last_opened_on
    from unioned
)

select * from final
