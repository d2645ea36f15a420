"""Steps that plans name again and again."""

ALL = ["provider/install", "provider/create", "platform/install", "platform/deploy", "platform/check"]
CHECKS = ["provider/check", "platform/check"]
AFTER_CREATE = ["provider/create", "platform/install", "platform/deploy", "platform/check"]
AFTER_DEPLOY = ["platform/deploy", "provider/check", "platform/check"]


def why(cluster) -> dict:
    return {f"{row['module'].partition('/')[0]}/{row['step']}": row["why"] for row in cluster.plan()["steps"]}
