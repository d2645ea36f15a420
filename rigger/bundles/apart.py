"""Which files may be packed as they are, which once their secrets are masked, and which in the encrypted part alone."""

from __future__ import annotations

import os
from contextlib import contextmanager

from rigger.bundles.format import Member
from rigger.bundles.pack import stamp, unreadable
from rigger.bundles.secrets import is_given, is_of_secrets
from rigger.errors import Refused
from rigger.files import NEW_FILE, write_all
from rigger.redact import Redactor, maskable
from rigger.redact.nested import SecretSearch
from rigger.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

BLOCK = 1 << 20  # bytes that are read at once


class Apart:
    """Sets members apart that hold a secret; `folder` is where masked copies lie until they are packed."""

    def __init__(self, secrets: list[str], named: Mapping[str, str], folder: str):
        self._search, self._redactor = SecretSearch(secrets), Redactor(secrets, thorough=True)
        self._named, self._folder = named, folder

    def sort(self, members: Iterable[Member]) -> tuple[list[Member], list[Member]]:
        """Return the members for everybody, logs with their secrets masked, and those that hold a secret.

        Raises Refused where one is in what is always packed as it is.
        """
        for_all, sealed = [], []
        for member in map(_stamped, members):
            if is_of_secrets(member.name):
                sealed.append(member)
            elif not self._search.holds_any(blocks_of(member)):
                for_all.append(member)
            elif _is_log(member) and (masked := self._masked(member, len(for_all))):
                for_all.append(masked)
            elif member.name in ("audit.jsonl", "vars"):
                raise self._open_secret(member)
            else:
                sealed.append(member)
        return for_all, sealed

    def _masked(self, member: Member, number: int) -> Member | None:
        """Return a log with its secrets masked; None where one is in it all the same."""
        path = os.path.join(self._folder, str(number))
        fd = os.open(path, NEW_FILE, 0o600)
        try:
            holds = self._search.holds_any(self._written(member, fd))
        finally:
            os.close(fd)
        if not holds:
            return Member(member.name, path=path)
        os.unlink(path)
        return None

    def _written(self, member: Member, fd: int) -> Iterator[bytes]:
        """Return the masked blocks of a member, each of them written."""
        stream = self._redactor.stream()
        for block in blocks_of(member):
            masked = stream.feed(block)
            write_all(fd, masked)
            yield masked
        rest = stream.finish()
        write_all(fd, rest)
        yield rest

    def _open_secret(self, member: Member) -> Refused:
        """Return the error about a secret in what is always packed as it is, with the names of those that are in it."""
        found = [
            name
            for name, value in self._named.items()
            if SecretSearch(maskable({name: value})).holds_any(blocks_of(member))
        ]
        which, one = (", ".join(found), found[0]) if found else ("a secret", "NAME")
        return Refused(
            f"{member.name} holds {which} as plain text, and cannot be packed.",
            f'Give {which} another value ("rigger config set {one}=..."), then save again.',
        )


def blocks_of(member: Member) -> Iterator[bytes]:
    """Return what is in a member, a block after the other; raises NotReady where it cannot be read."""
    if member.path is None:
        yield member.data or b""
        return
    with _saying_what_was_read(member.path), open(member.path, "rb", buffering=0) as file:
        while block := file.read(BLOCK):
            yield block


def _stamped(member: Member) -> Member:
    """Return a member that is refused if it is not packed as it was looked at."""
    if member.path is None:
        return member
    with _saying_what_was_read(member.path):
        status = os.stat(member.path)
    return replace(member, stamp=stamp(status))


@contextmanager
def _saying_what_was_read(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unreadable(path, error) from error


def _is_log(member: Member) -> bool:
    return member.name.startswith(("runs/", "tests/")) and not is_given(member.name)
