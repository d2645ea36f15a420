"""The head of an audit log, kept in a file beside it: a chain alone cannot notice that its end was cut off."""

from __future__ import annotations

import os
from contextlib import suppress

from rigger.errors import InvalidConfig
from rigger.files import NEW_FILE, sync_folder, temporary_path, unlink_if_there, write_all
from rigger.values import frozen

FIRST = "0" * 64  # the `prev` of the first record
DIGITS = 18  # that a count may have
HEX = "0123456789abcdef"


@frozen
class Head:
    """How many records a log has, and the last one's hash; written COUNT:HASH."""

    count: int = 0
    hash: str = FIRST

    def __str__(self) -> str:
        return f"{self.count}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head | None:
        """Return the head that is written so, None where it is none."""
        count, _, digest = text.strip().partition(":")
        is_count = count.isascii() and count.isdecimal() and len(count) <= DIGITS and str(int(count)) == count
        return cls(int(count), digest) if is_count and len(digest) == 64 and not digest.strip(HEX) else None


@frozen
class Place:
    """Where a record of a log ends."""

    head: Head  # of a log whose last record it is
    size: int  # bytes, up to and with its newline


class HeadFile:
    """The head as it was when the last record was written.

    A crash after a record and before its head leaves the head one record behind, never more: a head that is behind is
    brought up before the next record is written.
    """

    def __init__(self, path: str, repairs: str = ""):
        self.path = path
        self._repairs = repairs or REPAIRS

    def read(self) -> Head | None:
        """Return the head, None where none was kept; raises InvalidConfig for a file that cannot be read or used."""
        try:
            with open(self.path, "rb") as file:
                head = Head.parse(file.read(256).decode("ascii", "replace"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InvalidConfig(f"{self.path} cannot be read: {error.strerror}.") from error
        if head is None:
            raise InvalidConfig(f"{self.path} is not what rigger wrote.", self._repairs)
        return head

    def prepare(self, head: Head) -> PreparedHead:
        """Bring a new head to the disk, beside the one that holds; raises OSError where there is no room for it."""
        aside = temporary_path(self.path)
        fd = os.open(aside, NEW_FILE, 0o600)
        try:
            write_all(fd, f"{head}\n".encode())
            os.fsync(fd)
        except BaseException:
            with suppress(OSError):
                unlink_if_there(aside)
            raise
        finally:
            os.close(fd)
        return PreparedHead(aside, self.path)

    def write(self, head: Head) -> None:
        """Replace the head in one step; raises OSError."""
        self.prepare(head).put_in_place()
        sync_folder(os.path.dirname(self.path) or ".")


@frozen
class PreparedHead:
    """A head that is on the disk already, and becomes the one that holds by a rename."""

    aside: str
    path: str

    def put_in_place(self) -> None:
        """Make it the one that holds; its name is on the disk once the folder is."""
        os.replace(self.aside, self.path)

    def drop(self) -> bool:
        """Remove it unless it holds already; return whether it did not."""
        try:
            os.unlink(self.aside)
        except FileNotFoundError:
            return False
        except OSError:
            pass
        return True


REPAIRS = (
    '"rigger audit" shows all that is wrong; "rigger configure --file BUNDLE" brings back what a bundle holds, '
    '"rigger audit --repair" keeps what is left.'
)
