"""The one HTTP session beneath all three SDKs.

Every request of every SDK goes through `Transport.send`: checked against the allow-list, paced, timed out, tried
again where that is safe, counted, and its failure turned into a typed error. Nothing above it talks to the network.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from connectors.allowlist import AllowList, Rule
from connectors.budget import Budget, Meter
from connectors.errors import ConnectorError, NotAllowed, NotAuthorised, NotKnown, Throttled, Unavailable
from connectors.pacing import Pacer
from connectors.retry import error_of, persistently

log = logging.getLogger(__name__)

TIMEOUT = (10.0, 125.0)
"""Seconds to connect and to wait for an answer (Mailchimp itself gives up after 120)."""
DOWNLOAD_LIMIT = 2 * 1024**3
"""Bytes. No result archive of a small business is larger; a hostile one is not read to its end."""

Explain = Callable[[requests.Response, str], ConnectorError | None]
"""The adapter's own reading of an answer, where the platform means more than the status says."""


class Transport(requests.Session):
    """A `requests.Session` for one account.

    `base_url` is the address of the platform's API (or of a sandbox). SDKs that insist on an address of their own are
    pointed at `alias`, which is replaced by `base_url` on the way out. `renew` returns a fresh Authorization header
    when the platform says that the token has expired, or None when it cannot. Calls, but for the fetching of result
    files, are spent from `budget`; `meter` reads what the platform itself has counted. What is refused for its token
    names `account`. Result files may also come from the hosts in `files_from`. Safe to share between threads.
    """

    def __init__(
        self,
        base_url: str,
        allow: AllowList,
        pacer: Pacer,
        *,
        sleep: Callable[[float], None],
        explain: Explain | None = None,
        renew: Callable[[], str | None] | None = None,
        alias: str | None = None,
        budget: Budget | None = None,
        account: str = "ACCOUNT",
        meter: Meter | None = None,
        files_from: Sequence[str] = (),
        connections: int = 6,
        attempts: int = 8,
    ) -> None:
        super().__init__()
        self.trust_env = False  # an entry in ~/.netrc would replace our Authorization header
        self.headers["User-Agent"] = "foretag"
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=connections, pool_block=True))
        self.base_url = base_url.rstrip("/")
        self.calls: Counter[str] = Counter()
        self._allow = allow
        self._pacer = pacer
        self._sleep = sleep
        self._explain = explain
        self._renew = renew
        self._alias = alias.rstrip("/") if alias else None
        self._budget = budget
        self._account = account
        self._meter = meter
        self._files_from = files_from
        self._attempts = attempts
        self._lock = Lock()

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one request and return its good answer.

        Raises the errors of `connectors.errors`; `NotAllowed` before anything has left the machine.
        """
        self._aim(request)
        target = self._target(request)
        rule = self._allow.rule_for(str(request.method), target, request.headers, request.body)
        path = target.partition("?")[0]
        what = rule.name if rule.private else f"{rule.name} ({request.method} {path})"
        kwargs["timeout"] = TIMEOUT
        kwargs["allow_redirects"] = False

        def once() -> requests.Response:
            if self._budget:
                self._budget.spend()
            self._pacer.wait(rule.group)
            with self._lock:
                self.calls[rule.name] += 1
            return self._attempt(request, rule, what, kwargs)

        try:
            return persistently(once, attempts=self._attempts, sleep=self._sleep)
        except NotAuthorised:
            if not self._renewed(request):
                raise
            return persistently(once, attempts=self._attempts, sleep=self._sleep)

    def download(self, url: str) -> requests.Response:
        """GET a result file from a signed address, without our credentials, as a stream (the caller closes it).

        Raises NotAllowed for an address that is neither on the platform's own host nor on one of `files_from` (https).
        """
        target, home = urlsplit(url), urlsplit(self.base_url)
        if target.netloc != home.netloc and not (target.scheme == "https" and target.netloc in self._files_from):
            raise NotAllowed(
                f"a result file at {target.scheme}://{target.netloc} was not fetched: it may come over https from "
                f"{', '.join((home.netloc, *self._files_from))}. If the platform has moved: result_hosts in the config"
            )

        def once() -> requests.Response:
            with self._lock:
                self.calls["result file"] += 1
            try:
                response = requests.Session.send(
                    self, requests.Request("GET", url).prepare(), timeout=TIMEOUT, stream=True, allow_redirects=False
                )
            except requests.RequestException as error:
                raise Unavailable(f"the result file could not be fetched: {type(error).__name__}") from error
            problem: ConnectorError | None = error_of(response, "the result file")
            if int(response.headers.get("Content-Length") or 0) > DOWNLOAD_LIMIT:
                problem = NotAllowed("the result file is larger than 2 GiB and was not read")
            if problem:
                response.close()
                raise problem
            return response

        return persistently(once, attempts=self._attempts, sleep=self._sleep)

    def _aim(self, request: requests.PreparedRequest) -> None:
        if self._alias and request.url and request.url.startswith(self._alias):
            request.url = self.base_url + request.url[len(self._alias) :]

    def _target(self, request: requests.PreparedRequest) -> str:
        url = request.url or ""
        if not url.startswith((self.base_url + "/", self.base_url + "?")):
            raise NotAllowed(f"a request to {urlsplit(url).netloc} was not sent: the platform is at {self.base_url}")
        target = url[len(self.base_url) :].partition("#")[0]
        return target if target.startswith("/") else f"/{target}"

    def _attempt(
        self, request: requests.PreparedRequest, rule: Rule, what: str, kwargs: dict[str, Any]
    ) -> requests.Response:
        try:
            response = super().send(request, **kwargs)
        except requests.RequestException as error:
            _lost(error, rule, what)
        usage = self._meter(response.headers) if self._meter else None
        if self._budget and usage:
            self._budget.heard(usage)
        log.debug("%s -> %s in %.0f ms", what, response.status_code, response.elapsed.total_seconds() * 1000)
        problem = (self._explain(response, what) if self._explain else None) or error_of(response, what)
        if problem is None:
            self._check_whole(response, rule, what)
            return response
        if isinstance(problem, NotAuthorised):
            raise NotAuthorised(f"{problem}. To put in a new secret: foretag secret set {self._account}")
        if isinstance(problem, Unavailable) and not rule.repeatable:
            raise NotKnown(f"{problem}; whether it took effect is not known, so it was not sent again")
        raise problem

    def _check_whole(self, response: requests.Response, rule: Rule, what: str) -> None:
        if "json" not in response.headers.get("Content-Type", "") or not response.content:
            return
        try:
            answer = response.json()
        except ValueError as error:
            if rule.repeatable:
                raise Unavailable(f"{what}: the answer breaks off in the middle") from error
            raise NotKnown(f"{what}: the answer breaks off in the middle, and it is not sent again") from error
        if rule.learn:
            rule.learn(answer)

    def _renewed(self, request: requests.PreparedRequest) -> bool:
        with self._lock:
            header = self._renew() if self._renew else None
        if header is None:
            return False
        request.headers["Authorization"] = header
        return True


def _lost(error: requests.RequestException, rule: Rule, what: str) -> NoReturn:
    """Raise the right error for an answer that never came."""
    said = f"{what}: no answer ({type(error).__name__})"
    if isinstance(error, requests.ConnectTimeout):
        raise Throttled(said) from error  # nothing was sent, so a second try is always safe
    if rule.repeatable:
        raise Unavailable(said) from error
    raise NotKnown(f"{said}; whether it took effect is not known, so it was not sent again") from error
