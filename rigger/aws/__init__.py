"""Machines made by CloudFormation: what the provider `aws` runs, as `python -m rigger.aws VERB`."""
