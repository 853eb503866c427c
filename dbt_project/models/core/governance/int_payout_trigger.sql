-- Everything that can trigger or change a payout: what it is built from by the lineage, and the plan's own terms.
with inputs as (
    select * from {{ ref('int_payout_input') }}
),

plans as (
    select * from {{ ref('incentive_plan') }}
),

components as (
    select * from {{ ref('plan_component') }}
),

bands as (
    select * from {{ ref('achievement_band') }}
),

categories as (
    select * from {{ ref('exclusion_category') }}
),

final as (
    select
        'input' as trigger_type,
        input_name as trigger_code
    from inputs

    union all

    select distinct
        'plan_component' as trigger_type,
        plan_code || '.' || cast(plan_version as varchar) || '.' || component_code as trigger_code
    from components

    union all

    select distinct
        'achievement_band' as trigger_type,
        plan_code || '.' || cast(plan_version as varchar) || '.' || component_code as trigger_code
    from bands

    union all

    select distinct
        'metric' as trigger_type,
        metric_code as trigger_code
    from components

    union all

    select
        'exclusion_category' as trigger_type,
        category as trigger_code
    from categories

    union all

    select
        'plan_policy' as trigger_type,
        plan_code || '.' || cast(plan_version as varchar) || '.rounding.' || rounding_policy as trigger_code
    from plans

    union all

    select
        'plan_policy' as trigger_type,
        plan_code || '.' || cast(plan_version as varchar) || '.allocation.' || allocation_policy as trigger_code
    from plans
)

select * from final
