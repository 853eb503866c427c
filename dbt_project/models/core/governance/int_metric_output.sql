-- What is built from metric results, as dbt's graph has it when this model is built.
with output_of_manifest as (
    {{ manifest_outputs_of('fct_metric_result') }}
),

final as (
    select
        output_name,
        schema_name
    from output_of_manifest
)

select * from final
