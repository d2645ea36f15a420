# The version is settled here. "terraform init" adds the hashes of what it installs to the environment's own copy of
# this file, and insists on them from then on; bundles carry that copy.

provider "registry.terraform.io/digitalocean/digitalocean" {
  version     = "2.78.0"
  constraints = "~> 2.68"
}
