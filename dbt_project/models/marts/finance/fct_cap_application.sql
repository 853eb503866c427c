{%- set kinds = ['collective_agreement', 'person_share', 'pool', 'personnel_cost_share'] -%}
-- What agreed limits take off each earning line: kind after kind, each on what the one before has left; the excess of a
-- person or of a scope is laid on its lines by largest remainder.
with earning_line as (
    select * from {{ ref('fct_earning_line') }}
),

agreement_rule as (
    select * from {{ ref('int_agreement_rule') }}
    where is_counted
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'quarter'
),

base_pay as (
    select * from {{ ref('int_base_pay') }}
),

union_membership as (
    select * from {{ ref('int_union_membership') }}
),

-- the union a person was in on the quarter's first day
member as (
    select
        reporting_period.period_code as earned_quarter,
        union_membership.employee_number,
        min(union_membership.union_code) as union_code
    from reporting_period
    inner join union_membership
        on
            reporting_period.period_start_on >= union_membership.member_from_on
            and (
                union_membership.member_to_on is null
                or reporting_period.period_start_on < union_membership.member_to_on
            )
    group by reporting_period.period_code, union_membership.employee_number
),

line as (
    select
        earning_line.*,
        reporting_period.period_start_on,
        member.union_code
    from earning_line
    inner join reporting_period on earning_line.earned_quarter = reporting_period.period_code
    left join member
        on
            earning_line.earned_quarter = member.earned_quarter
            and earning_line.employee_number = member.employee_number
),

-- at most one rule of a kind per line (assert_one_limit_of_a_kind_per_line)
ruled as (
    select
        line.earning_line_id,
        agreement_rule.rule_id,
        agreement_rule.cap_kind,
        agreement_rule.scope_type,
        agreement_rule.scope_code,
        agreement_rule.limit_share,
        agreement_rule.limit_amount
    from line
    inner join agreement_rule
        on
            line.period_start_on >= agreement_rule.counts_from_on
            and (agreement_rule.counts_to_on is null or line.period_start_on <= agreement_rule.counts_to_on)
            and (agreement_rule.currency_code is null or line.currency_code = agreement_rule.currency_code)
            and case agreement_rule.scope_type
                when 'all' then true
                when 'country' then line.country_code = agreement_rule.scope_code
                when 'team' then line.team_code = agreement_rule.scope_code
                when 'plan' then line.plan_code = agreement_rule.scope_code
                when 'union' then line.union_code = agreement_rule.scope_code
            end
    qualify row_number() over (
            partition by line.earning_line_id, agreement_rule.cap_kind order by agreement_rule.rule_id
        ) = 1
),

person_base as (
    select
        employee_number,
        earned_quarter,
        currency_code,
        sum(base_amount) as base_amount
    from base_pay
    group by employee_number, earned_quarter, currency_code
),

-- personnel cost of what a rule is for: all base pay its cost centres bear, in the plan or not
scope_base as (
    select
        agreement_rule.rule_id,
        base_pay.earned_quarter,
        base_pay.currency_code,
        sum(base_pay.base_amount) as base_amount
    from agreement_rule
    inner join base_pay
        on
            case agreement_rule.scope_type
                when 'country' then base_pay.country_code = agreement_rule.scope_code
                when 'team' then base_pay.team_code = agreement_rule.scope_code
                else true
            end
    where agreement_rule.cap_kind = 'personnel_cost_share'
    group by agreement_rule.rule_id, base_pay.earned_quarter, base_pay.currency_code
),

uncapped as (
    select
        earning_line_id,
        employee_number,
        earned_quarter,
        currency_code,
        {{ integer_units('earned_amount', 2) }} as left_cents
    from line
),
{% for kind in kinds %}
{%- set before = 'uncapped' if loop.first else kinds[loop.index0 - 1] ~ '_left' %}
{{ kind }}_line as (
    select
        {{ before }}.*,
        ruled.rule_id,
        ruled.scope_type,
        ruled.scope_code,
        {% if kind == 'pool' -%}
        cast(null as decimal(18, 2)) as base_amount,
        {{ integer_units('ruled.limit_amount', 2) }} as limit_cents,
        {%- elif kind == 'personnel_cost_share' -%}
        scope_base.base_amount,
        {{ int_div(
            integer_units('scope_base.base_amount', 2) ~ ' * ' ~ integer_units('ruled.limit_share', 6),
            exact_integer('1000000')
        ) }} as limit_cents,
        {%- else -%}
        person_base.base_amount,
        {{ int_div(
            integer_units('person_base.base_amount', 2) ~ ' * ' ~ integer_units('ruled.limit_share', 6),
            exact_integer('1000000')
        ) }} as limit_cents,
        {%- endif %}
        {{ md5_of(
            ['ruled.rule_id', before ~ '.earned_quarter', before ~ '.currency_code']
            + ([before ~ '.employee_number'] if kind in ('collective_agreement', 'person_share') else [])
        ) }} as group_key
    from {{ before }}
    inner join ruled
        on
            {{ before }}.earning_line_id = ruled.earning_line_id
            and ruled.cap_kind = '{{ kind }}'
    {% if kind == 'personnel_cost_share' -%}
    left join scope_base
        on
            ruled.rule_id = scope_base.rule_id
            and {{ before }}.earned_quarter = scope_base.earned_quarter
            and {{ before }}.currency_code = scope_base.currency_code
    {%- elif kind != 'pool' -%}
    left join person_base
        on
            {{ before }}.employee_number = person_base.employee_number
            and {{ before }}.earned_quarter = person_base.earned_quarter
            and {{ before }}.currency_code = person_base.currency_code
    {%- endif %}
),

