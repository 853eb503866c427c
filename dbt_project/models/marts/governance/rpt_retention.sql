-- What must be kept how long, what the warehouse holds of it, what falls due and what is missing. It deletes nothing.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

entities as (
    select * from {{ ref('int_source_entity') }}
),

batches as (
    select * from {{ ref('int_extract_batch') }}
),

rules as (
    select * from {{ ref('retention_rule') }}
),

scopes as (
    select * from {{ ref('retention_scope') }}
),

extensions as (
    select * from {{ ref('retention_extension') }}
),

communications as (
    select * from {{ ref('plan_communication') }}
    where sent_on is not null
),

closed_period as (
    select * from {{ ref('int_closed_period') }}
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'quarter'
),

as_of as (
    select cast(as_of_at as date) as as_of_on
    from run_context
),

-- a list or a file is of the day it landed, on the time line of as_of
batch_day as (
    select
        entities.source_name,
        entities.entity_name,
        batches.batch_id,
        batches.landed_row_count,
        coalesce(
            batches.window_start_at,
            least({{ add_seconds('batches.finished_at', 'entities.shift_seconds') }}, entities.as_of_at)
        ) as from_at,
        coalesce(
            batches.window_end_at,
            least({{ add_seconds('batches.finished_at', 'entities.shift_seconds') }}, entities.as_of_at)
        ) as to_at
    from entities
    inner join batches
        on entities.source_name = batches.source_name and entities.entity_name = batches.entity_name
),

held as (
    select
        entities.source_name,
        entities.entity_name,
        entities.partitioning,
        count(batch_day.batch_id) as batch_count,
        sum(batch_day.landed_row_count) as landed_row_count,
        cast(min(batch_day.from_at) as date) as oldest_on,
        cast(max(batch_day.to_at) as date) as newest_on
    from entities
    left join batch_day
        on entities.source_name = batch_day.source_name and entities.entity_name = batch_day.entity_name
    group by entities.source_name, entities.entity_name, entities.partitioning
),

judged_extension as (
    select
        extensions.*,
        rules.data_class,
        rules.jurisdiction_code,
        rules.legal_basis,
        rules.keep_months,
        rules.required_from_on,
        case
            when extensions.approved_on is null or extensions.approved_on > as_of.as_of_on then 'extension_not_approved'
            when extensions.keep_until_on < as_of.as_of_on then 'extension_over'
            when
                extensions.keep_until_on
                <= {{ add_months('coalesce(rules.required_from_on, rules.effective_from)', 'rules.keep_months') }}
                then 'extension_without_effect'
            else 'holds'
        end as finding
    from extensions
    inner join rules on extensions.rule_code = rules.rule_code
    cross join as_of
),

longest_extension as (
    select
        rule_code,
        max(keep_until_on) as keep_until_on,
        max_by(extension_code, keep_until_on) as extension_code
    from judged_extension
    where finding = 'holds'
    group by rule_code
),

landed as (
    select
        held.*,
        rules.rule_code,
        rules.data_class,
        rules.jurisdiction_code,
        rules.legal_basis,
        rules.keep_months,
        rules.required_from_on,
        rules.owner_role_code,
        rules.effective_from,
        rules.effective_to,
        case
            when longest_extension.keep_until_on > {{ add_months('held.oldest_on', 'rules.keep_months') }}
                then longest_extension.extension_code
        end as extension_code,
        case
            when longest_extension.keep_until_on > {{ add_months('held.oldest_on', 'rules.keep_months') }}
                then longest_extension.keep_until_on
            else {{ add_months('held.oldest_on', 'rules.keep_months') }}
        end as keep_until_on,
        as_of.as_of_on
    from held
    cross join as_of
    left join scopes
        on
            {{ name_fits('held.source_name', 'scopes.source_name') }}
            and {{ name_fits('held.entity_name', 'scopes.entity_name') }}
    left join rules on scopes.rule_code = rules.rule_code
    left join longest_extension on rules.rule_code = longest_extension.rule_code
),

