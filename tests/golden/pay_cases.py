"""Hand-worked money cases: rounding and bands as tables, and one quarter of pay to the cent.

Every figure was worked out on paper; ``working`` or the comment shows how. The tables are plain values, so
that the reference calculation, SQL macros and the whole warehouse (``golden_company``) can be run against
them. Shares and values are decimal text, amounts decimal text with two places.
"""

from __future__ import annotations

from dataclasses import dataclass

# (exact amounts as 'numerator/denominator' text, amounts after largest remainder, why)
LARGEST_REMAINDER_CASES = (
    (("100/3", "100/3", "100/3"), ("33.34", "33.33", "33.33"), "ties in order: the first gets the cent"),
    (("1/3", "1/3"), ("0.34", "0.33"), "2/3 = 0.67 half up; floors 0.33 + 0.33"),
    (("1/200", "0"), ("0.01", "0.00"), "half a cent goes up"),
    (("49/10000", "0"), ("0.00", "0.00"), "less than half a cent is nothing"),
    (("1/400", "1/400"), ("0.01", "0.00"), "two quarter cents are half a cent, which goes up"),
    (("10/7", "20/7", "40/7"), ("1.43", "2.86", "5.71"), "1.4285|7, 2.85|71, 5.71|42: sum 10.00"),
    (("25", "75"), ("25.00", "75.00"), "nothing to spread"),
)

# (amounts one by one, paid when each is stepped on its own, paid along the running total)
STEPPED_TIERS = (("0", "0.01"), ("1000", "0.02"), ("3000", "0.03"), ("8000", "0.05"))
STEPPED_AMOUNTS = (200, 300, 1500, 1200, 2000, 4500)
STEPPED_ONE_BY_ONE = (2, 3, 20, 14, 30, 95)  # 164
STEPPED_RUNNING_TOTAL = 285  # 10 + 40 + 150 + 1,700 x 5%

DRAW_MINIMUM = 1000
DRAW_EARNINGS = (500, 700, 400)
DRAW_BALANCES = (500, 800, 1400)

# (component of operations_quarterly version 1, band method, metric value or None, payout share, working)
BAND_CASES = (
    ("attainment", "flat", "0.799999", "0", "below 0.8 the band of 0 holds"),
    ("attainment", "flat", "0.800000", "0.5", "a bound belongs to its band"),
    ("attainment", "flat", "0.899999", "0.5", "not yet 0.9"),
    ("attainment", "flat", "0.950000", "1.2", "top band"),
    ("attainment", "flat", "1.000000", "1.2", "nothing above the top band"),
    ("attainment", "flat", None, "0", "no value pays nothing"),
    ("impact", "interpolated", "0.699999", "0", "below the first band"),
    ("impact", "interpolated", "0.700000", "0", "on the first band: its share"),
    ("impact", "interpolated", "0.800000", "0.5", "half way from 0.7 to 0.9"),
    ("impact", "interpolated", "0.900000", "1", "on a bound"),
    ("impact", "interpolated", "0.930233", "1.108", "1 + 0.030233 x 0.25/0.07 = 1.107975 -> 1.1080"),
    ("impact", "interpolated", "0.950000", "1.1786", "1 + 0.05 x 0.25/0.07 = 1.178571 -> 1.1786"),
    ("impact", "interpolated", "0.970000", "1.25", "top band"),
    ("impact", "interpolated", "1.000000", "1.25", "above the top band its share"),
    ("impact", "interpolated", "0.700010", "0.0001", "0.00001/0.2 = 0.00005, half up to 0.0001"),
    ("impact", "interpolated", "0.700009", "0", "0.000045, half up to 0.0000"),
    ("availability", "interpolated", "0.998625", "1.1611", "1 + 0.003625 x 0.2/0.0045 = 1.161111"),
    ("availability", "interpolated", "0.979999", "0", "below the first band"),
)

# Quarter 2025-Q2: 91 days. Results of the two teams in golden_company.
GOLDEN_QUARTER = "2025-Q2"
# (metric, team, numerator, denominator, value, samples, working)
METRIC_CASES = (
    ("slt_attainment", "sd-emea", 17, 20, "0.850000", 20, "16 of priority 3 and 1 of 1 kept, 3 of 4 missed"),
    ("impact_weighted_resolution", "sd-emea", 40, 43, "0.930233", 20, "16 x 2 + 8 = 40; missed 3 x 1"),
    (
        "slt_attainment",
        "net-ops",
        19,
        20,
        "0.950000",
        20,
        "19 of priority 3 kept, one of them forgiven; 1 missed",
    ),
    ("impact_weighted_resolution", "net-ops", 38, 40, "0.950000", 20, "weight 2 each"),
    (
        "service_availability",
        "net-ops",
        7844400,
        7855200,
        "0.998625",
        1,
        "91 days less 2 h of downtime = 7,855,200 s; alert 00-04Z, its last hour in downtime: 3 h down",
    ),
)


