"""One way to GET records from an API: bounded in time, patient with what passes, clear about what does not.

Only GET is offered, so every retry is safe. Retried: 429 and 5xx, broken connections, bodies cut short,
bodies that are not the JSON they should be. Retry-After (seconds or a date) and Datadog's X-RateLimit-Reset
are honoured. Everything else is a SourceError at once. No credential reaches a message: addresses lose their
user part and secret-like parameters, and a secret echoed by a server is blanked.
"""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import requests
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

from ingestion.contracts import Entity, Record, SourceError
from ingestion.json_records import parse_page

CONNECT_TIMEOUT_SECONDS = 10.0
READ_TIMEOUT_SECONDS = 90.0
MAX_ATTEMPTS = 6
BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 30.0
MAX_RETRY_AFTER_SECONDS = 600.0
SECRET_WORDS = ("key", "token", "password", "secret", "pwd", "auth", "signature", "credential")


@dataclass(frozen=True)
class RecordsAnswer:
    """One page: its records, the rest of the JSON around them, the headers and the address it came from."""

    records: list[Record]
    envelope: dict[str, Any]
    headers: Mapping[str, str]
    url: str


class Client:
    """A session with one system. Use as a context manager; connections close with it.

    `credential_names` is what a refusal tells the reader to check; `no_match_text` marks a 404 that means
    'no records' (ServiceNow); `sleep` takes seconds and is there for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        credential_names: str = "the credentials",
        no_match_text: str | None = None,
        notify: Callable[[str], None] | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._base_url = _checked_base(base_url)
        self._credential_names = credential_names
        self._no_match_text = no_match_text
        self._notify = notify or (lambda message: None)
        self._sleep = sleep
        self._secrets = [text for text in [*(auth or ()), *(headers or {}).values()] if len(text) > 3]
        self._session = requests.Session()
        self._session.auth = auth
        self._session.headers.update({"Accept": "application/json", "User-Agent": "slt-warehouse", **(headers or {})})
        # A proxy set for the outside world must not catch calls to this machine.
        self._session.trust_env = not _is_loopback(self._base_url)

    def __repr__(self) -> str:
        return f"Client({safe_url(self._base_url)})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get_records(self, endpoint: str, params: Mapping[str, str], entity: Entity) -> RecordsAnswer:
        """GET one page of records; retries inside, SourceError when it is of no use."""
        url = self._base_url + endpoint
        where = safe_url(f"{url}?{urlencode(params)}" if params else url)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            answer, trouble, wait_seconds = self._try(url, params, entity, where)
            if answer is not None:
                return answer
            if attempt == MAX_ATTEMPTS:
                raise SourceError(
                    f"{trouble}, {MAX_ATTEMPTS} times in a row",
                    where,
                    "see whether the system is up and reachable from here, then run again; nothing was "
                    "landed from this window",
                )
            if wait_seconds is None:
                wait_seconds = min(BACKOFF_SECONDS * 2 ** (attempt - 1), MAX_BACKOFF_SECONDS)
            if wait_seconds > MAX_RETRY_AFTER_SECONDS:
                raise SourceError(
                    f"{trouble}; the system asks to wait {wait_seconds:.0f} s",
                    where,
                    f"run again after that time (longer waits than {MAX_RETRY_AFTER_SECONDS:.0f} s are not sat out)",
                )
            self._notify(f"{trouble}; trying again in {wait_seconds:g} s ({attempt} of {MAX_ATTEMPTS - 1})")
            (self._sleep or time.sleep)(wait_seconds)
        raise AssertionError("unreachable")

    def _try(
        self, url: str, params: Mapping[str, str], entity: Entity, where: str
    ) -> tuple[RecordsAnswer | None, str, float | None]:
        """One attempt: (the answer, '', None), or (None, what went wrong, seconds to wait or None)."""
        try:
            response = self._session.get(
                url,
                params=params,
                timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
                # A redirect would carry our key headers to another host.
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as error:
            raise SourceError(
                f"the certificate was refused: {self._blank(str(error))[:300]}",
                where,
                "set REQUESTS_CA_BUNDLE to the authority that signed it, or mend the address",
            ) from None
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.Timeout,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ) as error:
            return None, f"the connection broke ({_root_name(error)})", None
        except requests.exceptions.RequestException as error:
            raise SourceError(
                f"the request could not be made ({type(error).__name__})",
                where,
                "check the address of the source",
            ) from None
        status = response.status_code
        if status == 429 or status >= 500:
            return None, f"the system answered {status}", _wait_seconds(status, response.headers)
        if status == 404 and self._no_match_text and self._no_match_text in response.text:
            return RecordsAnswer([], {}, {"X-Total-Count": "0"}, response.url), "", None
        if status != 200:
            raise SourceError(
                f"the system answered {status}: {self._blank(response.text)[:200]!r}",
                where,
                self._mend(status),
            )
        try:
            records, envelope = parse_page(response.content, entity)
        except ValueError as error:
            return None, f"the answer is not the JSON it should be ({self._blank(str(error))[:200]})", None
        return RecordsAnswer(records, envelope, response.headers, response.url), "", None

    def _mend(self, status: int) -> str:
        if status in (401, 403):
            return f"check {self._credential_names} and what that account may read"
        if 300 <= status < 400:
            return "set the address of the source to where it points; redirects are not followed"
        if status == 404:
            return "check the address of the source, and that this table or list exists there"
        return "read the answer; the query or the address is not what the system expects"

    def _blank(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def required(name: str) -> str:
    """The value of an environment variable a configured source cannot do without."""
    value = os.environ.get(name)
    if not value:
        raise SourceError(
            f"{name} is not set", "environment", f"set {name}, or unset the source's address to leave it out"
        )
    return value


def safe_url(url: str) -> str:
    """The address without user part, fragment, and the values of parameters that sound like secrets."""
    parts = urlsplit(url)
    query = [
        (name, "***" if any(word in name.lower() for word in SECRET_WORDS) else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, _plain(query), ""))


def _plain(query: list[tuple[str, str]]) -> str:
    return "&".join(f"{name}={quote(value, safe='*^<>=: ,/@-_.')}" for name, value in query)


def _checked_base(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SourceError(
            "the address of the source is not an http(s) address",
            safe_url(base_url),
            "write it as https://host or https://host/path",
        )
    return base_url.rstrip("/")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wait_seconds(status: int, headers: Mapping[str, str]) -> float | None:
    """Retry-After (seconds or an HTTP date), else on 429 X-RateLimit-Reset (seconds), else None.

    Datadog sends X-RateLimit-Reset with every answer; it only means us when the limit was hit.
    """
    text = headers.get("Retry-After") or (headers.get("X-RateLimit-Reset") if status == 429 else None)
    if not text:
        return None
    try:
        return max(0.0, Retry().parse_retry_after(text))
    except (InvalidHeader, HTTPError, ValueError, OverflowError):
        return None


def _root_name(error: BaseException) -> str:
    """The name of the innermost cause: ConnectionResetError says more than ConnectionError."""
    seen = error
    while True:
        inner = seen.__cause__ or seen.__context__
        if inner is None:
            return type(seen).__name__
        seen = inner
