"""Keeping secrets out of what people read: addresses, messages, logs.

A secret is known by the name of the parameter it stands in (`token=...`) and by its value, once a client has
been given it. Values are blanked in every form they travel in: plain, percent-encoded, escaped in JSON, and, of
basic authentication, as the header has them.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit, urlunsplit

SECRET_WORDS = ("key", "token", "password", "secret", "pwd", "auth", "signature", "credential", "assertion")
BLANK = "***"
# What is shorter is not taken for a secret by its value: blanking every 'x' would leave no message to read.
MIN_SECRET_LENGTH = 4
# Words of messages and names of systems may be user names too; in logs, only what nobody chooses as a word.
MIN_LOGGED_SECRET_LENGTH = 8

_PARAMETER = re.compile(
    rf"(?P<name>[\w.\-\[\]%]*(?:{'|'.join(SECRET_WORDS)})[\w.\-\[\]%]*)=(?P<value>[^&\s\"']+)", re.IGNORECASE
)
_USER_PART = re.compile(r"(?P<scheme>https?://)[^/\s@]+@", re.IGNORECASE)


class Redactor:
    """Blanks the values it was told of. Says nothing of them itself."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: list[str] = []
        self.learn(*secrets)

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms)"

    def learn(self, *secrets: str, min_length: int = MIN_SECRET_LENGTH) -> None:
        """Blank these from now on, in all their forms; the longest first, since one may hold another."""
        forms = set(self._forms)
        for secret in secrets:
            if len(secret) >= min_length:
                forms |= {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
        self._forms = sorted(forms, key=len, reverse=True)

    def blank(self, text: str) -> str:
        """The text without secrets: known values, secret-like parameters, user parts of addresses."""
        for form in self._forms:
            text = text.replace(form, BLANK)
        text = _PARAMETER.sub(rf"\g<name>={BLANK}", text)
        return _USER_PART.sub(r"\g<scheme>", text)


def basic_forms(user: str, password: str) -> tuple[str, ...]:
    """What basic authentication sends: user, password, and both as the header has them."""
    return user, password, base64.b64encode(f"{user}:{password}".encode()).decode()


def safe_url(url: str) -> str:
    """The address without user part, fragment, and the values of parameters that sound like secrets."""
    parts = urlsplit(url)
    query = [
        (name, BLANK if any(word in name.lower() for word in SECRET_WORDS) else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, _plain(query), ""))


def _plain(query: list[tuple[str, str]]) -> str:
    return "&".join(f"{name}={quote(value, safe='*^<>=: ,/@-_.')}" for name, value in query)


class _LogFilter(logging.Filter):
    """urllib3 writes each path with its query at level DEBUG, and each retry at WARNING."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = FOR_LOGS.blank(record.getMessage()), ()
        return True


FOR_LOGS = Redactor()
for _name in ("urllib3.connectionpool", "urllib3.util.retry", "requests.sessions"):
    logging.getLogger(_name).addFilter(_LogFilter())
