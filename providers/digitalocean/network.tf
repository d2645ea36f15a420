locals {
  vpc       = var.vpc == "new" ? digitalocean_vpc.mine[0].id : var.vpc
  front     = length(local.ports) > 0 ? local.ports : ["80", "443"]
  opened    = var.load_balancer ? distinct(concat(local.ports, local.front)) : local.ports
  everybody = ["0.0.0.0/0", "::/0"]
}

resource "digitalocean_vpc" "mine" {
  count  = var.vpc == "new" ? 1 : 0
  name   = local.name
  region = var.region
}

resource "digitalocean_firewall" "mine" {
  name = local.name
  tags = [digitalocean_tag.mine.name]

  inbound_rule {
    protocol         = "tcp"
    port_range       = tostring(var.ssh_port)
    source_addresses = [var.ssh_from]
  }

  dynamic "inbound_rule" {
    for_each = local.opened
    content {
      protocol                  = "tcp"
      port_range                = inbound_rule.value
      source_addresses          = [var.platform_from]
      source_load_balancer_uids = digitalocean_loadbalancer.front[*].id
    }
  }

  dynamic "inbound_rule" {
    for_each = ["tcp", "udp"]
    content {
      protocol    = inbound_rule.value
      port_range  = "1-65535"
      source_tags = [digitalocean_tag.mine.name]
    }
  }

  inbound_rule {
    protocol         = "icmp"
    source_addresses = local.everybody
  }

  dynamic "outbound_rule" {
    for_each = ["tcp", "udp"]
    content {
      protocol              = outbound_rule.value
      port_range            = "1-65535"
      destination_addresses = local.everybody
    }
  }

  outbound_rule {
    protocol              = "icmp"
    destination_addresses = local.everybody
  }
}

resource "digitalocean_loadbalancer" "front" {
  count       = var.load_balancer ? 1 : 0
  name        = local.name
  region      = var.region
  vpc_uuid    = local.vpc
  droplet_tag = digitalocean_tag.mine.name

  dynamic "forwarding_rule" {
    for_each = local.front
    content {
      entry_protocol  = "tcp"
      entry_port      = tonumber(forwarding_rule.value)
      target_protocol = "tcp"
      target_port     = tonumber(forwarding_rule.value)
    }
  }

  healthcheck {
    protocol = "tcp"
    port     = tonumber(local.front[0])
  }
}
