"""Speak to the HAProxy of this folder, in words of old Pythons too: control.py ask COMMAND, control.py SECONDS drain|back NODE.

`drain` has nothing new sent to a node, and waits SECONDS at most until it has answered what it was asked; `back` has it sent
there again, and waits until HAProxy finds it well. https://docs.haproxy.org/2.6/management.html#9.3
"""

from __future__ import annotations

import csv
import io
import os
import socket
import sys
import time
from typing import Any

BACK = 30.0  # seconds until a node that serves again was found well


def ask(command: str) -> str:
    """Return the answer of the process that runs."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect("admin.sock")  # a path beside this file: longer ones than 107 bytes are refused
        connection.sendall(command.encode() + b"\n")
        with connection.makefile() as answer:
            return answer.read()


def servers(node: str) -> list[dict[str, Any]]:
    """Return what is known of a node in each backend."""
    rows = csv.DictReader(io.StringIO(ask("show stat").lstrip("# ")))
    return [row for row in rows if row["svname"] == node]


def tell(seconds: float, word: str, node: str) -> str:
    """Tell HAProxy; return what is not as it should be in the end, or nothing."""
    known = servers(node)
    for row in known:
        state = "drain" if word == "drain" else "ready"
        said = ask(f"set server {row['pxname']}/{node} state {state}").strip()
        if said:
            return said
    end = time.monotonic() + (seconds if word == "drain" else BACK)
    while True:
        waits = [row for row in servers(node) if _waits(row, word)]
        if not waits:
            return ""
        if time.monotonic() >= end:
            if word == "back":
                return f"{node} is not well: {waits[0]['pxname']} says {waits[0]['status']}"
            busy = sum(int(row["scur"]) for row in waits)
            print(
                f"{node} still answers {busy} requests after {seconds} s; they will be cut off",
                file=sys.stderr,
            )
            return ""
        time.sleep(0.05)


def _waits(row: dict[str, Any], word: str) -> bool:
    return int(row["scur"]) > 0 if word == "drain" else not row["status"].startswith("UP")


if __name__ == "__main__":
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    if sys.argv[1] == "ask":
        print(ask(sys.argv[2]), end="")
    else:
        sys.exit(tell(float(sys.argv[1]), *sys.argv[2:]) or 0)
