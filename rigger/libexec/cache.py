"""The folders of $RIGGER_CACHE_DIR: one for each source, and each download with the digests of its files."""

from __future__ import annotations

import hashlib
import os
import sys

SUMS = "SHA256SUMS"
USAGE = "Usage: rigger-cache folder NAME SOURCE, rigger-cache seal FOLDER, or rigger-cache whole FOLDER"


def folder_of(name: str, source: str) -> str:
    """Return the folder for what comes from a source: another mirror has another folder."""
    key = hashlib.sha256(os.fsencode(source.rstrip("/"))).hexdigest()[:16]
    return os.path.join(os.environ["RIGGER_CACHE_DIR"], name, key)


def sums(folder: str) -> bytes:
    """Return the digests of all files below a folder, as sha256sum writes them."""
    lines = []
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(parent, name)
            if path != os.path.join(folder, SUMS):
                lines.append(f"{_digest(path)}  {os.path.relpath(path, folder)}\n")
    return os.fsencode("".join(lines))


def is_whole(folder: str) -> bool:
    """Return whether a folder is there and holds what was sealed."""
    try:
        with open(os.path.join(folder, SUMS), "rb") as file:
            return file.read() == sums(folder)
    except OSError:
        return False


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def main(words: list[str]) -> str | int:
    if len(words) == 3 and words[0] == "folder":
        sys.stdout.buffer.write(os.fsencode(folder_of(words[1], words[2])) + b"\n")
        return 0
    if len(words) == 2 and words[0] == "seal":
        with open(os.path.join(words[1], SUMS), "wb") as file:
            file.write(sums(words[1]))
        return 0
    return int(not is_whole(words[1])) if len(words) == 2 and words[0] == "whole" else USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
