{#- The payout ledger: which quarters are closed, and what makes a line. -#}

{#- Query: the quarters that were closed, as the archive registered them (landing.closed_period); no row where nothing
    registers closures yet. -#}
{% macro closed_quarters() -%}
{%- set closures = adapter.get_relation(database=target.database, schema='landing', identifier='closed_period') -%}
{%- if closures -%}
select distinct cast(period_code as varchar) as earned_quarter
from {{ closures }}
{%- else -%}
select cast(null as varchar) as earned_quarter
where 1 = 0
{%- endif -%}
{%- endmacro %}

{#- What of a line of the ledger can never change: its hash is taken over these, in this order. -#}
{% macro ledger_content() -%}
    {{ return([
        'ledger_line_id', 'line_type', 'item_kind', 'item_key', 'line_number', 'earning_kind', 'earning_line_id',
        'original_ledger_line_id', 'reason', 'employee_number', 'earned_quarter', 'team_code', 'country_code',
        'cost_centre_code', 'currency_code', 'amount', 'payment_period',
    ]) }}
{%- endmacro %}

{#- A number that is the same for a line of the ledger and for what is calculated of its item when both say the same:
    of whom, where, of which quarter and how much. The month of payment stands beside it: of what is paid it may differ. -#}
{% macro ledger_mark(relation) -%}
    {%- set parts = [] -%}
    {%- for column in [
        'item_kind', 'item_key', 'amount', 'earning_kind', 'employee_number', 'earned_quarter', 'team_code',
        'country_code', 'cost_centre_code', 'currency_code'
    ] -%}
        {%- do parts.append(relation ~ '.' ~ column) -%}
    {%- endfor -%}
    {{ md5_number_of(parts) }}
{%- endmacro %}

{#- Query: the first month each kind of pay is paid here; null without a decision that stands. A decision on the kind
    goes before one on every kind. kinds: relation with the column earning_kind; decisions: int_payroll_go_live. -#}
{% macro first_month_by_kind(kinds, decisions) -%}
    select
        kinds.earning_kind,
        coalesce(
            max(case when decisions.earning_kind is not null then decisions.first_payment_period end),
            max(decisions.first_payment_period)
        ) as first_payment_period
    from (select distinct earning_kind from {{ kinds }}) as kinds
    left join {{ decisions }} as decisions
        on
            decisions.is_standing
            and (decisions.earning_kind is null or decisions.earning_kind = kinds.earning_kind)
    group by kinds.earning_kind
{%- endmacro %}
