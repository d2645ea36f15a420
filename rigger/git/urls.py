"""What may be said to git: URLs by an allow-list, refs by git's own rules; nothing else reaches its command line."""

from __future__ import annotations

import os
import re

from rigger.errors import Refused

LONGEST_URL = 2048  # characters
LONGEST_REF = 255
ALLOWED = "https://..., ssh://..., user@host:path, file:///..., or a folder such as ./repository"

_WORD = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_HOST = rf"(?:{_WORD}|\[[0-9A-Fa-f:.]+\])"
_USER = r"[A-Za-z0-9_.][A-Za-z0-9_.+-]*"
_WEB = rf"(?:https|http)://(?P<host>{_HOST})(?P<port>:[0-9]{{1,5}})?(?:/.*)?"
_SSH = rf"ssh://(?:{_USER}@)?{_HOST}(?::[0-9]{{1,5}})?/(?!-).+"
_SCP = rf"(?:{_USER}@)?{_HOST}:(?![-/]?-).+"
_LOCAL = r"(?:/|\.\.?(?:/|$)|~(?:/|$)).*"
_LOOPBACK = r"localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]"
_ENCODED_CONTROL = r"%(?:[01][0-9A-Fa-f]|7[Ff])"


def check_url(text: str) -> str:
    """Return a repository's URL as git may be given it, a local folder as an absolute path; raises Refused."""
    if not text:
        raise Refused("The URL of a repository is empty.", f"Give one: {ALLOWED}.")
    if len(text) > LONGEST_URL:
        raise Refused(f"The URL of a repository is longer than {LONGEST_URL} characters.")
    if not text.isprintable():
        raise _refused(text, "it holds characters that cannot be printed")
    if text.startswith("-"):
        raise _refused(text, "git would take it for an option")
    if is_local(text):
        return _local(text)
    if re.search(_ENCODED_CONTROL, text) or not text.isascii() or re.search(r"[\s\\]", text):
        raise _refused(text, "it holds characters that no URL has")
    if re.match(r"[A-Za-z0-9+.-]*::", text):
        raise _refused(text, "a helper program would be started for it")
    scheme, separator, rest = text.partition("://")
    if not separator:
        return _scp(text)
    if scheme in ("https", "http"):
        return _web(text, rest)
    if scheme == "ssh":
        return _ssh(text, rest)
    if scheme == "file":
        return _file(text, rest)
    raise _refused(text, f"rigger does not speak {scheme}://")


def is_local(text: str) -> bool:
    """Return whether a URL is a folder of this machine, absolute or not."""
    return re.fullmatch(_LOCAL, text) is not None


def _refused(text: str, why: str) -> Refused:
    return Refused(f"{text[:200]!r} is not a repository that git may be given: {why}.", f"Give {ALLOWED}.")


def _local(text: str) -> str:
    path = os.path.abspath(os.path.expanduser(text))
    if "://" in text or not path.startswith("/") or not path.isprintable():
        raise _refused(text, "it is no path")
    return path


def _scp(text: str) -> str:
    if ":" not in text:
        raise _refused(text, f"it is no URL; for a folder write ./{text}")
    if "/" in text.partition(":")[0] or not re.fullmatch(_SCP, text):
        raise _refused(text, "it is no user@host:path")
    return text


def _web(text: str, rest: str) -> str:
    if "@" in rest.partition("/")[0]:
        raise Refused(
            f"The URL of a repository at {rest.partition('/')[0].rpartition('@')[2][:200]} carries a name or password.",
            "Leave that out and let git ask a credential helper, or use ssh://.",
        )
    match = re.fullmatch(_WEB, text)
    if not match or not _is_port(match["port"]):
        raise _refused(text, "its host or port is none")
    if text.startswith("http://") and not re.fullmatch(_LOOPBACK, match["host"]):
        raise _refused(text, "http:// can be read and changed on its way; use https://")
    return text


def _ssh(text: str, rest: str) -> str:
    if ":" in rest.partition("/")[0].partition("@")[0] and "@" in rest.partition("/")[0]:
        raise Refused("The ssh URL of a repository carries a password.", "Leave it out and use a key.")
    match = re.fullmatch(_SSH, text)
    port = re.search(r":([0-9]+)/", text.partition("://")[2])
    if not match or (port and not _is_port(f":{port[1]}")):
        raise _refused(text, "its user, host, port or path is none")
    return text


def _file(text: str, rest: str) -> str:
    if not rest.startswith("/") or rest.startswith("//"):
        raise _refused(text, "file:// needs an absolute path")
    return text


def _is_port(text: str | None) -> bool:
    return text is None or 0 < int(text[1:]) < 65536


def check_ref(text: str) -> str:
    """Return the name of a branch, tag or commit as git may be given it; raises Refused.

    The rules are those of git-check-ref-format(1); names that begin with a hyphen and those longer than 255
    characters are refused too.
    """
    why = _ref_problem(text)
    if why:
        raise Refused(
            f"{text[:200]!r} cannot be a branch, tag or commit: {why}.",
            "Give a branch, a tag, a commit, or refs/heads/NAME, refs/tags/NAME.",
        )
    return text


def _ref_problem(text: str) -> str | None:
    if not text:
        return "it is empty"
    if len(text) > LONGEST_REF:
        return f"it is longer than {LONGEST_REF} characters"
    if not text.isprintable() or re.search(r"[\s~^:?*\[\\]", text):
        return "it holds a blank, a control character, or one of ~ ^ : ? * [ \\"
    if text.startswith("-") or "/-" in text:
        return "a part of it begins with a hyphen"
    if ".." in text or "@{" in text or text == "@":
        return "it holds .. or @{, or is @"
    if any(not part or part.startswith(".") or part.endswith(".lock") for part in text.split("/")):
        return "a part of it is empty, begins with a dot or ends in .lock"
    if text.endswith("."):
        return "it ends in a dot"
    return None


def protocols(url: str) -> str:
    """Return what a URL may lead to, as GIT_ALLOW_PROTOCOL lists it: no helper, no other folder."""
    if url.startswith(("/", "file://")):
        return "file"
    # A person's own settings may send https to ssh (url.<base>.insteadOf), or the other way round.
    return "http" if url.startswith("http://") else "https:ssh"
