terraform {
  required_version = ">= 1.4"
  required_providers {
    digitalocean = {
      source  = "digitalocean/digitalocean"
      version = "~> 2.68"
    }
  }
}

# It takes DIGITALOCEAN_TOKEN and DIGITALOCEAN_API_URL from the environment: the token is in no plan and no state.
# Throttling is waited out. So are lost answers, by asking again, which may make a second thing: create looks for those.
provider "digitalocean" {
  http_retry_max = 4
}
