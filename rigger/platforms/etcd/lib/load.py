"""Write to every member of an etcd cluster for a while, and say how long that took and what of it is there.

Usage: python3 load.py PREFIX SECONDS URL...; prints a line `NAME VALUE` for each figure, `problem WORDS` for what is wrong.

Each member gets a write every 50 ms. One that has to wait for the one before it counts from when it was due: else a member
that stands still now and then would be asked only while it does not. It speaks JSON with etcd's own gateway:
https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/
"""

from __future__ import annotations

import base64
import http.client
import json
import math
import sys
import threading
import time
from urllib.parse import urlsplit

EVERY = 0.05  # seconds from one write to a member to the next
TIMEOUT = 5.0  # seconds for one answer


class Member:
    """One member that is written to."""

    def __init__(self, url: str, prefix: str):
        place = urlsplit(url)
        self.connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=TIMEOUT)
        self.url = url
        self.prefix = prefix
        self.acknowledged: list[str] = []
        self.latencies: list[float] = []  # seconds, of all writes
        self.refusal = ""

    def ask(self, call: str, body: dict[str, object]) -> dict[str, object]:
        """Return the answer to one call; raises OSError, HTTPException or ValueError."""
        try:
            self.connection.request("POST", call, json.dumps(body), {"Content-Type": "application/json"})
            response = self.connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.connection.close()
            raise
        if response.status != 200:
            raise ValueError(answer.get("message") or answer.get("error") or f"HTTP {response.status}")
        return dict(answer)

    def write(self, until: float) -> None:
        due, number = time.monotonic(), 0
        while due < until and time.monotonic() < until + TIMEOUT:
            time.sleep(max(0.0, due - time.monotonic()))
            number += 1
            key = f"{self.prefix}{number:09}"
            try:
                self.ask("/v3/kv/put", {"key": encoded(key), "value": encoded("x" * 64)})
                self.acknowledged.append(key)
            except (OSError, http.client.HTTPException, ValueError) as problem:
                self.refusal = str(problem) or type(problem).__name__
            self.latencies.append(time.monotonic() - due)
            due += EVERY

    def keys(self, prefix: str) -> set[str]:
        """Return all keys that begin with a text."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        answer = self.ask(
            "/v3/kv/range", {"key": encoded(prefix), "range_end": encoded(end), "keys_only": True}
        )
        found: list[dict[str, str]] = answer.get("kvs", [])  # type: ignore[assignment]
        return {base64.b64decode(pair["key"]).decode() for pair in found}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def part(latencies: list[float], share: float) -> float:
    """Return the milliseconds that so large a share of latencies does not exceed."""
    return sorted(latencies)[min(len(latencies) - 1, int(len(latencies) * share))] * 1000


def main(prefix: str, seconds: str, *urls: str) -> None:
    members = [Member(url, f"{prefix}{number}/") for number, url in enumerate(urls)]
    until = time.monotonic() + float(seconds)
    threads = [threading.Thread(target=member.write, args=(until,), daemon=True) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    acknowledged = {key for member in members for key in member.acknowledged}
    # What a member that hangs was never sent has failed, too.
    due = len(members) * math.ceil(float(seconds) / EVERY)
    print("writes", len(acknowledged))
    print("failed_percent", f"{100 * max(0.0, 1 - len(acknowledged) / max(1, due)):.2f}")
    print("latency_median_ms", f"{max(part(member.latencies, 0.5) for member in members):.1f}")
    print("latency_p95_ms", f"{max(part(member.latencies, 0.95) for member in members):.1f}")
    for member in members:
        if member.refusal:
            print(f"problem {member.url}: {' '.join(member.refusal.split())[:200]}")
    compare(members, prefix, acknowledged)


def compare(members: list[Member], prefix: str, acknowledged: set[str]) -> None:
    """Print how many of the writes that were acknowledged are not there, by the first member that answers."""
    for member in members:
        try:
            print("lost", len(acknowledged - member.keys(prefix)))
            return
        except (OSError, http.client.HTTPException, ValueError):
            continue
    print("problem no member says what is there")


main(*sys.argv[1:])
