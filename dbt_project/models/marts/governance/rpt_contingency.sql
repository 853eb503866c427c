-- Every service that stands on a vendor, and whether a plan for that vendor's failure holds.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

services as (
    select * from {{ ref('service') }}
),

contracts as (
    select * from {{ ref('supplier_contract') }}
),

plans as (
    select * from {{ ref('contingency_plan') }}
),

plan_services as (
    select * from {{ ref('contingency_plan_service') }}
),

as_of as (
    select cast(as_of_at as date) as as_of_on
    from run_context
),

-- named by the service, or by a supplier contract in force
standing as (
    select
        vendor_code,
        service_code
    from services
    where vendor_code is not null

    union

    select
        contracts.vendor_code,
        contracts.service_code
    from contracts
    cross join as_of
    where as_of.as_of_on >= contracts.effective_from and as_of.as_of_on <= contracts.effective_to
),

covering as (
    select
        plans.*,
        plan_services.service_code
    from plans
    inner join plan_services on plans.plan_code = plan_services.plan_code
),

joined as (
    select
        standing.vendor_code,
        standing.service_code,
        services.service_name,
        services.criticality,
        covering.plan_code,
        covering.plan_title,
        covering.document_reference,
        covering.owner_role_code,
        covering.approved_on,
        covering.tested_on,
        covering.test_result,
        covering.effective_from,
        covering.effective_to,
        as_of.as_of_on
    from standing
    cross join as_of
    inner join services on standing.service_code = services.service_code
    left join covering
        on standing.vendor_code = covering.vendor_code and standing.service_code = covering.service_code
),

judged as (
    select
        *,
        case
            when plan_code is null then 'no_plan'
            when approved_on is null or approved_on > as_of_on then 'plan_not_approved'
            when as_of_on < effective_from or as_of_on > coalesce(effective_to, date '9999-12-31')
                then 'plan_not_in_force'
            when tested_on is null or tested_on > as_of_on then 'never_tested'
            when coalesce(test_result, 'failed') <> 'passed' then 'test_failed'
            when {{ add_months('tested_on', 12) }} < as_of_on then 'test_overdue'
            else 'holds'
        end as finding
    from joined
),

final as (
    select
        cast({{ md5_of(['vendor_code', 'service_code', 'plan_code']) }} as varchar) as contingency_key,
        cast(vendor_code as varchar) as vendor_code,
        cast(service_code as varchar) as service_code,
        cast(service_name as varchar) as service_name,
        cast(criticality as integer) as criticality,
        cast(
            max(case when finding = 'holds' then 1 else 0 end) over (partition by vendor_code, service_code) = 1
            as boolean
        ) as is_covered,
        cast(plan_code as varchar) as plan_code,
        cast(plan_title as varchar) as plan_title,
        cast(document_reference as varchar) as document_reference,
        cast(tested_on as date) as tested_on,
        cast(test_result as varchar) as test_result,
        cast(finding as varchar) as finding,
        cast(
            case finding
                when 'plan_not_approved' then effective_from
                when 'plan_not_in_force'
                    then
                        case
                            when as_of_on < effective_from then effective_from else {{ add_days('effective_to', 1) }}
                        end
                when 'never_tested' then effective_from
                when 'test_failed' then tested_on
                when 'test_overdue' then {{ add_days(add_months('tested_on', 12), 1) }}
            end as date
        ) as since_on,
        cast(
            case when finding <> 'holds' then coalesce(owner_role_code, 'head_of_operations') end as varchar
        ) as act_role_code
    from judged
)

select * from final
