"""Say in figures what data an etcd cluster has: the same data give the same figures, whoever is asked.

Usage: python3 digest.py URL...; prints a line `NAME VALUE` for each figure, `problem WORDS` where nobody answers.

What applications and tests write on the way is left out, and so is what a lease will take away. The SHA-256 is over every other
key with its value and its revisions. It speaks JSON with etcd's own gateway:
https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import sys
from urllib.parse import urlsplit

PASSING = (b"/rigger-app/", b"rigger-test/")  # what lib/application.py and the tests write
PAGE = 1000  # keys read at once
TIMEOUT = 10.0  # seconds for one answer


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def digest_of(url: str) -> tuple[int, str]:
    """Return how many keys there are, and the SHA-256 of them; raises OSError, HTTPException or ValueError."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=TIMEOUT)
    digest, count, start, more = hashlib.sha256(), 0, b"\0", True
    while more:
        body = {"key": encoded(start), "range_end": encoded(b"\0"), "limit": str(PAGE)}
        connection.request("POST", "/v3/kv/range", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 200:
            raise ValueError(answer.get("message") or answer.get("error") or f"HTTP {response.status}")
        for pair in answer.get("kvs", []):
            key = base64.b64decode(pair["key"])
            start = key + b"\0"
            if key.startswith(PASSING) or pair.get("lease", "0") != "0":
                continue
            count += 1
            for part in ("key", "value", "create_revision", "mod_revision", "version"):
                digest.update(f"{pair.get(part, '')}\n".encode())
        more = bool(answer.get("more"))
    return count, digest.hexdigest()


def main(*urls: str) -> None:
    problem = "there are no members"
    for url in urls:
        try:
            count, digest = digest_of(url)
        except (OSError, http.client.HTTPException, ValueError) as failure:
            problem = f"{url}: {failure}"
            continue
        print("keys", count)
        print("data_sha256", digest)
        return
    print("problem", " ".join(problem.split())[:200])


main(*sys.argv[1:])
