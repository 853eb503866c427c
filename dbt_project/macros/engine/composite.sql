{#- Composite targets over a tree of components. Shares are whole numbers of 10^-12, so that no float decides a
    target: a product is rounded half up to that unit after each factor. -#}

{#- Height of the tallest service tree that is computed; int_service_tree_fault refuses a taller one. -#}
{% macro composite_height_limit() %}{{ return(6) }}{% endmacro %}

{#- A share as a whole number of 10^-9, as HUGEINT: 0.995 is 995000000. integer_units would overflow at this scale,
    since a product of two DECIMALs of 18 digits keeps 18. -#}
{% macro share_units(share) %}{{ return(adapter.dispatch('share_units', 'slt_warehouse')(share)) }}{% endmacro %}
{% macro duckdb__share_units(share) -%}
    cast(cast({{ share }} as decimal(38, 9)) * 1000000000 as hugeint)
{%- endmacro %}

{#- The inverse of share_units, from units of 10^-12 rounded half up: DECIMAL(18, 9). -#}
{% macro share_of_units(units) -%}
    {{ from_integer_units(round_half_up_integer(units, 1000), 9) }}
{%- endmacro %}

{#- Aggregate: product of shares in units of 10^-12, multiplied in the order given and rounded half up after each
    factor. Null when one of them is null: what is not known cannot be vouched for. -#}
{% macro exact_product(units, order) %}{{ return(adapter.dispatch('exact_product', 'slt_warehouse')(units, order)) }}{% endmacro %}
{% macro duckdb__exact_product(units, order) -%}
    list_reduce(
        list(cast({{ units }} as hugeint) order by {{ order }}),
        lambda product, factor: (product * factor + 500000000000) // 1000000000000
    )
{%- endmacro %}

{#- Aggregate over the components of one parent: their combined share in units of 10^-12. `series` needs every
    component (product), `parallel` any one of them (1 - product of what each loses), `weighted` is the mean by
    documented weight (units of 10^-4). Null when a component's share is null. -#}
{% macro composite_units(structure, units, weight_units, order) -%}
    case
        when count({{ units }}) < count(*) then null
        when {{ structure }} = 'series' then {{ exact_product(units, order) }}
        when {{ structure }} = 'parallel'
            then 1000000000000 - {{ exact_product('1000000000000 - ' ~ units, order) }}
        when {{ structure }} = 'weighted'
            then {{ round_half_up_integer('sum(' ~ weight_units ~ ' * ' ~ units ~ ')', 'sum(' ~ weight_units ~ ')') }}
    end
{%- endmacro %}

{#- CTEs that compute a tree bottom up: level by level, each parent after all its components. They end with
    `known_<composite_height_limit()>`: period_on, measure, node_code and the value columns, of leaves and parents.

    edges: CTE with period_on, measure, parent_code, parent_height (1: all components are leaves), component_code,
    structure, weight_units. leaves: CTE with period_on, measure, node_code and the value columns, of nodes that
    are no parent in the period. values: names of the columns to combine, in units of 10^-12. -#}
{% macro composite_levels(edges, leaves, values) -%}
    known_0 as (
        select
            period_on,
            measure,
            node_code,
            {{ values | join(',\n            ') }}
        from {{ leaves }}
    ),
{% for level in range(1, (composite_height_limit() | int) + 1) %}
    level_{{ level }} as (
        select
            {{ edges }}.period_on,
            {{ edges }}.measure,
            {{ edges }}.parent_code as node_code,
            {% for value in values -%}
            {{ composite_units(
                edges ~ '.structure', 'known_' ~ (level - 1) ~ '.' ~ value, edges ~ '.weight_units',
                edges ~ '.component_code'
            ) }} as {{ value }}{{ ',' if not loop.last }}
            {% endfor -%}
        from {{ edges }}
        left join known_{{ level - 1 }}
            on
                {{ edges }}.period_on = known_{{ level - 1 }}.period_on
                and {{ edges }}.measure = known_{{ level - 1 }}.measure
                and {{ edges }}.component_code = known_{{ level - 1 }}.node_code
        where {{ edges }}.parent_height = {{ level }}
        group by {{ edges }}.period_on, {{ edges }}.measure, {{ edges }}.parent_code, {{ edges }}.structure
    ),

    known_{{ level }} as (
        select * from known_{{ level - 1 }}
        union all
        select * from level_{{ level }}
    ){{ ',' if not loop.last }}
{% endfor %}
{%- endmacro %}
