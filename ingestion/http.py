"""One way to GET records from an API: bounded in time, patient with what passes, clear about what does not.

Only GET is offered, so every retry is safe. Retried: 429 and 5xx, broken connections, bodies cut short,
bodies that are not the JSON they should be; a 401 once, with a new token, where tokens are used (ingestion.oauth).
Retry-After and X-RateLimit-Reset are honoured, and the budget of the system (ingestion.rate_limit) is kept: who has
none left waits. Everything else is a SourceError at once. No credential reaches a message, a log or a repr
(ingestion.redaction).

While a page is taken apart the next one may be on its way already (`ahead`): reading is then as fast as the system
answers.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import unquote, urlencode, urlsplit

import requests

from ingestion import source_clock
from ingestion.contracts import Entity, Record, SourceError
from ingestion.environment import is_loopback, required
from ingestion.json_records import parse_page
from ingestion.oauth import OAuth2
from ingestion.rate_limit import budget_of, retry_after_seconds
from ingestion.redaction import FOR_LOGS, MIN_LOGGED_SECRET_LENGTH, Redactor, basic_forms, safe_url

__all__ = ["Client", "RecordsAnswer", "required", "safe_url"]

CONNECT_TIMEOUT_SECONDS = 10.0
READ_TIMEOUT_SECONDS = 90.0
MAX_ATTEMPTS = 6
BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 30.0
MAX_RETRY_AFTER_SECONDS = 600.0
# A budget is waited for longer than a refusal: an hour is the longest period the systems count in.
MAX_BUDGET_WAIT_SECONDS = 3900.0


@dataclass(frozen=True)
class RecordsAnswer:
    """One page: its records, the rest of the JSON around them, the headers and the address (without secrets)."""

    records: list[Record]
    envelope: dict[str, Any]
    headers: Mapping[str, str]
    url: str


Ahead = Callable[[Mapping[str, str]], Mapping[str, str] | None]
Outcome = requests.Response | Exception


class Client:
    """A session with one system. Use as a context manager; connections close with it.

    `auth` is a pair for basic authentication; `oauth` signs with tokens instead. `credential_names` is what a
    refusal tells the reader to check; `no_match_text` marks a 404 that means 'no records' (ServiceNow);
    `max_requests_per_minute` is our own bound over all clients of this system; `sleep` takes seconds and is
    there for tests.
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
        oauth: OAuth2 | None = None,
        max_requests_per_minute: int | None = None,
    ) -> None:
        self._base_url = _checked_base(base_url)
        self._credential_names = oauth.credential_names if oauth else credential_names
        self._no_match_text = no_match_text
        self._notify = notify or (lambda message: None)
        self._sleep = sleep
        self._oauth = oauth
        self._budget = budget_of(self._base_url, max_requests_per_minute)
        self._secrets = Redactor()
        self._learn_secrets(auth, headers or {})
        self._session = requests.Session()
        self._session.auth = oauth or auth
        self._session.headers.update({"Accept": "application/json", "User-Agent": "slt-warehouse", **(headers or {})})
        # A proxy set for the outside world must not catch calls to this machine.
        self._session.trust_env = not is_loopback(self._base_url)
        self._next: _NextPage | None = None

    def _learn_secrets(self, auth: tuple[str, str] | None, headers: Mapping[str, str]) -> None:
        parts = urlsplit(self._base_url)
        found = [*headers.values(), *(basic_forms(*auth) if auth else ())]
        # of "Bearer <token>" the token alone is the secret
        found += [value.split(" ", 1)[1] for value in headers.values() if " " in value]
        if parts.username or parts.password:
            found += basic_forms(unquote(parts.username or ""), unquote(parts.password or ""))
        self._secrets.learn(*found)
        FOR_LOGS.learn(*found, min_length=MIN_LOGGED_SECRET_LENGTH)

    def __repr__(self) -> str:
        return f"Client({safe_url(self._base_url)})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get_records(
        self, endpoint: str, params: Mapping[str, str], entity: Entity, *, ahead: Ahead | None = None
    ) -> RecordsAnswer:
        """GET one page of records; retries inside, SourceError when it is of no use.

        `ahead` is given the headers of the answer and may name the parameters of the page to be asked for next:
        it is then fetched while this one is taken apart, and the next call finds it there.
        """
        url = self._base_url + endpoint
        where = self._blank(safe_url(f"{url}?{urlencode(params)}" if params else url))
        is_renewed = False
        attempt = 1
        while True:
            outcome = self._fetched_ahead(url, params)
            if outcome is None:
                self._wait_for_budget(endpoint)
                outcome = self._send(url, params)
            if (
                isinstance(outcome, requests.Response)
                and outcome.status_code == 401
                and self._oauth
                and not is_renewed
                and self._oauth.refused(outcome.request)
            ):
                is_renewed = True
                self._notify("the system refused the token; fetching another")
                continue
            answer, trouble, wait_seconds = self._judge(outcome, endpoint, entity, where, ahead)
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
            self._budget.forget(endpoint)
            attempt += 1

    def _wait_for_budget(self, endpoint: str) -> None:
        wait_seconds = self._budget.take(endpoint)
        if wait_seconds <= 0:
            return
        if wait_seconds > MAX_BUDGET_WAIT_SECONDS:
            raise SourceError(
                f"no request is left for {wait_seconds:.0f} s",
                safe_url(self._base_url + endpoint),
                "run again after that time, or have the limit of this account raised",
            )
        self._notify(f"the budget of requests is spent; waiting {wait_seconds:.1f} s")
        (self._sleep or time.sleep)(wait_seconds)

    def _send(self, url: str, params: Mapping[str, str]) -> Outcome:
        """The response, or the exception in its place; SourceError too, as no token may be had."""
        sent_at = time.time()
        try:
            response = self._session.get(
                url,
                params=params,
                timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
                # A redirect would carry our key headers to another host.
                allow_redirects=False,
            )
        except (requests.exceptions.RequestException, SourceError) as error:
            return error
        # elapsed ends with the headers: the time the body took says nothing of when the date was written
        source_clock.note(response.headers, sent_at, sent_at + response.elapsed.total_seconds())
        return response

    def _fetch_ahead(self, url: str, endpoint: str, params: Mapping[str, str]) -> None:
        if self._budget.take_at_once(endpoint):
            # the thread of the next page notes the source's clock where this one does
            context = contextvars.copy_context()
            self._next = _NextPage(url, params, lambda: context.run(self._send, url, params))

    def _fetched_ahead(self, url: str, params: Mapping[str, str]) -> Outcome | None:
        following, self._next = self._next, None
        return following.outcome() if following and following.is_for(url, params) else None

    def _judge(
        self, outcome: Outcome, endpoint: str, entity: Entity, where: str, ahead: Ahead | None
    ) -> tuple[RecordsAnswer | None, str, float | None]:
        """Of one attempt: (the answer, '', None), or (None, what went wrong, seconds to wait or None)."""
        if isinstance(outcome, SourceError):
            raise outcome
        if isinstance(outcome, requests.exceptions.SSLError):
            raise SourceError(
                f"the certificate was refused: {self._blank(str(outcome))[:300]}",
                where,
                "set REQUESTS_CA_BUNDLE to the authority that signed it, or mend the address",
            )
        if isinstance(
            outcome,
            requests.exceptions.ConnectionError
            | requests.exceptions.Timeout
            | requests.exceptions.ChunkedEncodingError
            | requests.exceptions.ContentDecodingError,
        ):
            return None, f"the connection broke ({_root_name(outcome)})", None
        if isinstance(outcome, Exception):
            raise SourceError(
                f"the request could not be made ({type(outcome).__name__})",
                where,
                "check the address of the source",
            )
        status = outcome.status_code
        self._budget.note(endpoint, outcome.headers)
        if status == 429 or status >= 500:
            return None, f"the system answered {status}", retry_after_seconds(status, outcome.headers)
        if status == 404 and self._no_match_text and self._no_match_text in outcome.text:
            return RecordsAnswer([], {}, {"X-Total-Count": "0"}, where), "", None
        if status != 200:
            raise SourceError(
                f"the system answered {status}: {self._blank(outcome.text)[:200]!r}",
                where,
                self._mend(status),
            )
        following = ahead(outcome.headers) if ahead else None
        if following is not None:
            self._fetch_ahead(self._base_url + endpoint, endpoint, following)
        try:
            records, envelope = parse_page(outcome.content, entity)
        except ValueError as error:
            return None, f"the answer is not the JSON it should be ({self._blank(str(error))[:200]})", None
        return RecordsAnswer(records, envelope, outcome.headers, where), "", None

    def _mend(self, status: int) -> str:
        if status in (401, 403):
            return f"check {self._credential_names} and what that account may read"
        if 300 <= status < 400:
            return "set the address of the source to where it points; redirects are not followed"
        if status == 404:
            return "check the address of the source, and that this table or list exists there"
        return "read the answer; the query or the address is not what the system expects"

    def _blank(self, text: str) -> str:
        text = self._secrets.blank(text)
        return self._oauth.blank(text) if self._oauth else text


