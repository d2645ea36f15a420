"""Disks that are full, and an `os` module that fails."""

from __future__ import annotations

import errno
import itertools
import os

from rigger import files
from rigger.bundles import extract, pack, stream
from rigger.bundles import read as bundles_read
from rigger.errors import RiggerError


class Faulty:
    """The os module with some functions replaced."""

    def __init__(self, **functions):
        self.__dict__.update(functions)

    def __getattr__(self, name):
        return getattr(os, name)


class FullDisk(Faulty):
    """The os module of a machine whose disk is full at the n-th change."""

    def __init__(self, left, code=errno.ENOSPC):
        super().__init__()
        self.left, self.code = left, code

    def __getattr__(self, name):
        function = getattr(os, name)
        if name not in ("open", "write", "fchmod", "utime", "mkdir", "fsync", "replace", "rename"):
            return function

        def changing(*arguments, **options):
            self.left -= 1
            if self.left == 0:
                raise OSError(self.code, os.strerror(self.code))
            return function(*arguments, **options)

        return changing


def replace_os(monkeypatch, stand_in):
    """Have all that reads and writes bundles meet another `os`."""
    for module in (bundles_read, extract, files, pack, stream):
        monkeypatch.setattr(module, "os", stand_in, raising=False)


def until_it_works(monkeypatch, work, check):
    """Do it with a fault at the first change, at the second, and so on, until none is met."""
    for left in itertools.count(1):
        faulty = FullDisk(left)
        replace_os(monkeypatch, faulty)
        try:
            work()
        except RiggerError as error:
            assert "No space left" in error.message
            check()
            continue
        finally:
            replace_os(monkeypatch, os)
        if faulty.left > 0:
            return left
        # The fault was in something that may fail.
        check()