@dataclass(frozen=True)
class PayCase:
    """A person's lines in 2025-Q2: (segment start, segment end, days, component, share, amount)."""

    employee_number: str
    working: str
    lines: tuple[tuple[str, str, int, str, str, str], ...]
    total_amount: str


PAY_CASES = (
    PayCase(
        employee_number="e2001",
        working="Target 1,000 all quarter: 1,000 x 0.6 x 0.5 = 300; 1,000 x 0.4 x 1.1080 = 443.20.",
        lines=(
            ("2025-04-01", "2025-06-30", 91, "attainment", "0.5", "300.00"),
            ("2025-04-01", "2025-06-30", 91, "impact", "1.108", "443.20"),
        ),
        total_amount="743.20",
    ),
    PayCase(
        employee_number="e2002",
        working=(
            "Leaves: first day not employed 2025-05-16, so 30 + 15 = 45 days. 300 x 45/91 = 148.35|16; "
            "443.20 x 45/91 = 219.16|48; sum 367.5165 -> 367.52; the cent goes to 219.16|48."
        ),
        lines=(
            ("2025-04-01", "2025-05-15", 45, "attainment", "0.5", "148.35"),
            ("2025-04-01", "2025-05-15", 45, "impact", "1.108", "219.17"),
        ),
        total_amount="367.52",
    ),
    PayCase(
        employee_number="e2003",
        working=(
            "Moves from sd-emea to net-ops on 2025-05-01, target 1,200. 1,200 x 30/91 = 395.6044: x "
            "0.3 = 118.68|13, x 0.4432 = 175.33|19. 1,200 x 61/91 = 804.3956: x 0.48 = 386.10|99, x "
            "0.34833 = 280.19|51, x 0.35358 = 284.41|82. Sum 1,244.7364 -> 1,244.74, floors 1,244.71: "
            "the three largest remainders are those of the second stretch."
        ),
        lines=(
            ("2025-04-01", "2025-04-30", 30, "attainment", "0.5", "118.68"),
            ("2025-04-01", "2025-04-30", 30, "impact", "1.108", "175.33"),
            ("2025-05-01", "2025-06-30", 61, "attainment", "1.2", "386.11"),
            ("2025-05-01", "2025-06-30", 61, "availability", "1.1611", "280.20"),
            ("2025-05-01", "2025-06-30", 61, "impact", "1.1786", "284.42"),
        ),
        total_amount="1244.74",
    ),
    PayCase(
        employee_number="e2004",
        working=(
            "Hired 2025-06-01, 30 days, target 900 in net-ops: 296.7033 x 0.48 = 142.41|76, x 0.34833 "
            "= 103.35|07, x 0.35358 = 104.90|84. Sum 350.6766 -> 350.68, floors 350.66: two cents."
        ),
        lines=(
            ("2025-06-01", "2025-06-30", 30, "attainment", "1.2", "142.42"),
            ("2025-06-01", "2025-06-30", 30, "availability", "1.1611", "103.35"),
            ("2025-06-01", "2025-06-30", 30, "impact", "1.1786", "104.91"),
        ),
        total_amount="350.68",
    ),
    PayCase(
        employee_number="e2005",
        working="app-support had no tickets and no monitors: insufficient data, every line 0.00 and kept.",
        lines=(
            ("2025-04-01", "2025-06-30", 91, "attainment", "0", "0.00"),
            ("2025-04-01", "2025-06-30", 91, "availability", "0", "0.00"),
            ("2025-04-01", "2025-06-30", 91, "impact", "0", "0.00"),
        ),
        total_amount="0.00",
    ),
)

# What the ledger owes each cost centre in 2025-Q2: CC-1110 743.20 + 367.52 + 118.68 + 175.33;
# CC-1210 386.11 + 280.20 + 284.42 + 350.68.
COST_CENTRE_CASES = (("CC-1110", "EUR", "1404.73"), ("CC-1210", "EUR", "1301.41"))
