-- Every data test of the project, as dbt's graph has it when this model is built.
with manifest as (
    {{ manifest_tests() }}
),

final as (
    select
        test_name,
        judged_name,
        severity
    from manifest
)

select * from final
