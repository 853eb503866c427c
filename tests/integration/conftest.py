"""What the tests on a built warehouse share."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.bench import Bench


@pytest.fixture(scope="module")
def bench(demo_warehouse: Any, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A copy of the demonstration company's warehouse; any defect is made in here and undone."""
    return Bench.of(demo_warehouse.warehouse_path, tmp_path_factory.mktemp("bench"))
