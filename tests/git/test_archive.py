"""A checkout in a bundle."""

import shutil

import pytest
from helpers.repositories import Upstream, content, git, write

from rigger.git import archive as git_archive
from rigger.git import clone as git_clone
from rigger.git import inspect as git_inspect
from rigger.git import remote as git_remote


@pytest.mark.parametrize("filters", [True, False])
@pytest.mark.parametrize("asked", [{"version": "1.10.0-rc1"}, {"ref": "main"}, {"version": "1.9.0"}])
def test_what_lacks_history_or_files_is_packed_without_the_network(tmp_path, asked, filters):
    upstream = Upstream(tmp_path / "upstream", filters)
    folder, there = str(tmp_path / "clone"), str(tmp_path / "there")
    target = git_remote.resolve(upstream.url, **asked)
    git_clone.clone(upstream.url, folder, target)
    shutil.rmtree(upstream.folder)
    if asked == {"version": "1.9.0"}:
        write(folder, "file")
        git(folder, "commit", "-qam", "my work")
    bundle = tmp_path / "bundle"
    git_archive.pack(folder, str(bundle))
    git_archive.unpack(str(bundle), there, git_inspect.commit(folder))
    assert git_inspect.commit(there) == git_inspect.commit(folder)
    assert content(there, "file") == content(folder, "file") and git(there, "status", "--porcelain") == ""
    assert git_inspect.local_base(there) == git_inspect.local_base(folder) == [target.commit]
    assert git_inspect.state(there).commits == git_inspect.state(folder).commits
    if "version" in asked:
        assert git_inspect.describe(there) == git_inspect.describe(folder)
    git(there, "fsck", "--no-dangling")
