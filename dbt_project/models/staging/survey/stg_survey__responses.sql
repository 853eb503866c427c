with source as (
    select * from {{ source('survey', 'response') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

survey_wave as (
    select * from {{ ref('survey_wave') }}
),

survey_question as (
    select * from {{ ref('survey_question') }}
),

current_records as (
    {{ current_batches('survey', 'response', ['response_id']) }}
),

renamed as (
    select
        response_id,
        nullif(wave_code, '') as wave_code,
        nullif(respondent_pseudonym, '') as respondent_pseudonym,
        nullif(question_code, '') as question_code,
        cast(nullif(score, '') as integer) as score_value,
        cast(nullif(scale_minimum, '') as integer) as exported_minimum_value,
        cast(nullif(scale_maximum, '') as integer) as exported_maximum_value,
        {{ parse_timestamp('submitted_at', 'iso8601') }} as submitted_at,
        lower(nullif(trim(reference_kind), '')) as reference_kind,
        nullif(reference, '') as reference,
        _batch_id as batch_id
    from current_records
),

asked as (
    select
        renamed.*,
        survey_wave.survey_code,
        survey_wave.opens_at,
        survey_wave.closes_at,
        survey_question.dimension_code,
        survey_question.scale_minimum_value,
        survey_question.scale_maximum_value
    from renamed
    left join survey_wave on renamed.wave_code = survey_wave.wave_code
    left join survey_question
        on
            survey_wave.survey_code = survey_question.survey_code
            and renamed.question_code = survey_question.question_code
),

judged as (
    select
        *,
        case
            when survey_code is null then 'unknown_wave'
            when dimension_code is null then 'unknown_question'
            when
                score_value is null
                or score_value < scale_minimum_value
                or score_value > scale_maximum_value
                or exported_minimum_value <> scale_minimum_value
                or exported_maximum_value <> scale_maximum_value
                then 'out_of_scale'
            when submitted_at is null or submitted_at < opens_at or submitted_at >= closes_at then 'outside_wave'
        end as fault
    from asked
),

-- only among answers that would count: a late or ill-scaled second answer does not push out a good first one
ranked as (
    select
        *,
        row_number() over (
            partition by wave_code, respondent_pseudonym, question_code, reference, fault
            order by submitted_at desc, response_id desc
        ) as answer_rank
    from judged
),

final as (
    select
        response_id,
        wave_code,
        survey_code,
        respondent_pseudonym,
        question_code,
        dimension_code,
        score_value,
        submitted_at,
        reference_kind,
        reference,
        coalesce(fault, case when answer_rank > 1 then 'duplicate' else 'valid' end) as response_status,
        batch_id
    from ranked
)

select * from final
