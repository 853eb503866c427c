-- The owner each source declares of itself (meta.owner), as dbt's graph has it when this model is built.
with manifest as (
    {{ manifest_source_owners() }}
),

final as (
    select
        source_name,
        nullif(declared_owner, '') as declared_owner
    from manifest
)

select * from final