class _NextPage:
    """A page on its way, fetched by a thread of its own; one that nobody asks for after all is dropped."""

    def __init__(self, url: str, params: Mapping[str, str], send: Callable[[], Outcome]) -> None:
        self._asked_for = url, dict(params)
        self._outcome: Outcome | None = None

        def fetch() -> None:
            self._outcome = send()

        self._thread = threading.Thread(target=fetch, name="next-page", daemon=True)
        self._thread.start()

    def is_for(self, url: str, params: Mapping[str, str]) -> bool:
        return self._asked_for == (url, dict(params))

    def outcome(self) -> Outcome | None:
        self._thread.join()
        return self._outcome


def _checked_base(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        is_odd = parts.port == 0 or "@" in f"{parts.path}?{parts.query}#{parts.fragment}"
    except ValueError:
        is_odd = True
    if is_odd:
        raise SourceError(
            "the address of the source cannot be taken apart (it is not shown, a password may stand in it)",
            "environment",
            "write signs such as / ? # [ @ in a user or password percent-encoded, or leave both out of the address",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SourceError(
            "the address of the source is not an http(s) address",
            safe_url(base_url),
            "write it as https://host or https://host/path",
        )
    return base_url.rstrip("/")


def _root_name(error: BaseException) -> str:
    """The name of the innermost cause: ConnectionResetError says more than ConnectionError."""
    seen = error
    while True:
        inner = seen.__cause__ or seen.__context__
        if inner is None:
            return type(seen).__name__
        seen = inner