judged_landed as (
    select
        *,
        case
            when batch_count = 0 then 'nothing_held'
            when rule_code is null then 'no_rule'
            when as_of_on < effective_from or as_of_on > coalesce(effective_to, date '9999-12-31')
                then 'rule_not_in_force'
            when
                partitioning in ('daily', 'monthly')
                and required_from_on is not null
                and oldest_on > greatest(required_from_on, {{ add_months('as_of_on', '-keep_months') }})
                then 'history_missing'
            when keep_until_on <= as_of_on then 'due'
            when keep_until_on <= {{ add_days('as_of_on', 90) }} then 'due_within_90_days'
            else 'holds'
        end as finding
    from landed
),

sent as (
    select
        communications.communication_id,
        communications.jurisdiction_code,
        communications.sent_on,
        communications.archived_until_on,
        rules.rule_code,
        rules.legal_basis,
        rules.keep_months,
        rules.owner_role_code,
        {{ add_months('communications.sent_on', 'rules.keep_months') }} as keep_until_on,
        as_of.as_of_on
    from communications
    cross join as_of
    left join rules
        on
            rules.data_class = 'plan_communication'
            and rules.jurisdiction_code in (communications.jurisdiction_code, '*')
            and as_of.as_of_on >= rules.effective_from
            and as_of.as_of_on <= coalesce(rules.effective_to, date '9999-12-31')
),

judged_sent as (
    select
        *,
        case
            when rule_code is null then 'no_rule'
            when archived_until_on is null then 'not_archived'
            when archived_until_on < keep_until_on then 'archived_too_short'
            when archived_until_on <= as_of_on then 'due'
            else 'holds'
        end as finding
    from sent
),

-- the archive of a period holds performance and pay together: the longest of their rules keeps all of it
archive_rule as (
    select max_by(rules.rule_code, rules.keep_months) as rule_code
    from rules
    cross join as_of
    where
        rules.data_class in ('performance_data', 'pay_data')
        and rules.jurisdiction_code = '*'
        and as_of.as_of_on >= rules.effective_from
        and as_of.as_of_on <= coalesce(rules.effective_to, date '9999-12-31')
),

archived as (
    select
        closed_period.period_code,
        reporting_period.period_start_on,
        {{ add_days('reporting_period.period_end_on', -1) }} as period_last_on,
        rules.rule_code,
        rules.data_class,
        rules.jurisdiction_code,
        rules.legal_basis,
        rules.keep_months,
        rules.required_from_on,
        rules.owner_role_code,
        case
            when
                longest_extension.keep_until_on
                > {{ add_months('reporting_period.period_end_on', 'rules.keep_months') }}
                then longest_extension.extension_code
        end as extension_code,
        greatest(
            {{ add_months('reporting_period.period_end_on', 'rules.keep_months') }},
            coalesce(longest_extension.keep_until_on, date '0001-01-01')
        ) as keep_until_on,
        as_of.as_of_on
    from closed_period
    inner join reporting_period on closed_period.period_code = reporting_period.period_code
    cross join as_of
    cross join archive_rule
    left join rules on archive_rule.rule_code = rules.rule_code
    left join longest_extension on rules.rule_code = longest_extension.rule_code
),

judged_archive as (
    select
        *,
        case
            when rule_code is null then 'no_rule'
            when keep_until_on <= as_of_on then 'due'
            when keep_until_on <= {{ add_days('as_of_on', 90) }} then 'due_within_90_days'
            else 'holds'
        end as finding
    from archived
),

