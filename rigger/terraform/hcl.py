"""What Terraform's own files say: read by python-hcl2, which is slow to start, and kept by digest."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
from collections.abc import Iterator, Mapping

from rigger.errors import RiggerError
from rigger.files import write_bytes
from rigger.sha256 import sha256
from rigger.values import asdict, field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1  # of what is kept: another number reads every file again
LOADED = re.compile(r".*\.(?:tf|tfvars|tofu|tfquery\.hcl|tftest\.hcl)(?:\.json)?")  # whatever folder it is in
VALUE_FILES = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")
PLAIN = ("string", "number", "bool")


@frozen
class Variable:
    """A variable that .tf files declare."""

    has_default: bool
    type: str  # as it is written, without blanks, such as list(string); empty where it is left open

    @property
    def is_expression(self) -> bool:
        """Whether Terraform reads its value as an expression, rather than as it stands."""
        return bool(self.type) and self.type not in PLAIN


@frozen
class Content:
    """What one file says that rigger needs to know; all is empty where it could not be read, which `problem` says."""

    variables: Mapping[str, Variable] = field(default_factory=dict)
    has_backend: bool = False  # whether it says where the state is kept
    names: tuple[str, ...] = ()  # what stands at its top with a value, as in a file of values
    problem: str = ""  # why it could not be read
    line: int = 0


@frozen
class Folder:
    """What the .tf files of a folder say together."""

    variables: Mapping[str, Variable]
    has_backend: bool
    problems: tuple[
        str, ...
    ] = ()  # a sentence about each file that could not be read: Terraform is to judge it

    @property
    def is_known(self) -> bool:
        """Whether every file could be read, so that there are no other variables."""
        return not self.problems


def read_folder(folder: str, cache: str = "") -> Folder:
    """Return what the .tf and .tf.json files of a folder say; `cache` is a folder that keeps what was read."""
    variables: dict[str, Variable] = {}
    has_backend, problems = False, []
    for path in _configuration(folder):
        content = read(path, cache)
        has_backend |= content.has_backend
        if content.problem:
            problems.append(_sentence(path, content))
        for name, variable in content.variables.items():
            variables[name] = _merged(variables.get(name), variable)
    return Folder(variables, has_backend, tuple(problems))


def _sentence(path: str, content: Content) -> str:
    return f"{path}, line {content.line}: rigger cannot read this file: {content.problem}."


def _configuration(folder: str) -> list[str]:
    """Return the files that Terraform reads, those that override others last; see its docs of override files."""

    def overrides(path: str) -> bool:
        name = os.path.basename(path).removesuffix(".json").removesuffix(".tf")
        return name == "override" or name.endswith("_override")

    return sorted(_matching(folder, "*.tf", "*.tf.json"), key=overrides)


def _matching(folder: str, *patterns: str) -> list[str]:
    import glob  # every command loads this file, few read .tf files

    paths = (glob.glob(os.path.join(glob.escape(folder), pattern)) for pattern in patterns)
    return [path for found in paths for path in sorted(found)]


def _merged(before: Variable | None, variable: Variable) -> Variable:
    """Return a variable that is declared again, as an override does with a part of it."""
    if before is None:
        return variable
    return Variable(before.has_default or variable.has_default, variable.type or before.type)


def output_names(folder: str) -> set[str]:
    """Return the names of the outputs that the .tf files of a folder seem to have."""
    return _words(folder, r'^\s*output\s+"?([\w-]+)"?\s*\{')


def plugin_sources(folder: str) -> set[str]:
    """Return the sources of plugins that the .tf files and the lock file of a folder seem to name."""
    named = _words(folder, r'\bsource\s*=\s*"([\w./-]+)"')
    return named | _words(folder, r'^provider "([\w./-]+)"', ".terraform.lock.hcl")


def _words(folder: str, pattern: str, *names: str) -> set[str]:
    words: set[str] = set()
    for path in _matching(folder, *(names or ("*.tf",))):
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            words |= set(re.findall(pattern, file.read(), re.MULTILINE))
    return words


def value_files(folder: str, cache: str = "") -> Iterator[tuple[str, Content]]:
    """Give each file that Terraform reads values from by itself, and what it says."""
    for path in sorted(_matching(folder, *VALUE_FILES)):
        yield path, read(path, cache)


def unreadable(folder: str, cache: str = "") -> list[str]:
    """Return a sentence about each file that rigger cannot read, though Terraform perhaps can."""
    values = [_sentence(path, content) for path, content in value_files(folder, cache) if content.problem]
    return [*read_folder(folder, cache).problems, *values]


# ---- one file --------------------------------------------------------------------------------------------


def read(path: str, cache: str = "") -> Content:
    """Return what a file says, as it was kept if these very bytes were read before; raises OSError."""
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".json"):
        return _read_json(data)
    kept = os.path.join(cache, f"{_digest(data)}.json") if cache else ""
    content = _kept(kept) if kept else None
    if content is None:
        content = _read_hcl(data)
        if kept:
            _keep(kept, content)
    return content


def _digest(data: bytes) -> str:
    """Return the SHA-256 of a file's bytes and of what reads them."""
    return sha256(f"{FORMAT} {_parser_version()}\0".encode() + data).hexdigest()


