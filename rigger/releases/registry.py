"""What a registry says of an image: its digest, and the commit that it was built from. skopeo asks, where it is installed.

It uses the logins that podman, docker and skopeo have.
"""

from __future__ import annotations

import functools
import json
import re
import shutil

from rigger.errors import StepFailed
from rigger.process.capture import capture
from rigger.releases.names import commit_of, tag_of
from rigger.text import decode, last_line, plain
from rigger.values import frozen

PATIENCE = 20.0  # seconds
REVISION = "org.opencontainers.image.revision"  # https://github.com/opencontainers/image-spec/blob/main/annotations.md
DIGEST = r"sha256:[0-9a-f]{64}"


@frozen
class Said:
    """What a registry said of an image, or why it said nothing; neither where nobody could ask."""

    digest: str = ""
    revision: str = ""
    problem: str = ""


@functools.cache
def ask(uri: str) -> Said:
    """Ask the registry of an image."""
    program = shutil.which("skopeo")
    if not program:
        return Said()
    loopback = re.match(r"(localhost|127\.0\.0\.1)(:|/)", uri)
    words = ["inspect", "--no-tags", *(["--tls-verify=false"] if loopback else []), f"docker://{uri}"]
    try:
        said = capture([program, *words], timeout=PATIENCE)
    except StepFailed as problem:
        return Said(problem=problem.message)
    if said.exit_code:
        line = last_line(plain(decode(said.errors)))
        found = re.search(r'msg="(.*)"$', line)
        return Said(problem=(found[1] if found else line).rpartition(": ")[2])
    try:
        report = json.loads(said.output)
        digest, revision = str(report["Digest"]), str((report.get("Labels") or {}).get(REVISION) or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return Said(problem="what it said cannot be read")
    known = re.fullmatch("[0-9a-f]{7,64}", revision)
    return Said(digest if re.fullmatch(DIGEST, digest) else "", revision if known else "")


def pinned(uri: str) -> tuple[str, str]:
    """Return an image with the digest that its registry says now, and why it has none, in a few words, where that is so."""
    if "@" in uri:
        return uri, ""
    said = ask(uri)
    return (f"{uri}@{said.digest}", "") if said.digest else (uri, said.problem)


def commit(uri: str) -> str:
    """Return the commit that an image was built from, by its tag or its label; nothing where neither says one."""
    return commit_of(uri) or ask(_exactly(uri)).revision


def _exactly(uri: str) -> str:
    """Return an image by its digest alone, where it has one: skopeo takes no tag beside that."""
    name, at, digest = uri.partition("@")
    tag = tag_of(uri)
    return f"{name.removesuffix(f':{tag}') if tag else name}{at}{digest}" if at else uri
