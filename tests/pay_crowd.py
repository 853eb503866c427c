"""Thousands of drawn companies side by side in one set of tables, and what each is owed in exact whole numbers.

Every company has a plan, a tier, a country, two teams, metrics and people of its own, so that none touches another;
they share currencies alone, and with them the pools that cap a currency. Everything is drawn by hashing the seed with
what is drawn, so the same seed draws the same crowd. `open_crowd` fills the tables the pay models read and renders the
models over them; `exact_lines` and `exact_caps` compute with Python's integers what the models should say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import Any

import duckdb

from benchmarks.model_sql import model_sql
from ingestion.demo.reference_pay import PlanComponent, component_share, half_up_cents
from tests.declared import seed_types
from tests.pay_world import GIVEN

QUARTERS = "(values ('2025-Q1', date '2025-01-01', date '2025-04-01', 90, '2025-04'), ('2025-Q2', date '2025-04-01', date '2025-07-01', 91, '2025-07')) as quarter (code, start_on, end_on, days, paid_in)"  # fmt: skip  # noqa: E501
CURRENCIES = 40
FACTS = ("fct_incentive_payout", "fct_earning_line", "fct_cap_application")
OTHER_KINDS = {
    "fct_draw": "draw",
    "fct_on_call_reward": "on_call",
    "fct_pool_allocation": "pool",
    "fct_award_vesting": "award",
}
KINDS = ("collective_agreement", "person_share", "pool", "personnel_cost_share")
SEEDS = ("team", "plan_component", "achievement_band", "counter_gate")
MORE_GIVEN = """
    create table int_lifecycle_weight (
        plan_code varchar, plan_version integer, component_code varchar, team_code varchar, earned_quarter varchar,
        phase varchar, weight decimal(9, 4)
    );
    create table int_work_share (
        employee_number varchar, from_on date, to_on date, work_share decimal(9, 4), reasons varchar
    );
    create table fct_eligibility (
        plan_code varchar, plan_version integer, employee_number varchar, earned_quarter varchar, team_code varchar,
        rule_code varchar, is_met boolean, eligible_share decimal(9, 4), reason varchar
    );
    create table other_earning (
        earning_line_id varchar, earning_kind varchar, plan_code varchar, employee_number varchar,
        earned_quarter varchar, team_code varchar, country_code varchar, cost_centre_code varchar,
        currency_code varchar, earned_amount decimal(18, 2), payment_period varchar
    );
    create table int_agreement_rule (
        rule_id varchar, cap_kind varchar, scope_type varchar, scope_code varchar, limit_share decimal(18, 6),
        limit_amount decimal(18, 2), currency_code varchar, counts_from_on date, counts_to_on date, is_counted boolean
    );
    create table int_base_pay (
        earned_quarter varchar, employee_number varchar, currency_code varchar, team_code varchar,
        country_code varchar, base_amount decimal(18, 2), register_month_count bigint
    );
    create table int_union_membership (
        employee_number varchar, union_code varchar, member_from_on date, member_to_on date
    );
