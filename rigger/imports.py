"""How a program that is rigger finds its own modules: where they lie, without a search.

Python asks several finders for each module and works out several paths for it, which for the hundred small modules of a
command takes as long as to run them. Here is known where one lies: in the folder of its package, its bytecode in
`__pycache__`, made of the source that has the time and size written in it. Whatever
is not plainly there (new or changed source, another kind of bytecode) is left to Python.
"""

from __future__ import annotations

import marshal
import os
import sys
from _frozen_importlib import BuiltinImporter, ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType

OURS = f"{__name__.partition('.')[0]}."
ENDING = f".{sys.implementation.cache_tag}.pyc"
BY_TIME = bytes(4)  # flags: the bytecode holds for the source of that time and size
HEADER = 16  # bytes: magic number, flags, time and size


class Loader(SourceFileLoader):
    """A loader whose module was read when it was found."""

    def __init__(self, name: str, path: str, code: CodeType):
        super().__init__(name, path)
        self._code: CodeType | None = code

    def get_code(self, fullname: str) -> CodeType | None:
        code, self._code = self._code, None
        return code or super().get_code(fullname)


class Finder:
    """Finds the modules of rigger that have bytecode of this Python and of their source as it is."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not path or not name.startswith(OURS):
            return None
        place = f"{path[0]}/{name.rpartition('.')[2]}"
        for file, inside in ((f"{place}.py", None), (f"{place}/__init__.py", [place])):
            compiled = _compiled(file)
            code = _code(file, compiled)
            if code is not None:
                spec = ModuleSpec(name, Loader(name, file, code), origin=file)
                spec.submodule_search_locations = inside
                spec.has_location, spec.cached = True, compiled
                return spec
        return None


def _compiled(file: str) -> str:
    folder, _, name = file.rpartition("/")
    return f"{folder}/__pycache__/{name.removesuffix('.py')}{ENDING}"


def _code(file: str, compiled: str) -> CodeType | None:
    """Return the code of a source file, None where its bytecode is not there or not of that source."""
    try:
        fd = os.open(compiled, os.O_RDONLY | os.O_CLOEXEC)
        try:
            content = os.read(fd, os.fstat(fd).st_size)
        finally:
            os.close(fd)
        source = os.stat(file)
    except OSError:
        return None
    stamp = b"".join(
        (value & 0xFFFFFFFF).to_bytes(4, "little") for value in (int(source.st_mtime), source.st_size)
    )
    if content[:HEADER] != MAGIC_NUMBER + BY_TIME + stamp:
        return None
    code: CodeType = marshal.loads(memoryview(content)[HEADER:])
    return code


def find_our_own() -> None:
    """Have rigger's modules found so in this process, unless bytecode lies elsewhere or is of another kind here."""
    if sys.pycache_prefix is None and not sys.flags.optimize and os.name == "posix":
        others = sys.meta_path  # whatever else listens to imports comes first
        others.insert(others.index(BuiltinImporter) if BuiltinImporter in others else len(others), Finder)
