-- Every communication about a plan: whether it went out in time, with proof, and was acknowledged.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

communications as (
    select * from {{ ref('plan_communication') }}
),

rules as (
    select * from {{ ref('communication_rule') }}
),

acknowledgements as (
    select * from {{ ref('int_plan_acknowledgement') }}
),

joined as (
    select
        communications.*,
        rules.min_notice_days,
        rules.acknowledge_within_days,
        rules.owner_role_code,
        {{ day_count('communications.sent_on', 'communications.effect_on') }} as notice_days,
        acknowledgements.recipient_count,
        acknowledgements.acknowledged_count,
        acknowledgements.longest_open_days,
        cast(run_context.as_of_at as date) as as_of_on
    from communications
    cross join run_context
    left join rules on communications.jurisdiction_code = rules.jurisdiction_code
    left join acknowledgements
        on
            communications.plan_code = acknowledgements.plan_code
            and communications.plan_version = acknowledgements.plan_version
            and communications.communication_code = acknowledgements.communication_code
            and communications.jurisdiction_code = acknowledgements.country_code
            and communications.is_acknowledgement_asked
),

judged as (
    select
        *,
        case
            when min_notice_days is null then 'no_rule'
            when
                (sent_on is null or sent_on > as_of_on)
                and as_of_on >= {{ add_days('effect_on', '-min_notice_days') }}
                then 'not_sent_in_time'
            when sent_on is null or sent_on > as_of_on then 'not_sent_yet'
            when notice_days < min_notice_days then 'too_late'
            when proof_reference is null then 'no_proof'
            when is_acknowledgement_asked and recipient_count is null then 'acknowledgements_unknown'
            when is_acknowledgement_asked and longest_open_days > acknowledge_within_days
                then 'acknowledgements_overdue'
            else 'holds'
        end as finding
    from joined
),

final as (
    select
        cast(communication_id as varchar) as communication_id,
        cast(plan_code as varchar) as plan_code,
        cast(plan_version as integer) as plan_version,
        cast(communication_code as varchar) as communication_code,
        cast(subject as varchar) as subject,
        cast(recipient_group as varchar) as recipient_group,
        cast(jurisdiction_code as varchar) as jurisdiction_code,
        cast(channel as varchar) as channel,
        cast(sent_by as varchar) as sent_by,
        cast(sent_on as date) as sent_on,
        cast(effect_on as date) as effect_on,
        cast(notice_days as bigint) as notice_days,
        cast(min_notice_days as integer) as min_notice_days,
        cast(proof_reference as varchar) as proof_reference,
        cast(archived_until_on as date) as archived_until_on,
        cast(recipient_count as bigint) as recipient_count,
        cast(acknowledged_count as bigint) as acknowledged_count,
        cast(recipient_count - acknowledged_count as bigint) as open_acknowledgement_count,
        cast(finding as varchar) as finding,
        cast(finding in ('holds', 'not_sent_yet') as boolean) as is_holding,
        cast(
            case finding
                when 'no_rule' then coalesce(sent_on, as_of_on)
                when 'not_sent_in_time' then {{ add_days('effect_on', '-min_notice_days') }}
                when 'too_late' then {{ add_days('effect_on', '-min_notice_days') }}
                when 'no_proof' then sent_on
                when 'acknowledgements_unknown' then sent_on
                when 'acknowledgements_overdue'
                    then {{ add_days('as_of_on', 'acknowledge_within_days - longest_open_days + 1') }}
            end as date
        ) as since_on,
        cast(
            case when finding not in ('holds', 'not_sent_yet') then coalesce(owner_role_code, 'legal_counsel') end
            as varchar
        ) as act_role_code
    from judged
)

select * from final
