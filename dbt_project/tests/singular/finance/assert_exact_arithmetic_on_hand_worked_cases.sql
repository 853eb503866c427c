-- The money macros on cases worked out by hand: a wrong rounding or a lost cent here would be wrong
-- everywhere. These need no data, so they run beside the seeds' own tests.
with ratio_case as (
    select ratio_case.* from (
        values
        ('one third', 1, 3, '0.333333'),
        ('two thirds', 2, 3, '0.666667'),
        ('half a millionth goes up', 1, 2000000, '0.000001'),
        ('just under half a millionth', 999999, 2000000000000, '0.000000'),
        ('negative half goes away from zero', -1, 2000000, '-0.000001'),
        ('whole', 7, 7, '1.000000'),
        ('nothing', 0, 5, '0.000000'),
        ('no denominator', 1, 0, null),
        ('beyond the digits of a double', 900719925474099301, 1000000000000000000, '0.900720'),
        ('a double would call this a half', 1000001499999999999, 1000000000000000000, '1.000001')
    ) as ratio_case (case_name, numerator, denominator, expected)
),

ratio_result as (
    select
        case_name,
        expected,
        {{ round_half_up_ratio('numerator', 'denominator', 6) }} as got
    from ratio_case
),

ratio_failure as (
    select
        case_name,
        expected,
        cast(got as varchar) as got
    from ratio_result
    where got is distinct from cast(expected as decimal(18, 6))
),

-- (partition, tie order, numerator, denominator in cents)
allocation_case as (
    select allocation_case.* from (
        values
        ('100.00 over three', 1, 10000, 3, 3334),
        ('100.00 over three', 2, 10000, 3, 3333),
        ('100.00 over three', 3, 10000, 3, 3333),
        ('largest remainder before tie order', 1, 101, 10, 10),
        ('largest remainder before tie order', 2, 109, 10, 11),
        ('equal halves: the first gets the cent', 1, 5, 10, 1),
        ('equal halves: the first gets the cent', 2, 5, 10, 0),
        ('half of the total goes up', 1, 25, 10, 3),
        ('half of the total goes up', 2, 0, 10, 0),
        ('below half nothing is added', 1, 4, 10, 0),
        ('nothing to share', 1, 0, 10, 0)
    ) as allocation_case (case_name, part_number, numerator, denominator, expected)
),

allocated as (
    select
        case_name,
        part_number,
        expected,
        {{ allocate_largest_remainder(
            exact_integer('numerator'), exact_integer('denominator'), 'case_name', 'part_number'
        ) }} as got
    from allocation_case
),

calendar_failure as (
    select
        'quarter and month names' as case_name,
        '2025-Q1 2025-03 2025-01-01 2025-03-01 2025-04-01' as expected,
        {{ quarter_code("date '2025-03-31'") }} || ' ' || {{ month_code("date '2025-03-31'") }}
        || ' ' || cast({{ quarter_start("date '2025-03-31'") }} as varchar)
        || ' ' || cast({{ month_start("date '2025-03-31'") }} as varchar)
        || ' ' || cast({{ month_code_start("'2025-04'") }} as varchar) as got
),

units_failure as (
    select
        'whole units there and back' as case_name,
        '1250 -123 12.34' as expected,
        cast({{ integer_units("cast('0.1250' as decimal(9, 4))", 4) }} as varchar)
        || ' ' || cast({{ integer_units("cast('-1.23' as decimal(18, 2))", 2) }} as varchar)
        || ' ' || cast({{ from_integer_units('1234', 2) }} as varchar) as got
),

failure as (
    select
        case_name,
        expected,
        got
    from ratio_failure

    union all

    select
        case_name || ', part ' || cast(part_number as varchar) as case_name,
        cast(expected as varchar) as expected,
        cast(got as varchar) as got
    from allocated
    where got <> expected

    union all

    select
        case_name,
        expected,
        got
    from calendar_failure
    where got <> expected

    union all

    select
        case_name,
        expected,
        got
    from units_failure
    where got <> expected
)

select * from failure
