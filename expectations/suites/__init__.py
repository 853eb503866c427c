"""The gates' checks as plain data: one module a gate, and beside it one a domain, `<gate>_<domain>`."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def beside(gate: str) -> list[ModuleType]:
    """The modules that stand beside a gate's own, by name; each has `checks()`."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__) if info.name.startswith(f"{gate}_"))
    return [importlib.import_module(f"{__name__}.{name}") for name in names]
