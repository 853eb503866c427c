{#- Availability from samples, one hour of one monitor at a time. -#}

{#- Aggregates of the samples of one probe in one hour: the intervals that hold a sample, a bad one, one that cannot
    tell; the rest of the first is good. A sample that came twice sets its bit twice, which is once: duplicates need
    no step of their own. Only what is rare is asked for, which is half the time over a hundred million samples.
    is_bad, is_unknown: conditions; position: number of the interval in the hour. -#}
{% macro sample_bits(is_bad, is_unknown, position) -%}
    {{ bits_of_any(bit_at(position)) }} as sample_bits,
    coalesce({{ bits_of_any(bit_at(position)) }} filter (where {{ is_bad }}), 0) as bad_bits,
    coalesce({{ bits_of_any(bit_at(position)) }} filter (where {{ is_unknown }}), 0) as unknown_bits
{%- endmacro %}

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
