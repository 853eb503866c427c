-- Every column the project tags as personal or pay, as dbt's graph has it when this model is built.
with manifest as (
    {{ manifest_private_columns() }}
),

final as (
    select
        schema_name,
        model_name,
        column_name,
        classification
    from manifest
)

select * from final
