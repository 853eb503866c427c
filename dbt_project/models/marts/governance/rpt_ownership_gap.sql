-- Every source, mart, metric and service with its owners: who has the authority, and where nobody has.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

sources as (
    select * from {{ ref('int_manifest_source_owner') }}
),

nodes as (
    select * from {{ ref('int_manifest_node') }}
    where layer = 'marts' and node_type = 'model'
),

metrics as (
    select * from {{ ref('metric_definition') }}
),

services as (
    select * from {{ ref('service') }}
),

owners as (
    select * from {{ ref('data_owner') }}
),

members as (
    select * from {{ ref('governance_member') }}
),

employments as (
    select * from {{ ref('int_employment') }}
),

as_of as (
    select
        as_of_at,
        cast(as_of_at as date) as as_of_on
    from run_context
),

objects as (
    select
        'source' as object_type,
        source_name as object_code,
        declared_owner
    from sources

    union all

    select
        'mart' as object_type,
        schema_name || '.' || node_name as object_code,
        cast(null as varchar) as declared_owner
    from nodes

    union all

    select distinct
        'metric' as object_type,
        metric_code as object_code,
        cast(null as varchar) as declared_owner
    from metrics

    union all

    select
        'service' as object_type,
        service_code as object_code,
        owner as declared_owner
    from services
),

-- who is there as of now: employed, or on a body
present as (
    select employments.employee_number
    from employments
    cross join as_of
    where
        employments.employee_number is not null
        and employments.employed_from_on <= as_of.as_of_on
        and coalesce(employments.employed_to_on, date '9999-12-31') > as_of.as_of_on

    union

    select members.employee_number
    from members
    cross join as_of
    where
        members.from_on <= as_of.as_of_on
        and coalesce(members.to_on, date '9999-12-31') >= as_of.as_of_on
        and members.recorded_at <= as_of.as_of_at
),

joined as (
    select
        objects.object_type,
        objects.object_code,
        objects.declared_owner,
        owners.owner_employee_number,
        owners.owner_function,
        owners.mandate_reference,
        owners.effective_from,
        owners.effective_to,
        present.employee_number is not null as is_owner_present,
        as_of.as_of_on
    from objects
    cross join as_of
    left join owners
        on
            objects.object_type = owners.object_type
            and {{ name_fits('objects.object_code', 'owners.object_code') }}
            -- of a service only the mandate of the owner it names counts
            and (objects.object_type <> 'service' or objects.declared_owner = owners.owner_employee_number)
    left join present on owners.owner_employee_number = present.employee_number
),

judged as (
    select
        *,
        case
            when object_type in ('source', 'service') and declared_owner is null then 'no_owner_declared'
            when owner_employee_number is null then 'no_owner'
            when not is_owner_present then 'owner_gone'
            when mandate_reference is null then 'owner_without_authority'
            when as_of_on < effective_from or as_of_on > coalesce(effective_to, date '9999-12-31')
                then 'mandate_not_in_force'
            else 'holds'
        end as finding
    from joined
),

-- a pattern and a name, or two mandates of one owner, may lead to the same object: each is told
final as (
    select
        cast(
            {{ md5_of(['object_type', 'object_code', 'owner_employee_number', 'effective_from', 'mandate_reference']) }}
            as varchar
        ) as ownership_key,
        cast(object_type as varchar) as object_type,
        cast(object_code as varchar) as object_code,
        cast(declared_owner as varchar) as declared_owner,
        cast(owner_employee_number as varchar) as owner_employee_number,
        cast(owner_function as varchar) as owner_function,
        cast(mandate_reference as varchar) as mandate_reference,
        cast(
            max(case when finding = 'holds' then 1 else 0 end) over (partition by object_type, object_code) = 1
            as boolean
        ) as is_owned,
        cast(finding as varchar) as finding,
        cast(
            case finding
                when 'owner_without_authority' then effective_from
                when 'mandate_not_in_force'
                    then
                        case
                            when as_of_on < effective_from then effective_from else {{ add_days('effective_to', 1) }}
                        end
            end as date
        ) as since_on,
        cast(
            case
                when finding <> 'holds'
                    then case when object_type = 'metric' then 'metrics_board_chair' else 'head_of_operations' end
            end as varchar
        ) as act_role_code
    from judged
)

select * from final
