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
    said = f"temporary files (TMPDIR is {tmp_path}/gone, which is no folder)."
    assert cluster.rigger("provision", code=4, env=gone).err.count(said) == 1
    assert cluster.ran() == []
    assert cluster.rigger("doctor", code=4, env=gone).out.count("TMPDIR is") == 1
    os.mkdir(gone["TMPDIR"])
    cluster.rigger("doctor", env=gone)


def test_what_modules_look_at_stops_the_first_create_alone(cluster):
    cluster.script(
        "provider",
        "preflight",
        """
        rigger-finding fail quota "1 machine is left, 2 are needed" "ask for more"
    """,
    )
    stopped = cluster.rigger("provision", code=4).err
    assert "started: quota (1 machine is left, 2 are needed).\n  remedy: ask for more\n" in stopped
    assert cluster.ran() == ["provider/preflight"]
    cluster.script("provider", "preflight", "true")
    cluster.rigger("provision")
    assert cluster.ran()[0] == "provider/preflight"
    cluster.rigger("provision", "--again")
    assert "provider/preflight" not in cluster.ran()


def test_what_modules_look_at_counts_until_a_create_was_tried(cluster):
    cluster.script("provider", "install", "exit 1")
    cluster.rigger("provision", code=5)
    cluster.script("provider", "install", "true")
    cluster.script("provider", "preflight", "exit 1")
    cluster.rigger("provision", code=4)
    cluster.script("provider", "preflight", "true")
    cluster.script("provider", "create", "exit 1")
    cluster.rigger("provision", code=5)
    cluster.script("provider", "preflight", "exit 1")
    cluster.rigger("provision", code=5)
