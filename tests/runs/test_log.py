"""The log of a step."""


def test_a_big_and_binary_output_is_logged_whole(cluster):
    cluster.script("provider", "create", "head -c 3000000 /dev/zero | tr '\\0' '\\377'; echo; echo end")
    cluster.rigger("provision")
    log = cluster.log("02-create")
    assert len(log) == 3000005 and log.endswith("\nend\n")
    record = [r for r in cluster.records() if r["event"] == "step-finished"][1]
    assert record["log_size"] == 3000005
