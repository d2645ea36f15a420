"""Terraform and OpenTofu: a provider that is a folder of .tf files."""
