-- What is wrong with vendors, supplier contracts and credit rules, each with what to mend. An empty table lets
-- the build go on.
with vendor as (
    select * from {{ ref('vendor') }}
),

int_vendor_family as (
    select * from {{ ref('int_vendor_family') }}
),

supplier_contract as (
    select * from {{ ref('supplier_contract') }}
),

service_credit_rule as (
    select * from {{ ref('service_credit_rule') }}
),

contract_length as (
    select
        *,
        case sla_period when 'quarter' then 3 else 1 end as period_months,
        (year(effective_to) - year(effective_from)) * 12
        + month(effective_to)
        - month(effective_from)
        + 1 as month_count
    from supplier_contract
),

-- the next milder band of the same contract while both are in force
band as (
    select
        service_credit_rule.supplier_contract_code,
        service_credit_rule.below_share,
        service_credit_rule.credit_share,
        max(milder.credit_share) as milder_credit_share
    from service_credit_rule
    inner join service_credit_rule as milder
        on
            service_credit_rule.supplier_contract_code = milder.supplier_contract_code
            and service_credit_rule.below_share < milder.below_share
            and service_credit_rule.effective_from <= coalesce(milder.effective_to, date '9999-12-31')
            and milder.effective_from <= coalesce(service_credit_rule.effective_to, date '9999-12-31')
    group by
        service_credit_rule.supplier_contract_code,
        service_credit_rule.below_share,
        service_credit_rule.credit_share
),

family_currency as (
    select
        int_vendor_family.primary_vendor_code,
        min(supplier_contract.currency_code) || ' and ' || max(supplier_contract.currency_code) as currency_codes,
        count(distinct supplier_contract.currency_code) as currency_count
    from supplier_contract
    inner join int_vendor_family on supplier_contract.vendor_code = int_vendor_family.vendor_code
    group by int_vendor_family.primary_vendor_code
),

fault as (
    select
        'vendor' as subject,
        vendor.vendor_code as subject_code,
        'parent_vendor_code ' || vendor.parent_vendor_code || ' leads to no primary vendor: name a known vendor, '
        || 'and let no chain of subcontractors come back to itself (vendor.csv)' as reason
    from vendor
    left join int_vendor_family on vendor.vendor_code = int_vendor_family.vendor_code
    where int_vendor_family.vendor_code is null

    union all

    select
        'supplier_contract' as subject,
        supplier_contract_code as subject_code,
        'begins on ' || cast(effective_from as varchar) || ': a contract begins on the first day of a month, '
        || 'since availability is kept by month' as reason
    from contract_length
    where effective_from <> {{ month_start('effective_from') }}

    union all

    select
        'supplier_contract' as subject,
        supplier_contract_code as subject_code,
        'ends on ' || cast(effective_to as varchar) || ', which does not complete a ' || sla_period
        || ' counted from its beginning: mend effective_to or sla_period' as reason
    from contract_length
    where
        {{ add_days('effective_to', 1) }} <> {{ month_start(add_days('effective_to', 1)) }}
        or month_count % period_months <> 0
        or effective_to < effective_from

    union all

    select
        'supplier_contract' as subject,
        supplier_contract_code as subject_code,
        'counts what the vendor reports, and names no component it reports on: fill component_code' as reason
    from supplier_contract
    where measure = 'availability_reported' and component_code is null

    union all

    select
        'service_credit_rule' as subject,
        service_credit_rule.supplier_contract_code as subject_code,
        'credits from ' || cast(service_credit_rule.below_share as varchar) || ', above the promise of '
        || cast(supplier_contract.promised_share as varchar) || ': a kept promise earns no credit' as reason
    from service_credit_rule
    inner join supplier_contract
        on service_credit_rule.supplier_contract_code = supplier_contract.supplier_contract_code
    where service_credit_rule.below_share > supplier_contract.promised_share

    union all

    select
        'service_credit_rule' as subject,
        supplier_contract_code as subject_code,
        'credits ' || cast(credit_share as varchar) || ' below ' || cast(below_share as varchar) || ' and '
        || cast(milder_credit_share as varchar) || ' for a smaller shortfall: a worse month never earns less' as reason
    from band
    where credit_share < milder_credit_share

    union all

    select
        'supplier_contract' as subject,
        primary_vendor_code as subject_code,
        'contracts of the vendor and its subcontractors are in ' || currency_codes
        || ': one scorecard adds one currency' as reason
    from family_currency
    where currency_count > 1
),

final as (
    select
        subject,
        subject_code,
        reason
    from fault
)

select * from final