listed as (
    select
        'landed_data' as subject_type,
        source_name || '.' || entity_name as subject_code,
        rule_code,
        coalesce(data_class, 'unknown') as data_class,
        jurisdiction_code,
        legal_basis,
        keep_months,
        required_from_on,
        extension_code,
        oldest_on,
        newest_on,
        batch_count,
        coalesce(landed_row_count, 0) as landed_row_count,
        case when batch_count > 0 then keep_until_on end as keep_until_on,
        cast(null as date) as archived_until_on,
        finding,
        case finding
            when 'rule_not_in_force' then {{ add_days('coalesce(effective_to, effective_from)', 1) }}
            when 'history_missing' then greatest(required_from_on, {{ add_months('as_of_on', '-keep_months') }})
            when 'due' then keep_until_on
            when 'no_rule' then oldest_on
        end as since_on,
        owner_role_code
    from judged_landed

    union all

    select
        'plan_communication' as subject_type,
        communication_id as subject_code,
        rule_code,
        'plan_communication' as data_class,
        jurisdiction_code,
        legal_basis,
        keep_months,
        cast(null as date) as required_from_on,
        cast(null as varchar) as extension_code,
        sent_on as oldest_on,
        sent_on as newest_on,
        0 as batch_count,
        0 as landed_row_count,
        keep_until_on,
        archived_until_on,
        finding,
        case finding
            when 'no_rule' then sent_on
            when 'not_archived' then sent_on
            when 'archived_too_short' then sent_on
            when 'due' then archived_until_on
        end as since_on,
        owner_role_code
    from judged_sent

    union all

    select
        'archived_period' as subject_type,
        period_code as subject_code,
        rule_code,
        coalesce(data_class, 'unknown') as data_class,
        jurisdiction_code,
        legal_basis,
        keep_months,
        required_from_on,
        extension_code,
        period_start_on as oldest_on,
        period_last_on as newest_on,
        0 as batch_count,
        0 as landed_row_count,
        case when rule_code is not null then keep_until_on end as keep_until_on,
        cast(null as date) as archived_until_on,
        finding,
        case finding
            when 'no_rule' then period_start_on
            when 'due' then keep_until_on
        end as since_on,
        owner_role_code
    from judged_archive

    union all

    select
        'extension' as subject_type,
        extension_code as subject_code,
        rule_code,
        data_class,
        jurisdiction_code,
        reason || ': ' || subject as legal_basis,
        keep_months,
        required_from_on,
        extension_code,
        cast(null as date) as oldest_on,
        cast(null as date) as newest_on,
        0 as batch_count,
        0 as landed_row_count,
        keep_until_on,
        cast(null as date) as archived_until_on,
        finding,
        case when finding = 'extension_over' then {{ add_days('keep_until_on', 1) }} end as since_on,
        coalesce(approved_by_role_code, 'legal_counsel') as owner_role_code
    from judged_extension
),

final as (
    select
        cast({{ md5_of(['subject_type', 'subject_code', 'rule_code']) }} as varchar) as retention_key,
        cast(subject_type as varchar) as subject_type,
        cast(subject_code as varchar) as subject_code,
        cast(rule_code as varchar) as retention_rule_code,
        cast(data_class as varchar) as data_class,
        cast(jurisdiction_code as varchar) as jurisdiction_code,
        cast(legal_basis as varchar) as legal_basis,
        cast(keep_months as integer) as keep_months,
        cast(required_from_on as date) as required_from_on,
        cast(extension_code as varchar) as extension_code,
        cast(oldest_on as date) as oldest_on,
        cast(newest_on as date) as newest_on,
        cast(batch_count as bigint) as batch_count,
        cast(landed_row_count as bigint) as landed_row_count,
        cast(keep_until_on as date) as keep_until_on,
        cast(archived_until_on as date) as archived_until_on,
        cast(finding as varchar) as finding,
        cast(finding in ('holds', 'nothing_held', 'due_within_90_days') as boolean) as is_holding,
        cast(since_on as date) as since_on,
        cast(
            case
                when finding not in ('holds', 'nothing_held') then coalesce(owner_role_code, 'legal_counsel')
            end as varchar
        ) as act_role_code
    from listed
)

select * from final
