"""What the project's properties declare, for tests that build tables of their own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]


@cache
def seed_types(root: Path = ROOT) -> dict[str, dict[str, str]]:
    """Column types by seed, as the properties beside the CSV files say."""
    return {
        entry["name"]: dict((entry.get("config") or {}).get("column_types") or {})
        for path in sorted((root / "seeds").rglob("_*.yml"))
        for entry in (yaml.safe_load(path.read_text()) or {}).get("seeds") or []
    }


def observation_types(kind: str) -> dict[str, str]:
    """Columns of an observation model with their types, which the names tell."""
    path = ROOT / "dbt_project" / "models" / "core" / "observations" / f"int_observation_{kind}.yml"
    names = [column["name"] for column in yaml.safe_load(path.read_text())["models"][0]["columns"]]
    counted = ("_count", "_seconds", "_milliseconds", "_points", "_days")
    return {
        name: "timestamp" if name == "observed_at" else "bigint" if name.endswith(counted) else "varchar"
        for name in names
    }
