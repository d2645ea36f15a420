"""Is all of a checkout there? Its submodules may be missing, or be at another commit than it names."""

from __future__ import annotations

import os

from rigger import text
from rigger.environments import checkout
from rigger.errors import NotReady
from rigger.git import lfs, submodules
from rigger.git.place import around

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.environments.environment import Environment
    from rigger.git.submodules import Lacking


def left_out(folder: str, is_clone: bool = True) -> str:
    """Return what to say of the submodules and files that a checkout does without, nothing where it has all."""
    said = [
        _left_out(folder, is_clone),
        _without_url(folder),
        _are_pointers(folder, lfs.lacking(folder)),
    ]
    return " ".join(part for part in said if part)


def _left_out(folder: str, is_clone: bool) -> str:
    missing = [found for found in submodules.lacking(folder) if not found.has]
    if not missing:
        return ""
    return f"Submodules of {folder} were left out: {_listed(missing)}. {_how_to_get(folder, is_clone)}"


def _without_url(folder: str) -> str:
    paths = [text.printable(path) for path in submodules.without_url(folder)]
    if not paths:
        return ""
    return (
        f"These folders of {folder} are empty: {text.listed(paths)}. Each stands for a commit of another repository, but "
        ".gitmodules does not say of which; ask whoever made the repository, or put the files there."
    )


def require_whole(environment: Environment, values: Mapping[str, str]) -> None:
    """Raise NotReady before scripts run that would find an empty or another submodule in the checkout."""
    top, found = _found(environment, values)
    if missing := [one for one in found if not one.has]:
        raise NotReady(
            f"Submodules of {top} are missing, nothing was started: {_listed(missing)}.",
            _how_to_get(top, checkout.is_cloned(environment, values)),
        )
    _require_none_moved(top, found)
    folder = checkout.place(environment, values)
    if top and (files := [f for f in lfs.lacking(top) if _concerns(os.path.join(top, f), folder)]):
        raise NotReady(f"Nothing was started. {_named(top, files)}", _how_to_pull(top))


def _are_pointers(folder: str, files: list[str]) -> str:
    return f"{_named(folder, files)} {_how_to_pull(folder)}" if files else ""


def _named(folder: str, files: list[str]) -> str:
    return f"Of these files {folder} has no more than the pointers of git-lfs: {text.listed(files)}."


def _how_to_pull(folder: str) -> str:
    return f'Install git-lfs if need be, and fetch them: "cd {folder} && git lfs install --local && git lfs pull".'


def require_none_moved(environment: Environment, values: Mapping[str, str]) -> None:
    """Raise NotReady where submodules of the checkout are at other commits than it names."""
    _require_none_moved(*_found(environment, values))


def _require_none_moved(top: str, found: list[Lacking]) -> None:
    if moved := [one for one in found if one.has]:
        raise NotReady(
            f"Submodules of {top} are at other commits than it names, nothing was started: {_listed(moved)}.",
            f'Bring them there: "git -C {top} submodule update --init --recursive"; or, where they are meant to be so: '
            f'"git -C {top} add {moved[0].path}".',
        )


def _found(environment: Environment, values: Mapping[str, str]) -> tuple[str, list[Lacking]]:
    """Return the repository that the platform lies in, and its submodules that are not as they should be."""
    folder = checkout.place(environment, values)
    top = around(folder) if os.path.isdir(folder) else ""
    found = submodules.lacking(top) if top else []
    return top, [one for one in found if _concerns(os.path.join(top, one.path), folder)]


def _concerns(submodule: str, folder: str) -> bool:
    folder = os.path.realpath(folder)
    return os.path.commonpath([os.path.realpath(submodule), folder]) in (folder, os.path.realpath(submodule))


def _listed(found: list[Lacking]) -> str:
    return text.listed([text.printable(str(one)) for one in found])


def _how_to_get(folder: str, is_clone: bool) -> str:
    if is_clone:
        return 'Fetch them: "rigger checkout --submodules"; or do without: "rigger checkout --no-submodules".'
    return (
        f'Fetch them: "git -C {folder} submodule update --init --recursive"; or do without: '
        f'"git -C {folder} config submodule.NAME.update none".'
    )
