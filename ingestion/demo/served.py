"""What a source system of the company is to the loopback server: which paths it answers, and its files.

A system is one class in a module of its own (`served_<system>.py`) and a line in `ingestion.demo.systems`.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from typing import Any

from ingestion.demo.faults import Reply
from ingestion.demo.model import Company


@dataclass
class Request:
    """What a route needs to know of a request; `params` holds the last value of each name."""

    path: str
    params: dict[str, str]
    headers: Any
    method: str = "GET"
    body: bytes = b""

    def number(self, name: str, default: int) -> int:
        """A parameter as a whole number; the default without one."""
        text = self.params.get(name, "")
        return int(text) if text.isdigit() else default

    def basic_auth(self) -> tuple[str, str] | None:
        """User and password of basic authentication, if they were given."""
        scheme, _, encoded = (self.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user, password


class ServedSystem:
    """One source system. Credentials are made up in `__init__` and handed out by `environment` only.

    `url` is set by the server before the first request.
    """

    url: str = ""

    def __init__(self, company: Company) -> None:
        self.company = company

    def handles(self, path: str) -> bool:
        """Whether a request of this path is for this system."""
        return False

    def takes_post(self, path: str) -> bool:
        """Whether this path may be posted to."""
        return False

    def answer(self, request: Request) -> Reply:
        """The reply a well-behaved system gives; called from several threads."""
        raise NotImplementedError

    def write_drops(self, drops_path: Path) -> None:
        """Write the files this system drops, below a folder of its own in `drops_path`."""

    def environment(self, drops_path: Path | None) -> dict[str, str]:
        """The variables that point the pipeline at this system; `drops_path` is None when no files are dropped."""
        return {}


def not_allowed() -> Reply:
    """What every system says to a method it does not take."""
    return Reply(405, {"error": {"message": "Method not allowed", "detail": "the demo only reads"}})


def same(given: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how far they agree."""
    return compare_digest(given.encode(), expected.encode())
