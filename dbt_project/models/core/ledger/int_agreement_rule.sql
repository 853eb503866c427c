-- Limits of variable pay and whether they count: only what somebody else than its proposer approved caps, and only
-- quarters that begin once it is in force and approved.
with agreement_rule as (
    select * from {{ ref('agreement_rule') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

judged as (
    select
        agreement_rule.*,
        case
            when agreement_rule.approved_by is null or agreement_rule.approved_on is null then ', not_approved' else ''
        end
        || case
            when agreement_rule.approved_by = agreement_rule.proposed_by then ', approved_by_proposer' else ''
        end
        || case
            when agreement_rule.approved_on > cast(run_context.as_of_at as date) then ', approved_later' else ''
        end
        || case
            when
                (agreement_rule.cap_kind = 'pool') <> (agreement_rule.limit_amount is not null)
                or (agreement_rule.cap_kind = 'pool') <> (agreement_rule.currency_code is not null)
                or (agreement_rule.cap_kind = 'pool') = (agreement_rule.limit_share is not null)
                then ', limit_does_not_fit_kind'
            else ''
        end
        || case
            when
                (agreement_rule.cap_kind = 'collective_agreement') <> (agreement_rule.scope_type = 'union')
                or (agreement_rule.cap_kind = 'personnel_cost_share' and agreement_rule.scope_type = 'plan')
                then ', scope_does_not_fit_kind'
            else ''
        end as reasons
    from agreement_rule
    cross join run_context
),

final as (
    select
        rule_id,
        cap_kind,
        scope_type,
        scope_code,
        limit_share,
        limit_amount,
        currency_code,
        greatest(effective_from, approved_on) as counts_from_on,
        effective_to as counts_to_on,
        reasons = '' as is_counted,
        nullif(substr(reasons, 3), '') as refusal_reasons
    from judged
)

select * from final