"""
# One draw: a whole number from 0 up to but not including `ceiling`.
DRAWN = """
    create macro draw(name, key, ceiling) as (hash('{seed} ' || name || ' ' || key) % ceiling)::bigint;
    create table company as
    select
        n as number, 'p' || n as plan_code, 1 + draw('version', n, 3) as plan_version, 'C' || n as country_code,
        draw('monotone', n, 4) > 0 as is_monotone, draw('gate', n, 4) = 0 as is_gated, 1 + draw('parts', n, 4) as parts,
        draw('quarters', n, 3) > 0 as pays_two_quarters
    from range({companies}) as drawn (n);
    insert into int_reporting_period select 'quarter', code, start_on, end_on, true from {quarters};
    insert into int_incentive_period
    select plan_code, plan_version, code, start_on, end_on, days, paid_in, true
    from company cross join {quarters} where pays_two_quarters or code = '2025-Q2';
    insert into int_plan_activation select plan_code, plan_version, country_code, true, '2024-07-01' from company;
    insert into team by name
    select
        't' || number || side as team_code, number as tier, country_code,
        'CC' || draw('centre', number || side, 500) as cost_centre_code
    from company, (values ('a'), ('b')) as sides (side);

    create table part as
    select
        company.*, k, 'c' || k as component_code, number || 'c' || k as part_key,
        1 + draw('weight', number || 'c' || k, 1000) as raw_weight
    from company, range(1, 5) as drawn (k) where k <= parts;
    insert into plan_component by name
    with cut as (
        select *, 10000 * sum(raw_weight) over (partition by number order by k)
            // sum(raw_weight) over (partition by number) as upto
        from part
    )
    select
        plan_code, plan_version, number as tier, component_code, 'm' || part_key as metric_code,
        (upto - coalesce(lag(upto) over (partition by number order by k), 0))::decimal(18, 4) * 0.0001 as weight,
        ['flat', 'interpolated', 'stepped'][1 + draw('method', part_key, 3)] as band_method,
        'outcome' as role,
        if(draw('method', part_key, 3) = 2 and draw('grain', part_key, 2) = 0, 'cumulative', 'individual')
            as processing_grain,
        if(draw('has threshold', part_key, 3) = 0, draw('threshold', part_key, 900000), null)::decimal(18, 6)
            * 0.000001 as threshold_value,
        if(draw('faster', part_key, 3) = 0, 400000 + draw('faster from', part_key, 600000), null)::decimal(18, 6)
            * 0.000001 as accelerator_from_value,
        if(
            draw('faster', part_key, 3) = 0,
            if(is_monotone, 10000, 3000) + draw('factor', part_key, 10000), null
        )::decimal(18, 4) * 0.0001 as accelerator_factor
    from cut;
    insert into achievement_band by name
    select
        plan_code, plan_version, component_code, b as band_number,
        (sum(if(b = 1, if(draw('floor', part_key, 3) = 0, draw('low', part_key, 500000), 0),
            1 + draw('width', part_key || b, 400000))) over above)::decimal(18, 6) * 0.000001 as lower_bound,
        (if(is_monotone, sum(draw('rise', part_key || b, 5000)) over above, draw('share', part_key || b, 15000)))
            ::decimal(18, 4) * 0.0001 as payout_share
    from part, range(1, 6) as drawn (b) where b <= 1 + draw('bands', part_key, 5)
    window above as (partition by part_key order by b);
    insert into counter_gate by name
    select
        plan_code, plan_version, number as tier, component_code, 'm' || number || 'c1' as counter_metric_code,
        0.3 as least_value, if(draw('most', part_key, 2) = 0, 0.9, null) as most_value,
        draw('kept', part_key, 10000)::decimal(18, 4) * 0.0001 as share_kept
    from part where is_gated and draw('held', part_key, 2) = 0;

    -- a result in ten is missing, one in ten of the others rests on too few events
    insert into fct_metric_result by name
    select
        'r' || part_key || side || code as metric_result_key, 'm' || part_key as metric_code, 1 as metric_version,
        'team' as entity_type, 't' || number || side as entity_code, 'quarter' as period_grain,
        start_on as period_start_on,
        if(draw('little', part_key || side || code, 10) = 0, null, draw('value', part_key || side || code, 1200000))
            ::decimal(18, 6) * 0.000001 as metric_value,
        if(draw('little', part_key || side || code, 10) = 0, 'insufficient_data', 'ok') as result_status
    from part, (values ('a'), ('b')) as sides (side), {quarters}
    where draw('missing', part_key || side || code, 10) > 0;
    insert into fct_score_adjustment_effect
    select
        metric_result_key, 'a' || metric_result_key,
        draw('adjusted', metric_result_key, 1200000)::decimal(18, 6) * 0.000001,
        draw('applied', metric_result_key, 2) = 0
    from fct_metric_result where result_status = 'ok' and draw('moved', metric_result_key, 8) = 0;

    create table person as
    select company.*, 'e' || number || '-' || j as employee_number
    from company, range(1, 4) as drawn (j) where j <= 1 + draw('people', number, 3);
    insert into int_employee_assignment by name
    with piece as (
        select
            person.*, s, employee_number || ' ' || s as piece_key, 1 + draw('pieces', employee_number, 3) as pieces,
            sum(if(s = 1, draw('hired', employee_number, 240), 1 + draw('stays', employee_number || s, 70)))
                over (partition by employee_number order by s) as from_day,
        from person, range(1, 5) as drawn (s)
    )
    select
        employee_number, country_code, 't' || number || ['a', 'b'][1 + draw('side', piece_key, 2)] as team_code,
        (1 + draw('target', piece_key, 2000000))::decimal(18, 2) * 0.01 as quarterly_target_amount,
        'c' || draw('currency', employee_number || draw('moves currency', piece_key, 8) // 7, {currencies})
            as currency_code,
        date '2024-11-01' + from_day::integer as assigned_from_on,
        if(s < pieces or draw('leaves', employee_number, 3) = 0, date '2024-11-01' + next_day::integer, null)
            as assigned_to_on,
        true as is_in_incentive_plan
    from (select *, lead(from_day) over (partition by employee_number order by s) as next_day from piece)
    where s <= pieces;
    insert into int_work_share
    select
        employee_number, date '2025-01-01' + first_day, date '2025-01-01' + first_day + days,
        draw('works', employee_number || turn, 10000)::decimal(18, 4) * 0.0001, 'part_time'
    from (
        select
            employee_number, turn, (turn * 90 + draw('away from', employee_number || turn, 50))::integer as first_day,
            (1 + draw('away', employee_number || turn, 40))::integer as days
        from person, (values (0), (1)) as turns (turn) where draw('is away', employee_number || turn, 3) = 0
    );
    insert into fct_eligibility
    select
        plan_code, plan_version, employee_number, code, 't' || number || side, rule,
        false, if(draw('out', employee_number || code, 2) = 0, 0, draw('kept', employee_number || code || rule, 10000))
            ::decimal(18, 4) * 0.0001, rule
    from person, (values ('a'), ('b')) as sides (side), (values ('one'), ('two')) as rules (rule), {quarters}
    where draw('not met', employee_number || code || side || rule, 8) = 0;
    insert into int_component_weight
    select plan_code, plan_version, number, component_code, '2025-Q2', draw('reweighted', part_key, 10000) * 0.0001
    from part where draw('is reweighted', number, 10) = 0 and draw('that part', part_key, 2) = 0;
    insert into int_lifecycle_weight
    select
        plan_code, plan_version, component_code, 't' || number || 'b', code, 'introduction',
        draw('phase', part_key, 10000) * 0.0001
    from part cross join {quarters} where draw('is young', number, 10) = 0;

    -- a draw is set off every third time; no limit touches it
    insert into other_earning
    select
        'o ' || kind || ' ' || employee_number || ' ' || code, kind, if(kind = 'draw', plan_code, null),
        employee_number, code, if(kind = 'draw', null, 't' || number || 'a'), country_code, 'CC0',
        'c' || draw('currency', employee_number || 0, {currencies}),
        if(kind = 'draw' and draw('set off', employee_number || code, 3) = 0, -1, 1)
            * (1 + draw('other', kind || employee_number || code, 60000))::decimal(18, 2) * 0.01, paid_in
    from person, (values ('draw'), ('on_call'), ('pool'), ('award')) as kinds (kind), {quarters}
    where draw('has other', kind || employee_number || code, 8) = 0;

    insert into int_base_pay
    select
        code, employee_number, currency_code, 't' || number || 'a', country_code,
        (1 + draw('base', employee_number || code, 6000000))::decimal(18, 2) * 0.01,
        2 + draw('told', code, 2)
    from person cross join {quarters}
    cross join lateral (select 'c' || draw('currency', employee_number || 0, {currencies}) as currency_code)
    where draw('is paid', employee_number, 20) > 0;
    insert into int_union_membership
    select employee_number, 'u' || draw('union', employee_number, 8), '2024-01-01', null
    from person where draw('member', employee_number, 3) = 0;
    insert into int_agreement_rule
    select 'u' || n, '{kinds[0]}', 'union', 'u' || n, 0.05 + 0.03 * n, null, null, '2025-01-01', null, true
    from range(6) as drawn (n)
    union all
    select 'all', '{kinds[1]}', 'all', null, 0.21, null, null, '2025-04-01', null, true
    union all
    select 'p' || n, '{kinds[1]}', 'plan', 'p' || n, 0.0123, null, null, '2025-01-01', '2025-03-31', true
    from range(60) as drawn (n)
    union all
    select
        'pool' || n, '{kinds[2]}', 'all', null, null, {companies} * (5 + draw('pool', n, 160)), 'c' || n,
        '2025-01-01', null, true
    from range({currencies}) as drawn (n)
    union all
    select 't' || n, '{kinds[3]}', 'team', 't' || n || 'a', 0.0371, null, null, '2025-01-01', null, true
    from range(60, 120) as drawn (n)
    union all
    select 'C' || n, '{kinds[3]}', 'country', 'C' || n, 0.05, null, null, '2025-01-01', null, true
    from range(120, 180) as drawn (n)
"""
INPUTS = (
    "int_reporting_period",
    "int_incentive_period",
    "int_plan_activation",
    "team",
    "plan_component",
    "achievement_band",
    "counter_gate",
    "fct_metric_result",
    "fct_score_adjustment_effect",
    "int_employee_assignment",
    "int_work_share",
    "fct_eligibility",
    "int_component_weight",
    "int_lifecycle_weight",
    "other_earning",
    "int_base_pay",
    "int_union_membership",
    "int_agreement_rule",
)


def open_crowd(companies: int, seed: int) -> duckdb.DuckDBPyConnection:
    """The drawn tables, and what the models make of them."""
    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    for name in SEEDS:
        columns = ", ".join(f'"{column}" {kind}' for column, kind in seed_types()[name].items())
        connection.execute(f"create table {name} ({columns})")
    connection.execute(GIVEN)
    connection.execute(MORE_GIVEN)
    connection.execute(
        DRAWN.format(seed=seed, companies=companies, quarters=QUARTERS, currencies=CURRENCIES, kinds=KINDS)
    )
    calculate(connection)
    return connection


def calculate(connection: duckdb.DuckDBPyConnection, suffix: str = "", inputs: Collection[str] = ()) -> None:
    """Build the three facts under their names and the suffix; these inputs are read from tables with the suffix too."""
    relations = {name: name + suffix for name in (*inputs, "fct_incentive_payout", "fct_earning_line")}
    other = relations.get("other_earning", "other_earning")
    for model, kind in OTHER_KINDS.items():
        is_earned = ", true as is_earned" if kind == "award" else ""
        relations[model] = f"(select *{is_earned} from {other} where earning_kind = '{kind}')"
    for model in FACTS:
        connection.execute(f"create or replace table {model}{suffix} as {model_sql(model, relations)}")


def laid_out(numerators: Sequence[int], denominator: int) -> list[int]:
    """Whole units of parts n / denominator by largest remainder, ties in the order given; the sum goes half up."""
    units = [number // denominator for number in numerators]
    missing = (2 * sum(numerators) + denominator) // (2 * denominator) - sum(units)
    order = sorted(range(len(units)), key=lambda place: (-(numerators[place] % denominator), place))
    for place in order[:missing]:
        units[place] += 1
    return units


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()


def _component_shares(connection: duckdb.DuckDBPyConnection) -> dict[tuple[Any, ...], int]:
    """Share of each component in 10^-4 by metric, team and the quarter's first day, by the reference's bands."""
    bands = defaultdict(list)
    for plan, component, lower, share in _rows(
        connection, "select plan_code, component_code, lower_bound, payout_share from achievement_band order by all"
    ):
        bands[plan, component].append((Fraction(lower), Fraction(share)))
    components = {
        row[0]: PlanComponent(
            row[2],
            row[0],
            Fraction(0),
            row[3],
            tuple(bands[row[1], row[2]]),
            row[4] == "cumulative",
            None if row[5] is None else Fraction(row[5]),
            None if row[6] is None else Fraction(row[6]),
            Fraction(row[7] or 1),
        )
        for row in _rows(
            connection,
            "select metric_code, plan_code, component_code, band_method, processing_grain, threshold_value, "
            "accelerator_from_value, accelerator_factor from plan_component",
        )
    }
    paid = {
        row[0]: row[1]
        for row in _rows(
            connection, "select metric_result_key, adjusted_value from fct_score_adjustment_effect where is_applied"
        )
    }
    starts = {
        (row[0], row[1])
        for row in _rows(
            connection,
            "select metric_code, period_start_on from int_incentive_period join plan_component "
            "using (plan_code, plan_version)",
        )
    }
    shares, running = {}, defaultdict(Fraction)
    for key, metric, team, start, measured, status in _rows(
        connection,
        "select metric_result_key, metric_code, entity_code, period_start_on, metric_value, result_status "
        "from fct_metric_result order by period_start_on",
    ):
        if (metric, start) not in starts:
            continue
        value = None if status != "ok" else Fraction(paid.get(key, measured))
        component = components[metric]
        share = component_share(component, value, running[metric, team])
        if value is not None and (component.threshold_value is None or value >= component.threshold_value):
            running[metric, team] += value
        shares[metric, team, start] = int(share * 10_000)
    return shares


def _gates(connection: duckdb.DuckDBPyConnection) -> dict[tuple[Any, ...], int]:
    """What counter-metrics leave in 10^-4, by plan, component, team and the quarter's first day."""
    return {
        row[:4]: int(row[4] * 10_000)
        for row in _rows(
            connection,
            """
            select counter_gate.plan_code, component_code, entity_code, period_start_on, share_kept
            from counter_gate
            join fct_metric_result as counter on counter_metric_code = counter.metric_code and result_status = 'ok'
            left join fct_score_adjustment_effect as moved
                on counter.metric_result_key = moved.metric_result_key and is_applied
            where coalesce(adjusted_value, metric_value) not between least_value and coalesce(most_value, 1e9)
            """,
        )
    }


def _weights(connection: duckdb.DuckDBPyConnection) -> dict[tuple[Any, ...], int]:
    """Weights in 10^-4 by plan, component, team and quarter: an adjustment's, else the phase's, else the plan's."""
    found: dict[tuple[Any, ...], int] = {}
    teams = "join team on plan_component.tier = team.tier"
    for query in (
        f"select plan_code, component_code, team_code, period_code, weight from plan_component {teams}, "
        "int_reporting_period",
        "select plan_code, component_code, team_code, earned_quarter, weight from int_lifecycle_weight",
        "select plan_code, component_code, team_code, earned_quarter, weight from int_component_weight "
        "as plan_component " + teams,
    ):
        found.update({row[:4]: int(row[4] * 10_000) for row in _rows(connection, query)})
    return found


def exact_lines(
    connection: duckdb.DuckDBPyConnection,
) -> tuple[dict[tuple[Any, ...], tuple[int, int]], dict[tuple[Any, ...], int]]:
    """What is owed by the drawn tables.

    Cents and share (10^-4) by person, quarter, first day of the segment and component; and the cents of each person,
    quarter and currency, the exact sum rounded half up once.
    """
    shares, gates, weights = _component_shares(connection), _gates(connection), _weights(connection)
    eligible: dict[tuple[Any, ...], int] = {}
    for *key, share in _rows(
        connection, "select employee_number, earned_quarter, team_code, eligible_share from fct_eligibility"
    ):
        eligible[tuple(key)] = min(eligible.get(tuple(key), 10_000), int(share * 10_000))
    away = defaultdict(list)
    for person, start, end, share in _rows(
        connection, "select employee_number, from_on, to_on, work_share from int_work_share"
    ):
        away[person].append((start, end, 10_000 - int(share * 10_000)))
    parts = defaultdict(list)
    for plan, component, metric in _rows(
        connection, "select plan_code, component_code, metric_code from plan_component order by all"
    ):
        parts[plan].append((component, metric))
    owed = defaultdict(list)
    for plan, code, first, end, days, person, team, target, currency, start, stop in _rows(
        connection,
        """
        select period.plan_code, earned_quarter, period_start_on, period_end_on, quarter_days, employee_number,
            team_code, quarterly_target_amount, currency_code, assigned_from_on, assigned_to_on
        from int_employee_assignment as assigned
        join int_plan_activation as active using (country_code)
        join int_incentive_period as period on active.plan_code = period.plan_code
        order by employee_number, earned_quarter, assigned_from_on
        """,
    ):
        start, stop = max(start, first), min(stop or end, end)
        if start >= stop:
            continue
        paid_days = 10_000 * (stop - start).days - sum(
            max((min(stop, to) - max(start, since)).days, 0) * lost for since, to, lost in away[person]
        )
        for component, metric in parts[plan]:
            share = shares.get((metric, team, first), 0)
            numerator = int(target * 100) * paid_days * weights[plan, component, team, code] * share
            numerator *= gates.get((plan, component, team, first), 10_000)
            numerator *= eligible.get((person, code, team), 10_000)
            owed[person, code, currency].append(((person, code, start, component), numerator, share, days))
    found, totals = {}, {}
    for group, lines in owed.items():
        denominator = lines[0][3] * 10**20
        totals[group] = half_up_cents(Fraction(sum(line[1] for line in lines), denominator * 100))
        for (key, _, share, _), cents in zip(lines, laid_out([line[1] for line in lines], denominator), strict=True):
            found[key] = (cents, share)
    return found, totals


def exact_caps(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    """Cents that each kind of limit takes off each earning line, from the lines and the drawn limits."""
    starts = {"2025-Q1": "2025-01-01", "2025-Q2": "2025-04-01"}
    unions = dict(_rows(connection, "select employee_number, union_code from int_union_membership"))
    lines = _rows(
        connection,
        "select earning_line_id, employee_number, earned_quarter, currency_code, country_code, team_code, plan_code, "
        "cast(earned_amount * 100 as bigint) from fct_earning_line where earning_kind <> 'draw' "
        "order by earning_line_id",
    )
    left = {line[0]: line[7] for line in lines}
    person_base: dict[Any, int] = defaultdict(int)
    scope_base: dict[Any, int] = defaultdict(int)
    for quarter, person, currency, team, country, cents in _rows(
        connection,
        "select earned_quarter, employee_number, currency_code, team_code, country_code, "
        "cast(base_amount * 100 as bigint) from int_base_pay",
    ):
        person_base[person, quarter, currency] += cents
        scope_base["team", team, quarter, currency] += cents
        scope_base["country", country, quarter, currency] += cents
    rules: dict[tuple[str, str, Any], list[Any]] = defaultdict(list)
    for rule, kind, scope, code, share, amount, currency, since, to in _rows(
        connection,
        "select rule_id, cap_kind, scope_type, scope_code, limit_share, limit_amount, currency_code, "
        "cast(counts_from_on as varchar), cast(counts_to_on as varchar) from int_agreement_rule order by rule_id",
    ):
        rules[kind, scope, code].append((rule, share, amount, currency, since, to))
    taken: dict[tuple[str, str], int] = {}
    for kind in KINDS:
        groups = defaultdict(list)
        for key, person, quarter, currency, country, team, plan, _ in lines:
            scopes = {"all": None, "country": country, "team": team, "plan": plan, "union": unions.get(person)}
            held = [
                (rule, share, amount, scope, code)
                for scope, code in scopes.items()
                for rule, share, amount, of_currency, since, to in rules.get((kind, scope, code), ())
                if of_currency in (None, currency)
                and since <= starts[quarter]
                and (to is None or starts[quarter] <= to)
            ]
            if not held:
                continue
            rule, share, amount, scope, code = min(held)
            if kind == "pool":
                limit = int(amount * 100)
            else:
                base = person_base if kind in KINDS[:2] else scope_base
                place = (person, quarter, currency) if base is person_base else (scope, code, quarter, currency)
                if place not in base:
                    continue
                limit = max(base[place] * int(share * 1_000_000) // 1_000_000, 0)
            groups[rule, quarter, currency, person if kind in KINDS[:2] else None, limit].append(key)
        for (*_, limit), keys in groups.items():
            excess = sum(left[key] for key in keys) - limit
            earned = [max(left[key], 0) for key in keys]
            if excess <= 0 or not any(earned):
                continue
            for key, cents in zip(keys, laid_out([part * excess for part in earned], sum(earned)), strict=True):
                if cents:
                    taken[kind, key] = cents
                    left[key] -= cents
    return taken
