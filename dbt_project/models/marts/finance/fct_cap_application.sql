{%- set kinds = ['collective_agreement', 'person_share', 'pool', 'personnel_cost_share'] -%}
-- What agreed limits take off each earning line: kind after kind, each on what the one before has left; the excess of a
-- person or of a scope is laid on its lines by largest remainder. Of a quarter whose base pay has not been told in full
-- a share is taken all the same, and called provisional: what it takes too much the ledger gives back with the next
-- run that knows more, while what was paid above a limit would have to be taken from the person again.
with earning_line as (
    select * from {{ ref('fct_earning_line') }}
    -- an advance is no earning: it is owed back
    where earning_kind <> 'draw'
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

-- what of a line decides which rules are for it: some thousand situations for millions of lines
situation as (
    select
        period_start_on,
        currency_code,
        country_code,
        team_code,
        plan_code,
        union_code,
        row_number() over (
            order by period_start_on, currency_code, country_code, team_code, plan_code, union_code
        ) as situation_number
    from line
    group by period_start_on, currency_code, country_code, team_code, plan_code, union_code
),

-- at most one rule of a kind per line (assert_one_limit_of_a_kind_per_line)
ruled as (
    select
        situation.situation_number,
        agreement_rule.rule_id,
        agreement_rule.cap_kind,
        agreement_rule.scope_type,
        agreement_rule.scope_code,
        agreement_rule.limit_share,
        agreement_rule.limit_amount
    from situation
    inner join agreement_rule
        on
            situation.period_start_on >= agreement_rule.counts_from_on
            and (
                agreement_rule.counts_to_on is null or situation.period_start_on <= agreement_rule.counts_to_on
            )
            and (agreement_rule.currency_code is null or situation.currency_code = agreement_rule.currency_code)
            and case agreement_rule.scope_type
                when 'all' then true
                when 'country' then situation.country_code = agreement_rule.scope_code
                when 'team' then situation.team_code = agreement_rule.scope_code
                when 'plan' then situation.plan_code = agreement_rule.scope_code
                when 'union' then situation.union_code = agreement_rule.scope_code
            end
    qualify row_number() over (
            partition by situation.situation_number, agreement_rule.cap_kind order by agreement_rule.rule_id
        ) = 1
),

person_base as (
    select
        employee_number,
        earned_quarter,
        currency_code,
        sum(base_amount) as base_amount,
        min(register_month_count) as month_count
    from base_pay
    group by employee_number, earned_quarter, currency_code
),

-- personnel cost of what a rule is for: all base pay its cost centres bear, in the plan or not
scope_base as (
    select
        agreement_rule.rule_id,
        base_pay.earned_quarter,
        base_pay.currency_code,
        sum(base_pay.base_amount) as base_amount,
        min(base_pay.register_month_count) as month_count
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
        line.earning_line_id,
        line.employee_number,
        line.earned_quarter,
        line.currency_code,
        situation.situation_number,
        {{ integer_units('line.earned_amount', 2) }} as earned_cents
    from line
    inner join situation
        on
            line.period_start_on = situation.period_start_on
            and line.currency_code is not distinct from situation.currency_code
            and line.country_code is not distinct from situation.country_code
            and line.team_code is not distinct from situation.team_code
            and line.plan_code is not distinct from situation.plan_code
            and line.union_code is not distinct from situation.union_code
),
{% for kind in kinds %}
{%- set earlier = kinds[:loop.index0] %}
{%- set left_cents = ['uncapped.earned_cents'] %}
{%- for cut in earlier %}{% do left_cents.append('coalesce(' ~ cut ~ '_cut.cut_cents, 0)') %}{% endfor %}
{{ kind }}_line as (
    select
        uncapped.earning_line_id,
        {{ left_cents | join('\n            - ') }} as left_cents,
        ruled.rule_id,
        ruled.scope_type,
        ruled.scope_code,
        ruled.limit_share,
        ruled.limit_amount,
        {% if kind == 'pool' -%}
        cast(null as decimal(18, 2)) as base_amount,
        cast(null as bigint) as month_count,
        {%- elif kind == 'personnel_cost_share' -%}
        scope_base.base_amount,
        scope_base.month_count,
        {%- else -%}
        person_base.base_amount,
        person_base.month_count,
        {%- endif %}
        {{ md5_of(
            ['ruled.rule_id', 'uncapped.earned_quarter', 'uncapped.currency_code']
            + (['uncapped.employee_number'] if kind in ('collective_agreement', 'person_share') else [])
        ) }} as group_key
    from uncapped
    inner join ruled
        on
            uncapped.situation_number = ruled.situation_number
            and ruled.cap_kind = '{{ kind }}'
    {% for cut in earlier -%}
    left join {{ cut }}_cut on uncapped.earning_line_id = {{ cut }}_cut.earning_line_id
    {% endfor -%}
    {% if kind == 'personnel_cost_share' -%}
    left join scope_base
        on
            ruled.rule_id = scope_base.rule_id
            and uncapped.earned_quarter = scope_base.earned_quarter
            and uncapped.currency_code = scope_base.currency_code
    {%- elif kind != 'pool' -%}
    left join person_base
        on
            uncapped.employee_number = person_base.employee_number
            and uncapped.earned_quarter = person_base.earned_quarter
            and uncapped.currency_code = person_base.currency_code
    {%- endif %}
),

-- base pay that was taken back as a whole limits to nothing, not to less
{{ kind }}_limit as (
    select
        group_key,
        sum(left_cents) as group_cents,
        sum(greatest(left_cents, 0)) as earned_cents,
        {% if kind == 'pool' -%}
        {{ integer_units('max(limit_amount)', 2) }} as limit_cents
        {%- else -%}
        {{ int_div(
            integer_units('greatest(max(base_amount), 0)', 2) ~ ' * ' ~ integer_units('max(limit_share)', 6),
            exact_integer('1000000')
        ) }} as limit_cents
        {%- endif %}
    from {{ kind }}_line
    where {{ 'limit_amount' if kind == 'pool' else 'base_amount' }} is not null
    group by group_key
),

{{ kind }}_group as (
    select
        *,
        group_cents - limit_cents as excess_cents
    from {{ kind }}_limit
    where group_cents > limit_cents and earned_cents > 0
),

-- only lines of groups above their limit are cut
{{ kind }}_share as (
    select
        {{ kind }}_line.*,
        {{ kind }}_group.group_cents,
        {{ kind }}_group.limit_cents,
        {{ kind }}_group.excess_cents,
        greatest({{ kind }}_line.left_cents, 0) * {{ kind }}_group.excess_cents as cut_numerator,
        {{ kind }}_group.earned_cents as cut_denominator
    from {{ kind }}_line
    inner join {{ kind }}_group on {{ kind }}_line.group_key = {{ kind }}_group.group_key
),

{{ kind }}_cut as (
    select
        *,
        {{ allocate_largest_remainder(
            'cut_numerator', 'cut_denominator', 'group_key, cut_denominator', 'earning_line_id'
        ) }} as cut_cents
    from {{ kind }}_share
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
        month_count,
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
        month_count,
        {{ exact_integer('null') }} as limit_cents,
        {{ exact_integer('null') }} as group_cents,
        {{ exact_integer('null') }} as excess_cents,
        {{ exact_integer('0') }} as cut_cents
    from {{ kind }}_line
    where {{ 'limit_amount' if kind == 'pool' else 'base_amount' }} is null
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
        cast(
            case
                when cut.limit_cents is null then 'no_base_pay'
                when cut.month_count < 3 then 'base_pay_incomplete'
                else 'applied'
            end as varchar
        ) as cap_status,
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
