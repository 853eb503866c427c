"""Dagster's home folder: its configuration is ours, so that the single-writer rule does not hang on luck."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

TEMPLATE = Path(__file__).with_name("dagster.yaml")


def prepare_home(home: Path) -> Path:
    """Create DAGSTER_HOME with our dagster.yaml and name it in the environment; returns the absolute path.

    A dagster.yaml whose first line is not ours is left as it is.
    """
    home = home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    template = TEMPLATE.read_text().replace("@HOME@", str(home))
    target = home / "dagster.yaml"
    if not target.exists() or (
        target.read_text() != template and target.read_text().startswith(template.splitlines()[0])
    ):
        target.write_text(template)
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def open_instance(home: Path) -> dg.DagsterInstance:
    """The instance of a prepared home."""
    return dg.DagsterInstance.from_config(str(prepare_home(home)))
