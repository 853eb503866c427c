-- What the project consists of, as dbt's graph has it when this model is built.
with manifest as (
    {{ manifest_nodes() }}
),

final as (
    select
        node_name,
        node_type,
        schema_name,
        layer
    from manifest
)

select * from final
