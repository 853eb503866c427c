{#- Tax by brackets, exact on whole numbers: cents and millionths. -#}

{#- What one bracket takes of an amount, in cents x 10^-6: the part of it that lies between the bracket's bounds, times
    the rate. Nothing below zero. amount_cents: whole cents; bracket: alias of a row with lower_cents, upper_cents (null
    = no upper bound) and rate_millionths. -#}
{% macro bracket_tax(amount_cents, bracket) -%}
    greatest(
        least({{ amount_cents }}, coalesce({{ bracket }}.upper_cents, {{ amount_cents }})) - {{ bracket }}.lower_cents,
        0
    ) * {{ bracket }}.rate_millionths
{%- endmacro %}

{#- A tax in cents x 10^-6 as whole cents, rounded to the rule's unit: half_up (halves away from zero, so that a refund
    is the signed copy of what was withheld) or down (towards zero). unit_cents: the unit as whole cents. -#}
{% macro rounded_tax(tax_millionths, rounding_policy, unit_cents) -%}
    case
        when {{ rounding_policy }} = 'down'
            then
                {{ int_div('abs(' ~ tax_millionths ~ ')', '1000000 * ' ~ unit_cents) }}
                * sign({{ tax_millionths }}) * {{ unit_cents }}
        when {{ rounding_policy }} = 'half_up'
            then {{ round_half_up_integer(tax_millionths, '1000000 * ' ~ unit_cents) }} * {{ unit_cents }}
    end
{%- endmacro %}
