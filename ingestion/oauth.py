"""OAuth 2.0 access tokens for a source: fetched when first needed, renewed before they end.

Two grants of RFC 6749: client credentials (4.4) and refresh token (6). A system that hands out a new refresh token
with each access token (rotation) has the newest kept here for as long as the process lives; nothing is written
anywhere. Tokens and secrets are told to the redaction the moment they are known.
"""

from __future__ import annotations

import os
import threading
import time
from functools import lru_cache
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.util import Retry

from ingestion.contracts import SourceError
from ingestion.environment import is_loopback, required
from ingestion.redaction import FOR_LOGS, Redactor, basic_forms, safe_url

TIMEOUT_SECONDS = (10.0, 30.0)
# A token is renewed this long before its end, or a tenth of its life when that is shorter.
EARLY_SECONDS = 60.0
# Asking for a token changes nothing that counts, so a POST of it may be repeated.
RETRY = Retry(
    total=4,
    backoff_factor=0.5,
    allowed_methods={"POST"},
    status_forcelist=(429, 500, 502, 503, 504),
    raise_on_status=False,
    retry_after_max=120,
    redirect=0,
)


class OAuth2(AuthBase):
    """Puts a valid access token on each request. Safe for many threads.

    With a refresh token the grant is refresh_token, else client_credentials. `credentials_in` says where the
    system wants the client's id and secret: 'body' (ServiceNow) or 'header' (as basic authentication, the way
    RFC 6749 prefers). `credential_names` is what a refusal tells the reader to check.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        *,
        refresh_token: str | None = None,
        scope: str | None = None,
        credentials_in: str = "body",
        credential_names: str = "the client's id and secret",
    ) -> None:
        self.token_url = token_url
        self.credential_names = credential_names
        self._client = client_id, client_secret
        self._refresh_token = refresh_token
        self._scope = scope
        self._credentials_in = credentials_in
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at = 0.0
        self._redactor = Redactor()
        self._learn(client_secret, refresh_token or "", basic_forms(client_id, client_secret)[2])

    def __repr__(self) -> str:
        return f"OAuth2({safe_url(self.token_url)})"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request, as requests asks of an authentication."""
        request.headers["Authorization"] = f"Bearer {self.token()}"
        return request

    def blank(self, text: str) -> str:
        """The text without any secret or token this grant has seen."""
        return self._redactor.blank(text)

    def token(self) -> str:
        """An access token that is good for a while yet. Raises SourceError when the system gives none."""
        with self._lock:
            if self._token is None or time.monotonic() >= self._renew_at:
                self._fetch()
            return self._token

    def refused(self, request: requests.PreparedRequest) -> bool:
        """Drop the token a request was refused with (another may have been fetched since); whether it had one."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        with self._lock:
            if token == self._token:
                self._token = None
        return scheme == "Bearer"

    def _learn(self, *secrets: str) -> None:
        self._redactor.learn(*secrets)
        FOR_LOGS.learn(*secrets)

    def _fetch(self) -> None:
        grant = {"grant_type": "client_credentials"}
        if self._refresh_token:
            grant = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        if self._scope:
            grant["scope"] = self._scope
        client_id, client_secret = self._client
        if self._credentials_in == "body":
            grant |= {"client_id": client_id, "client_secret": client_secret}
        asked_at = time.monotonic()
        answer = self._post(grant, HTTPBasicAuth(*self._client) if self._credentials_in == "header" else None)
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise self._trouble(f"the answer holds no access_token, only {sorted(answer)}")
        self._learn(token)
        refresh_token = answer.get("refresh_token")
        if self._refresh_token and isinstance(refresh_token, str) and refresh_token:
            self._refresh_token = refresh_token
            self._learn(refresh_token)
        self._token = token
        life_seconds = _number(answer.get("expires_in"))
        # without a stated life the token is used until it is refused
        self._renew_at = (
            asked_at + life_seconds - min(EARLY_SECONDS, life_seconds / 10) if life_seconds else float("inf")
        )

    def _post(self, grant: dict[str, str], auth: HTTPBasicAuth | None) -> dict[str, Any]:
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=RETRY))
            session.trust_env = not is_loopback(self.token_url)
            # .netrc must not replace our credentials
            session.auth = auth or (lambda request: request)
            try:
                response = session.post(
                    self.token_url,
                    data=grant,
                    headers={"Accept": "application/json"},
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                )
            except requests.exceptions.RequestException as error:
                raise self._trouble(f"no token could be fetched ({type(error).__name__})") from None
        if response.status_code != 200:
            said = self._redactor.blank(response.text)[:200]
            raise self._trouble(f"no token was given: the system answered {response.status_code}: {said!r}")
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self._trouble("the answer to the request for a token is not a JSON object")
        return answer

    def _trouble(self, what: str) -> SourceError:
        return SourceError(
            what,
            safe_url(self.token_url),
            f"check {self.credential_names}; a refresh token that has ended has to be consented to anew",
        )


@lru_cache(maxsize=64)
def shared_oauth2(token_url: str, client_id: str, client_secret: str, **settings: str | None) -> OAuth2:
    """The one grant of these credentials in this process: its token serves every client that asks with them."""
    return OAuth2(token_url, client_id, client_secret, **settings)


def oauth2_from_environment(prefix: str, token_url: str, **settings: str | None) -> OAuth2 | None:
    """The grant an environment asks for: <PREFIX>_CLIENT_ID, _CLIENT_SECRET and, for that grant, _REFRESH_TOKEN.

    `token_url` holds unless <PREFIX>_TOKEN_URL is set. None without a client id; raises SourceError when there is an id
    and no secret.
    """
    client_id = os.environ.get(f"{prefix}_CLIENT_ID")
    if not client_id:
        return None
    return shared_oauth2(
        os.environ.get(f"{prefix}_TOKEN_URL") or token_url,
        client_id,
        required(f"{prefix}_CLIENT_SECRET"),
        refresh_token=os.environ.get(f"{prefix}_REFRESH_TOKEN") or None,
        credential_names=f"{prefix}_CLIENT_ID, {prefix}_CLIENT_SECRET and {prefix}_REFRESH_TOKEN",
        **settings,
    )


def _number(value: object) -> float:
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError):
        return 0.0
