-- The record of processing activities: every column with personal or pay data, the purposes it serves and their basis.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

private_columns as (
    select * from {{ ref('int_private_column') }}
),

purposes as (
    select * from {{ ref('processing_purpose') }}
),

categories as (
    select * from {{ ref('data_category') }}
),

mappings as (
    select * from {{ ref('processing_column') }}
),

rules as (
    select * from {{ ref('retention_rule') }}
),

entries as (
    select
        mappings.*,
        categories.classification
    from mappings
    inner join categories on mappings.data_category_code = categories.data_category_code
),

mapped as (
    select
        entries.purpose_code,
        entries.data_category_code,
        entries.schema_name as mapped_schema_name,
        entries.model_name as mapped_model_name,
        entries.column_name as mapped_column_name,
        entries.classification,
        private_columns.schema_name,
        private_columns.model_name,
        private_columns.column_name
    from entries
    left join private_columns
        on
            entries.classification = private_columns.classification
            and {{ name_fits('private_columns.schema_name', 'entries.schema_name') }}
            and {{ name_fits('private_columns.model_name', 'entries.model_name') }}
            and {{ name_fits('private_columns.column_name', 'entries.column_name') }}
),

-- two patterns of one purpose and category may find the same column
entered as (
    select distinct
        purpose_code,
        data_category_code,
        classification,
        coalesce(schema_name, mapped_schema_name) as schema_name,
        coalesce(model_name, mapped_model_name) as model_name,
        coalesce(column_name, mapped_column_name) as column_name,
        column_name is not null as is_column_known
    from mapped
),

paired as (
    select
        purpose_code,
        data_category_code,
        classification,
        schema_name,
        model_name,
        column_name,
        is_column_known
    from entered

    union all

    select
        cast(null as varchar) as purpose_code,
        cast(null as varchar) as data_category_code,
        private_columns.classification,
        private_columns.schema_name,
        private_columns.model_name,
        private_columns.column_name,
        true as is_column_known
    from private_columns
    left join entered
        on
            private_columns.schema_name = entered.schema_name
            and private_columns.model_name = entered.model_name
            and private_columns.column_name = entered.column_name
            and entered.is_column_known
    where entered.purpose_code is null
),

joined as (
    select
        paired.*,
        purposes.purpose,
        purposes.lawful_basis,
        purposes.legal_reference,
        purposes.balancing_reference,
        purposes.owner_role_code,
        purposes.approved_on,
        purposes.effective_from,
        purposes.effective_to,
        categories.data_subjects,
        categories.category_name,
        categories.recipients,
        rules.rule_code as retention_rule_code,
        rules.keep_months,
        cast(run_context.as_of_at as date) as as_of_on
    from paired
    cross join run_context
    left join purposes on paired.purpose_code = purposes.purpose_code
    left join categories on paired.data_category_code = categories.data_category_code
    left join rules
        on
            categories.retention_rule_code = rules.rule_code
            and cast(run_context.as_of_at as date) >= rules.effective_from
            and cast(run_context.as_of_at as date) <= coalesce(rules.effective_to, date '9999-12-31')
),

judged as (
    select
        *,
        case
            when purpose_code is null then 'column_without_purpose'
            when not is_column_known then 'column_unknown'
            when approved_on is null or approved_on > as_of_on then 'purpose_not_approved'
            when as_of_on < effective_from or as_of_on > coalesce(effective_to, date '9999-12-31')
                then 'purpose_not_in_force'
            when lawful_basis in ('legitimate_interest', 'consent') and balancing_reference is null
                then 'basis_without_proof'
            when retention_rule_code is null then 'retention_not_settled'
            else 'holds'
        end as finding
    from joined
),

final as (
    select
        cast(
            {{ md5_of([
                'schema_name', 'model_name', 'column_name', 'classification', 'purpose_code', 'data_category_code'
            ]) }}
            as varchar
        ) as processing_key,
        cast(schema_name as varchar) as schema_name,
        cast(model_name as varchar) as model_name,
        cast(column_name as varchar) as column_name,
        cast(classification as varchar) as classification,
        cast(
            max(case when finding = 'holds' then 1 else 0 end) over (
                partition by schema_name, model_name, column_name
            ) = 1 as boolean
        ) as is_column_covered,
        cast(is_column_known as boolean) as is_column_known,
        cast(purpose_code as varchar) as purpose_code,
        cast(purpose as varchar) as purpose,
        cast(lawful_basis as varchar) as lawful_basis,
        cast(legal_reference as varchar) as legal_reference,
        cast(balancing_reference as varchar) as balancing_reference,
        cast(data_category_code as varchar) as data_category_code,
        cast(category_name as varchar) as category_name,
        cast(data_subjects as varchar) as data_subjects,
        cast(recipients as varchar) as recipients,
        cast(retention_rule_code as varchar) as retention_rule_code,
        cast(keep_months as integer) as keep_months,
        cast(finding as varchar) as finding,
        cast(finding = 'holds' as boolean) as is_holding,
        cast(
            case finding
                when 'column_unknown' then effective_from
                when 'purpose_not_approved' then effective_from
                when 'purpose_not_in_force'
                    then
                        case
                            when as_of_on < effective_from then effective_from else {{ add_days('effective_to', 1) }}
                        end
                when 'basis_without_proof' then effective_from
                when 'retention_not_settled' then effective_from
            end as date
        ) as since_on,
        cast(
            case when finding <> 'holds' then coalesce(owner_role_code, 'legal_counsel') end as varchar
        ) as act_role_code
    from judged
)

select * from final
