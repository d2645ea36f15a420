"""Files over http and https: no larger and no later than is bearable, and from where the URL says."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager

from rigger.errors import BadUsage, NotReady, Refused, RiggerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.client import HTTPMessage
    from typing import IO, Any
    from urllib.request import Request

SILENCE = 20.0  # seconds that a server may say nothing
BLOCK = 1 << 18  # bytes that are read at a time
REDIRECTS = 5
_LOOPBACK = r"localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]"
_WEB = r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[^\s\\]*)?"
TRY_AGAIN = "Check the URL and the network, and try again."


def is_web(text: str) -> bool:
    """Return whether a text is meant as a URL of the web."""
    return re.match("https?://", text) is not None


def check_url(url: str, verified: bool = False) -> str:
    """Return a URL that may be read; raises BadUsage.

    http:// is for this machine alone, but for what is `verified` by a digest: anybody on the way can change it.
    """
    if "@" in url.partition("://")[2].partition("/")[0]:
        host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
        raise BadUsage(f"The URL of a file at {host[:200]} carries a name or password.", "Leave that out.")
    found = re.fullmatch(_WEB, url)
    if not found or not url.isprintable() or not url.isascii():
        raise BadUsage(
            f"{url[:200]!r} is no URL of a file.", "It looks like https://HOST/PATH, without a password."
        )
    if found["scheme"] == "http" and not verified and not re.fullmatch(_LOOPBACK, found["host"]):
        raise BadUsage(f"{url}: http:// can be read and changed on its way.", "Use https://.")
    return url


def read(url: str, most: int, seconds: float) -> bytes:
    """Return the content of a URL of at most so many bytes, within some seconds in all.

    Raises BadUsage for what is no URL, NotReady where it cannot be had, Refused where it is larger.
    """
    parts: list[bytes] = []
    fetch(url, parts.append, most, seconds)
    return b"".join(parts)


def fetch(
    url: str, take: Callable[[bytes], object], most: int, seconds: float, verified: bool = False
) -> None:
    """Give the content of a URL to `take`, block by block; raises as `read` does."""
    deadline, size = time.monotonic() + seconds, 0
    with _saying_what_failed(url, seconds), _opened(check_url(url, verified), verified) as answer:
        while block := answer.read1(BLOCK):
            size += len(block)
            if size > most:
                raise Refused(f"{url} is larger than {most} bytes.", "Nothing of it was kept.")
            if time.monotonic() > deadline:
                raise TimeoutError
            take(block)
        if answer.length:
            raise NotReady(f"{url} cannot be read: it broke off after {size} bytes.", TRY_AGAIN)


@contextmanager
def _opened(url: str, verified: bool) -> Iterator[Any]:
    import urllib.request  # slow to import

    class Redirects(urllib.request.HTTPRedirectHandler):
        """Follows where a file with a digest could be, or a page that nobody can change on its way."""

        max_redirections = REDIRECTS

        def redirect_request(
            self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
        ) -> Request | None:
            try:
                check_url(newurl, verified)
            except BadUsage as problem:
                raise Refused(f"{url} leads to another place. {problem.message}", TRY_AGAIN) from None
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    opener = urllib.request.build_opener(Redirects)
    request = urllib.request.Request(url, headers={"User-Agent": "rigger", "Accept-Encoding": "identity"})
    with opener.open(request, timeout=SILENCE) as answer:
        yield answer


@contextmanager
def _saying_what_failed(url: str, seconds: float) -> Iterator[None]:
    from http.client import HTTPException  # slow to import
    from urllib.error import HTTPError

    try:
        yield
    except RiggerError:
        raise
    except HTTPError as problem:
        why = f"the server answered {problem.code} {problem.reason}".strip()
        raise NotReady(f"{url} cannot be read: {why}.", TRY_AGAIN) from None
    except TimeoutError:
        raise NotReady(f"{url} cannot be read: it took longer than {seconds:.0f} s.", TRY_AGAIN) from None
    except (OSError, HTTPException, ValueError) as problem:
        raise NotReady(f"{url} cannot be read: {_why(problem)}.", TRY_AGAIN) from None


def _why(problem: Exception) -> str:
    cause = getattr(problem, "reason", None) or problem  # an URLError has what happened in it
    if isinstance(cause, TimeoutError):
        return f"the server said nothing for {SILENCE:.0f} s"
    return cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
