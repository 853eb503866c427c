-- A measure in the catalogue that no model computes would leave its metrics empty; one that is missing there, or whose
-- squares are not summed, could not be defined.
with computed as (
    {% for kind, observation in metric_observations().items() -%}
    {% for measure, whole in observation.measures.items() -%}
    select
        '{{ kind }}' as observation_kind,
        '{{ measure }}' as measure_code,
        {{ "'" ~ whole ~ "'" if whole else 'cast(null as varchar)' }} as whole_measure
    {{ 'union all' if not loop.last }}
    {% endfor -%}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

failure as (
    select
        coalesce(metric_measure.observation_kind, computed.observation_kind) as observation_kind,
        coalesce(metric_measure.measure_code, computed.measure_code) as measure_code,
        metric_measure.whole_measure,
        computed.whole_measure as computed_whole_measure
    from {{ ref('metric_measure') }} as metric_measure
    full join computed
        on
            metric_measure.observation_kind = computed.observation_kind
            and metric_measure.measure_code = computed.measure_code
    where
        metric_measure.measure_code is null
        or computed.measure_code is null
        or (metric_measure.whole_measure is distinct from computed.whole_measure)
)

select * from failure
