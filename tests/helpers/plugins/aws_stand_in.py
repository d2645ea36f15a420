"""A stand-in for the Terraform provider hashicorp/aws, which cannot be downloaded where the tests run.

It has the one data source that projects read images by, aws_ssm_parameter, with the arguments and attributes of the real
provider's documentation, and asks the real API over real HTTP, at $AWS_ENDPOINT_URL as the real one does.
"""

import os
import signal

import boto3
import botocore.exceptions
import tf.runner
from digitalocean_stand_in import Gentle, needed, optional, told
from tf.iface import DataSource, Provider
from tf.schema import Attribute, Schema
from tf.types import Bool, Number, String


class Parameter(DataSource):
    attributes = [
        needed("name"),
        optional("with_decryption", Bool),
        optional("region"),
        Attribute("value", String(), computed=True, sensitive=True),
        *told("id", "arn", "type", "insecure_value"),
        *told("version", kind=Number),
    ]

    def __init__(self, provider):
        pass

    @classmethod
    def get_name(cls):
        return "ssm_parameter"

    @classmethod
    def get_schema(cls):
        return Schema(attributes=cls.attributes, version=0)

    def read(self, context, config):
        name, region = config["name"], config.get("region") or os.environ["AWS_REGION"]
        try:
            found = boto3.client("ssm", region_name=region).get_parameter(
                Name=name, WithDecryption=config.get("with_decryption") is not False
            )["Parameter"]
        except botocore.exceptions.ClientError as problem:
            context.diagnostics.add_error(f"reading SSM Parameter ({name})", str(problem))
            return None
        return {
            "name": name,
            "with_decryption": config.get("with_decryption"),
            "region": region,
            "id": name,
            "arn": found["ARN"],
            "type": found["Type"],
            "value": found["Value"],
            "insecure_value": found["Value"] if found["Type"] != "SecureString" else "",
            "version": found["Version"],
        }


class Aws(Provider):
    def get_model_prefix(self):
        return "aws_"

    def get_provider_schema(self, diags):
        return Schema(attributes=[optional("region"), optional("profile")], version=0)

    def full_name(self):
        return "registry.terraform.io/hashicorp/aws"

    def validate_config(self, diags, config):
        pass

    def configure_provider(self, diags, config):
        pass

    def get_data_sources(self):
        return [Parameter]

    def get_resources(self):
        return []


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Terraform alone decides, as with go-plugin
    tf.runner._ShutdownInterceptor = Gentle
    tf.runner.run_provider(Aws())
