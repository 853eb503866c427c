-- Every seed and staging model a payout is built from, by the lineage: what can trigger or change one.
with manifest as (
    {{ manifest_inputs_of('fct_incentive_payout') }}
),

final as (
    select
        input_name,
        input_type
    from manifest
)

select * from final
