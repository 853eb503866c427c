-- A credit rule whose shares do not sum to 1, or two in force on one day, split a ticket's credit wrongly.
select
    rule.credit_rule_code,
    rule.effective_from,
    other.credit_rule_code as other_rule_code
from {{ ref('credit_rule') }} as rule
left join {{ ref('credit_rule') }} as other
    on
        rule.credit_rule_code < other.credit_rule_code
        and rule.effective_from <= coalesce(other.effective_to, date '9999-12-31')
        and other.effective_from <= coalesce(rule.effective_to, date '9999-12-31')
where
    rule.resolver_share + rule.held_share + rule.contribution_share <> 1
    or rule.ceiling_seconds < rule.floor_seconds
    or coalesce(rule.effective_to, rule.effective_from) < rule.effective_from
    or other.credit_rule_code is not null
