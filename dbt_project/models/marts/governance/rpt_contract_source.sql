-- Every contract in force with the sources it is measured by: whether they exist, land, and may be audited.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

contracts as (
    select * from {{ ref('contract') }}
),

supplier_contracts as (
    select * from {{ ref('supplier_contract') }}
),

registered as (
    select * from {{ ref('contract_source') }}
),

entities as (
    select * from {{ ref('int_source_entity') }}
),

nodes as (
    select * from {{ ref('int_manifest_node') }}
    where node_type = 'seed'
),

as_of as (
    select cast(as_of_at as date) as as_of_on
    from run_context
),

agreed as (
    select
        'customer' as contract_kind,
        contract_code,
        contract_name as contract_title,
        effective_from,
        coalesce(effective_to, date '9999-12-31') as effective_to
    from contracts

    union all

    select
        'supplier' as contract_kind,
        supplier_contract_code as contract_code,
        vendor_code || ': ' || measure as contract_title,
        effective_from,
        effective_to
    from supplier_contracts
),

in_force as (
    select
        agreed.*,
        as_of.as_of_on
    from agreed
    cross join as_of
    where as_of.as_of_on >= agreed.effective_from and as_of.as_of_on <= agreed.effective_to
),

-- a seed is always there; a source system when it is configured
available as (
    select
        source_name,
        max(case when is_configured then 1 else 0 end) as configured_count
    from entities
    group by source_name

    union all

    select
        node_name as source_name,
        1 as configured_count
    from nodes
),

joined as (
    select
        in_force.contract_kind,
        in_force.contract_code,
        in_force.contract_title,
        in_force.effective_from,
        in_force.as_of_on,
        registered.source_name,
        registered.is_measured_by_us,
        registered.audit_right,
        registered.audit_clause,
        registered.audit_every_months,
        registered.audited_on,
        registered.owner_role_code,
        available.configured_count
    from in_force
    left join registered
        on in_force.contract_kind = registered.contract_kind and in_force.contract_code = registered.contract_code
    left join available on registered.source_name = available.source_name
),

judged as (
    select
        *,
        case
            when source_name is null then 'no_source'
            when configured_count is null then 'source_unknown'
            when configured_count = 0 then 'source_absent'
            when audit_right = 'none' or audit_clause is null then 'no_audit_right'
            when audit_every_months is not null and (audited_on is null or audited_on > as_of_on) then 'never_audited'
            when {{ add_months('audited_on', 'audit_every_months') }} < as_of_on then 'audit_overdue'
            else 'holds'
        end as finding
    from joined
),

final as (
    select
        cast({{ md5_of(['contract_kind', 'contract_code', 'source_name']) }} as varchar) as contract_source_key,
        cast(contract_kind as varchar) as contract_kind,
        cast(contract_code as varchar) as contract_code,
        cast(contract_title as varchar) as contract_title,
        cast(source_name as varchar) as source_name,
        cast(is_measured_by_us as boolean) as is_measured_by_us,
        cast(audit_right as varchar) as audit_right,
        cast(audit_clause as varchar) as audit_clause,
        cast(audited_on as date) as audited_on,
        cast(finding as varchar) as finding,
        cast(finding = 'holds' as boolean) as is_holding,
        cast(
            case finding
                when 'no_source' then effective_from
                when 'source_unknown' then effective_from
                when 'no_audit_right' then effective_from
                when 'never_audited' then effective_from
                when 'audit_overdue' then {{ add_days(add_months('audited_on', 'audit_every_months'), 1) }}
            end as date
        ) as since_on,
        cast(
            case when finding <> 'holds' then coalesce(owner_role_code, 'legal_counsel') end as varchar
        ) as act_role_code
    from judged
)

select * from final
