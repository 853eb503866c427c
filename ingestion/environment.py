"""What the sources read from the environment, and what their addresses say of where they stand."""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit

from ingestion.contracts import SourceError

BELIEVE_VARIABLE = "BELIEVE_DELETIONS"


def deletions_are_believed() -> bool:
    """Whether an operator has said, for this run, that what is gone from a source was really deleted there."""
    return os.environ.get(BELIEVE_VARIABLE, "").lower() == "true"


def required(name: str) -> str:
    """The value of an environment variable a configured source cannot do without."""
    value = os.environ.get(name)
    if not value:
        raise SourceError(
            f"{name} is not set", "environment", f"set {name}, or unset the source's address to leave it out"
        )
    return value


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
