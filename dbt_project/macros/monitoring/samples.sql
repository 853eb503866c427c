{#- Availability from samples, one hour of one monitor at a time. -#}

{#- Changes between up and down of neighbouring intervals within an hour. -#}
{% macro state_changes(up_bits, down_bits) -%}
    {{ bits_set(bits_in_either(
        bits_in_both(up_bits, bits_earlier(down_bits)), bits_in_both(down_bits, bits_earlier(up_bits))
    )) }}
{%- endmacro %}

{#- Runs of intervals without a known state that begin within an hour of so many expected intervals; a run at the
    hour's first interval counts. -#}
{% macro gap_starts(up_bits, down_bits, expected_count) -%}
    {{ bits_set(bits_without(
        bits_without('(' ~ bit_at(expected_count) ~ ' - 1)', bits_in_either(up_bits, down_bits)),
        bits_later(bits_without('(' ~ bit_at(expected_count) ~ ' - 1)', bits_in_either(up_bits, down_bits)))
    )) }}
{%- endmacro %}