{{ kind }}_group as (
    select
        group_key,
        sum(left_cents) as group_cents,
        sum(greatest(left_cents, 0)) as earned_cents,
        greatest(sum(left_cents) - max(limit_cents), 0) as excess_cents
    from {{ kind }}_line
    where limit_cents is not null
    group by group_key
),

-- only lines of groups above their limit are cut
{{ kind }}_share as (
    select
        {{ kind }}_line.*,
        {{ kind }}_group.group_cents,
        {{ kind }}_group.excess_cents,
        greatest({{ kind }}_line.left_cents, 0) * {{ kind }}_group.excess_cents as cut_numerator,
        {{ kind }}_group.earned_cents as cut_denominator
    from {{ kind }}_line
    inner join {{ kind }}_group on {{ kind }}_line.group_key = {{ kind }}_group.group_key
    where {{ kind }}_group.excess_cents > 0
),

{{ kind }}_cut as (
    select
        *,
        {{ allocate_largest_remainder(
            'cut_numerator', 'cut_denominator', 'group_key, cut_denominator', 'earning_line_id'
        ) }} as cut_cents
    from {{ kind }}_share
),

{{ kind }}_left as (
    select
        {{ before }}.earning_line_id,
        {{ before }}.employee_number,
        {{ before }}.earned_quarter,
        {{ before }}.currency_code,
        {{ before }}.left_cents - coalesce({{ kind }}_cut.cut_cents, 0) as left_cents
    from {{ before }}
    left join {{ kind }}_cut on {{ before }}.earning_line_id = {{ kind }}_cut.earning_line_id
),
{% endfor %}
-- what was cut, and the lines of a rule that has no base pay to take its share of
cut as (
    {% for kind in kinds -%}
    select
        '{{ kind }}' as cap_kind,
        rule_id,
        scope_type,
        scope_code,
        earning_line_id,
        left_cents,
        base_amount,
        limit_cents,
        group_cents,
        excess_cents,
        cut_cents
    from {{ kind }}_cut
    where cut_cents <> 0

    union all

    select
        '{{ kind }}' as cap_kind,
        rule_id,
        scope_type,
        scope_code,
        earning_line_id,
        left_cents,
        base_amount,
        limit_cents,
        {{ exact_integer('null') }} as group_cents,
        {{ exact_integer('null') }} as excess_cents,
        {{ exact_integer('0') }} as cut_cents
    from {{ kind }}_line
    where limit_cents is null
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

final as (
    select
        cast({{ md5_of(["'cap'", 'cut.cap_kind', 'cut.rule_id', 'cut.earning_line_id']) }} as varchar)
            as cap_application_key,
        cast(cut.rule_id as varchar) as rule_id,
        cast(cut.cap_kind as varchar) as cap_kind,
        cast(cut.scope_type as varchar) as scope_type,
        cast(cut.scope_code as varchar) as scope_code,
        cast(case when cut.limit_cents is null then 'no_base_pay' else 'applied' end as varchar) as cap_status,
        cast(line.earning_line_id as varchar) as earning_line_id,
        cast(line.earning_kind as varchar) as earning_kind,
        cast(line.employee_number as varchar) as employee_number,
        cast(line.earned_quarter as varchar) as earned_quarter,
        cast(line.team_code as varchar) as team_code,
        cast(line.country_code as varchar) as country_code,
        cast(line.cost_centre_code as varchar) as cost_centre_code,
        cast(line.currency_code as varchar) as currency_code,
        cast(line.payment_period as varchar) as payment_period,
        cast(cut.base_amount as decimal(18, 2)) as base_amount,
        cast({{ from_integer_units('cut.limit_cents', 2) }} as decimal(18, 2)) as limit_amount,
        cast({{ from_integer_units('cut.group_cents', 2) }} as decimal(18, 2)) as group_amount,
        cast({{ from_integer_units('cut.excess_cents', 2) }} as decimal(18, 2)) as excess_amount,
        cast({{ from_integer_units('cut.left_cents', 2) }} as decimal(18, 2)) as before_amount,
        cast({{ from_integer_units('-cut.cut_cents', 2) }} as decimal(18, 2)) as cap_amount
    from cut
    inner join line on cut.earning_line_id = line.earning_line_id
)

select * from final
