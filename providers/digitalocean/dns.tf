locals {
  host      = trim(replace(lower(var.rigger_environment), "/[^a-z0-9]+/", "-"), "-")
  addresses = var.load_balancer ? digitalocean_loadbalancer.front[*].ip : digitalocean_droplet.node[*].ipv4_address
  ours      = var.dns_zone != "nip.io"
}

resource "digitalocean_record" "name" {
  count  = local.ours ? (var.load_balancer ? 1 : var.nodes) : 0
  domain = var.dns_zone
  type   = "A"
  name   = local.host
  value  = local.addresses[count.index]
  ttl    = 300
}

resource "digitalocean_record" "wildcard" {
  count  = local.ours ? (var.load_balancer ? 1 : var.nodes) : 0
  domain = var.dns_zone
  type   = "A"
  name   = "*.${local.host}"
  value  = local.addresses[count.index]
  ttl    = 300
}
