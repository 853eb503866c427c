"""Exchange rates by file drop, in FX_RATE_DROP_PATH: fx_rates_<name>.csv, such as a file a year.

A row is one quote: `rate` units of to_currency for `unit_count` units of from_currency on a day. Central banks quote
small currencies per 100 or 1,000 units, and treasuries quote the other way round: both are landed as they come, and
staging brings them to one unit. There is no quote on days the market is closed; nothing fills them in here. Two
different rates for one day and pair block the gate, whoever published them. FX_RATE_ENCODING declares an encoding
other than UTF-8 (see `file_drop`).
"""

from __future__ import annotations

from ingestion.contracts import Entity, words
from ingestion.sources.drop_folder import NamedFiles, drop_folder

RATE = Entity(
    source="fx_rates",
    name="rate",
    partitioning="file",
    columns=words("rate_on from_currency to_currency unit_count rate rate_source"),
    key=("rate_on", "from_currency", "to_currency", "rate_source"),
    description="One quote: so many units of to_currency for unit_count units of from_currency on that day.",
)

FX_RATES = drop_folder(
    "fx_rates",
    "Exchange rates of the day as banks and treasury publish them.",
    "fx-rates-csv/1",
    ("FX_RATE_DROP_PATH", "FX_RATE_ENCODING"),
    [(NamedFiles, "fx_rates", RATE)],
)
