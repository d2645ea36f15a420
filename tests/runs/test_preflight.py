"""Scripts that cannot run."""

import os


def test_scripts_that_cannot_run_are_found_before_anything_starts(cluster):
    os.chmod(os.path.join(cluster.folders["provider"], "create"), 0o644)
    with open(os.path.join(cluster.folders["platform"], "install"), "w") as file:
        file.write("echo no shebang\n")
    os.unlink(os.path.join(cluster.folders["platform"], "deploy"))
    stopped = cluster.rigger("provision", code=4)
    assert "create is not executable" in stopped.err
    assert "install has no #! line" in stopped.err
    assert "deploy is missing" in stopped.err
    assert cluster.ran() == []
    assert not os.path.exists(cluster.file("runs"))
    assert "FAIL" in cluster.rigger("doctor", code=4).out


def test_a_folder_for_temporary_files_that_is_not_there_is_named(cluster, tmp_path):
    gone = {"TMPDIR": str(tmp_path / "gone")}
    assert f"TMPDIR: {tmp_path}/gone is not there" in cluster.rigger("provision", code=4, env=gone).err
    assert cluster.ran() == []
    assert "TMPDIR" in cluster.rigger("doctor", code=4, env=gone).out
    os.mkdir(gone["TMPDIR"])
    cluster.rigger("doctor", env=gone)
