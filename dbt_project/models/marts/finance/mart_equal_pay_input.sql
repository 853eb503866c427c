{%- set fewest = var('fewest_persons_shown') -%}
{%- set levels = {
    'tier': ['country_code', 'tier'],
    'country': ['country_code'],
    'all': []
} -%}
-- What the plan pays groups of people against their targets, for reviews of equal pay: by tier and country, by country,
-- and over all. The groups of an attribute are shown together or not at all, and a level only where the one above it
-- is shown and all of its own are, so that no hidden group can be had by subtraction.
with incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

grouped_person as (
    select * from {{ ref('int_equal_pay_group') }}
),
{% for level, columns in levels.items() %}
-- by currency what was paid of the target for the days that count; what a person earned in several, by these days
{{ level }}_currency as (
    select
        earned_quarter,
        period_start_on,
        {{ 'country_code' if 'country_code' in columns else 'cast(null as varchar) as country_code' }},
        {{ 'tier' if 'tier' in columns else 'cast(null as integer) as tier' }},
        employee_number,
        currency_code,
        {{ exact_integer('max(quarter_days)') }} as quarter_days,
        sum({{ integer_units('payout_amount', 2) }}) as payout_cents,
        sum(
            {{ integer_units('target_amount', 2) }}
            * {{ integer_units('paid_days_value', 4) }}
            * {{ integer_units('weight', 4) }}
        ) as target_numerator,
        sum({{ integer_units('paid_days_value', 4) }} * {{ integer_units('weight', 4) }}) as day_units
    from incentive_payout
    group by
        earned_quarter,
        period_start_on,
        {% for column in columns %}{{ column }},
        {% endfor -%}
        employee_number,
        currency_code
),
{% endfor %}
person_currency as (
    {% for level in levels -%}
    select
        '{{ level }}' as level_code,
        *
    from {{ level }}_currency
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

shared_currency as (
    select
        *,
        {{ integer_units(
            round_half_up_ratio('payout_cents * quarter_days * 100000000', 'target_numerator', 6), 6
        ) }} as share_units
    from person_currency
),

person_share as (
    select
        level_code,
        earned_quarter,
        period_start_on,
        country_code,
        tier,
        employee_number,
        {{ round_half_up_integer(
            'sum(case when target_numerator > 0 then share_units * day_units else 0 end)',
            'sum(case when target_numerator > 0 then day_units else 0 end)'
        ) }} as share_units
    from shared_currency
    group by level_code, earned_quarter, period_start_on, country_code, tier, employee_number
),

placed as (
    select
        person_share.*,
        grouped_person.attribute_code,
        grouped_person.attribute_group,
        row_number() over (
            partition by
                person_share.level_code, person_share.earned_quarter, person_share.country_code, person_share.tier,
                grouped_person.attribute_code, grouped_person.attribute_group
            order by person_share.share_units nulls last, person_share.employee_number
        ) as place,
        count(person_share.share_units) over (
            partition by
                person_share.level_code, person_share.earned_quarter, person_share.country_code, person_share.tier,
                grouped_person.attribute_code, grouped_person.attribute_group
        ) as compared_count
    from person_share
    inner join grouped_person
        on
            person_share.employee_number = grouped_person.employee_number
            and person_share.earned_quarter = grouped_person.earned_quarter
),

-- the median is the middle share, or half the sum of the middle two
attribute_group as (
    select
        level_code,
        earned_quarter,
        period_start_on,
        country_code,
        tier,
        attribute_code,
        attribute_group,
        count(*) as participant_count,
        max(compared_count) as compared_count,
        sum(share_units) as share_units,
        sum(case when 2 * place between compared_count and compared_count + 2 then share_units end) as middle_units,
        count(case when 2 * place between compared_count and compared_count + 2 then share_units end) as middle_count
    from placed
    group by level_code, earned_quarter, period_start_on, country_code, tier, attribute_code, attribute_group
),

-- whether all groups of an attribute are large enough: in the set, in all sets of the country, in all of the level
judged as (
    select
        *,
        min(compared_count) over (
            partition by level_code, earned_quarter, country_code, tier, attribute_code
        ) as least_of_set,
        min(compared_count) over (
            partition by level_code, earned_quarter, country_code, attribute_code
        ) as least_of_country,
        min(compared_count) over (partition by level_code, earned_quarter, attribute_code) as least_of_level
    from attribute_group
),

above as (
    select
        earned_quarter,
        attribute_code,
        min(case when level_code = 'all' then least_of_level end) as least_of_all,
        min(case when level_code = 'country' then least_of_level end) as least_of_countries
    from judged
    group by earned_quarter, attribute_code
),

verdict as (
    select
        judged.*,
        case
            when judged.compared_count < {{ fewest }} then 'few_persons'
            when judged.least_of_set < {{ fewest }} then 'few_persons_in_another_group'
            when
                least(
                    above.least_of_all,
                    case when judged.level_code = 'all' then above.least_of_all else above.least_of_countries end,
                    judged.least_of_country
                ) < {{ fewest }}
                then 'another_set_is_hidden'
        end as suppression_reason
    from judged
    inner join above
        on
            judged.earned_quarter = above.earned_quarter
            and judged.attribute_code = above.attribute_code
),

final as (
    select
        cast({{ md5_of([
            'level_code', 'earned_quarter', 'country_code', 'tier', 'attribute_code', 'attribute_group'
        ]) }} as varchar) as equal_pay_key,
        cast(level_code as varchar) as level_code,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(period_start_on as date) as period_start_on,
        cast(country_code as varchar) as country_code,
        cast(tier as integer) as tier,
        cast(attribute_code as varchar) as attribute_code,
        cast(attribute_group as varchar) as attribute_group,
        cast(suppression_reason is not null as boolean) as is_suppressed,
        cast(suppression_reason as varchar) as suppression_reason,
        cast(case when suppression_reason is null then participant_count end as bigint) as participant_count,
        cast(case when suppression_reason is null then compared_count end as bigint) as compared_count,
        cast(
            case
                when suppression_reason is null
                    then {{ round_half_up_ratio('share_units', 'compared_count * 1000000', 6) }}
            end as decimal(18, 6)
        ) as mean_payout_share,
        cast(
            case
                when suppression_reason is null
                    then {{ round_half_up_ratio('middle_units', 'middle_count * 1000000', 6) }}
            end as decimal(18, 6)
        ) as median_payout_share
    from verdict
)

select * from final
