"""Machines made by CloudFormation: what the scripts of the provider `aws` run, by way of lib/main.py."""
