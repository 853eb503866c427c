with dependents as (
    select * from {{ source('landing', 'entity_dependent') }}
),

final as (
    select
        source as source_name,
        entity as entity_name,
        concat(schema_name, '.', table_name) as result_name
    from dependents
)

select * from final