@functools.cache
def _parser_version() -> str:
    """Return the version of python-hcl2 without importing it, nor what would look for it among all that is installed."""
    import glob
    import importlib.util

    spec = importlib.util.find_spec("hcl2")
    if spec is None or not spec.origin:
        return ""
    installed = os.path.dirname(os.path.dirname(spec.origin))
    installed_as = glob.glob(os.path.join(glob.escape(installed), "python_hcl2-*.dist-info"))
    if len(installed_as) != 1:
        from importlib import metadata  # slow: it brings the standard library's e-mail along

        return metadata.version("python-hcl2")
    return os.path.basename(installed_as[0]).removeprefix("python_hcl2-").removesuffix(".dist-info")


def _kept(path: str) -> Content | None:
    try:
        with open(path, "rb") as file:
            fields = json.loads(file.read())
        variables = {name: Variable(**variable) for name, variable in fields.pop("variables").items()}
        return Content(variables, **{**fields, "names": tuple(fields["names"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _keep(path: str, content: Content) -> None:
    """Keep what was read; a cache that cannot be written costs time, nothing else, and no home is made for it."""
    folder = os.path.dirname(path)
    with contextlib.suppress(OSError, RiggerError):
        if os.path.isdir(os.path.dirname(os.path.dirname(folder))):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            write_bytes(path, json.dumps(asdict(content)).encode(), durable=False)


def _read_hcl(data: bytes) -> Content:
    import hcl2

    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    try:
        return _content(hcl2.loads(text))
    except Exception as problem:  # whatever a parser stumbles over, Terraform may know better
        last = text.rstrip("\n").count("\n") + 1
        line = getattr(problem, "line", last)
        line = min(line, last) if isinstance(line, int) and line > 0 else last
        return Content(problem="it is not HCL as python-hcl2 knows it", line=line)


def _read_json(data: bytes) -> Content:
    text = data.decode("utf-8-sig", "replace")
    try:
        body = json.loads(text)
    except json.JSONDecodeError as problem:
        return Content(problem=f"it is not JSON: {problem.msg}", line=problem.lineno)
    except RecursionError:
        return Content(problem="it is nested too deeply", line=1)
    if not isinstance(body, (dict, list)):
        return Content(problem="it is not an object", line=1)
    return _content(_merge(body))


def _content(body: Mapping[str, Any]) -> Content:
    """Return what is needed of a file's top: blocks are lists in both of Terraform's languages, or single ones."""
    variables = {
        _bare(label): _variable(fields)
        for block in _blocks(body.get("variable"))
        for label, fields in block.items()
        if not label.startswith("__")
    }
    own = {_bare(name) for block in _blocks(body.get("terraform")) for name in block}
    names = tuple(sorted({_bare(name) for name in body if not name.startswith("__")}))
    return Content(variables, bool(own & {"backend", "cloud"}), names)


def _variable(fields: Any) -> Variable:
    body = _merge(_blocks(fields))
    kind = body.get("type", "")
    text = "".join(kind.split()) if isinstance(kind, str) else ""
    if text.startswith("${") and text.endswith("}"):
        text = text[2:-1]
    return Variable("default" in body, _bare(text))


def _blocks(value: Any) -> list[Mapping[str, Any]]:
    blocks = value if isinstance(value, list) else [value]
    return [block for block in blocks if isinstance(block, Mapping)]


def _merge(blocks: Any) -> dict[str, Any]:
    """Return several objects as one, whose values are those of all: JSON may write a body as a list of them."""
    if isinstance(blocks, dict):
        return blocks
    merged: dict[str, Any] = {}
    for block in _blocks(blocks):
        for name, value in block.items():
            if name in merged:
                first = merged[name] if isinstance(merged[name], list) else [merged[name]]
                value = [*first, *(value if isinstance(value, list) else [value])]
            merged[name] = value
    return merged


def _bare(text: str) -> str:
    """Return a label without its quotes: python-hcl2 keeps them where a file has them."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
