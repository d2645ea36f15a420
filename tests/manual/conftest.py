from helpers.aws_records import aws, aws_proxy, aws_server

__all__ = ["aws", "aws_proxy", "aws_server"]  # fixtures
