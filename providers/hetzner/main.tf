# A whole provider: this file and rigger.yml. rigger gives it install, create, check, destroy, plan and audit.
terraform {
  required_version = ">= 1.4"
  required_providers {
    hcloud = {
      source  = "hetznercloud/hcloud"
      version = "~> 1.63"
    }
  }
}

# It takes HCLOUD_TOKEN from the environment.
provider "hcloud" {}

variable "rigger_environment_id" {
  type = string
}

variable "rigger_platform_ports" {
  description = "What the platform publishes on every node, separated by blanks"
  type        = string
  default     = ""
}

variable "ssh_key" {
  type = string
}

variable "location" {
  type = string
}

variable "nodes" {
  type = number
}

variable "server_type" {
  type = string
}

variable "image" {
  type = string
}

variable "ssh_from" {
  type = string
}

variable "platform_from" {
  type = string
}

locals {
  name      = "rigger-${var.rigger_environment_id}"
  labels    = { rigger = var.rigger_environment_id }
  everybody = ["0.0.0.0/0", "::/0"]
  zones     = { ash = "us-east", hil = "us-west", sin = "ap-southeast" }
}

resource "hcloud_ssh_key" "mine" {
  name       = local.name
  public_key = try(trimspace(file("${var.ssh_key}.pub")), "")
  labels     = local.labels

  lifecycle {
    ignore_changes = [public_key] # where a bundle is loaded, the file may be missing
  }
}

resource "hcloud_network" "mine" {
  name     = local.name
  ip_range = "10.0.0.0/16"
  labels   = local.labels
}

resource "hcloud_network_subnet" "mine" {
  network_id   = hcloud_network.mine.id
  type         = "cloud"
  network_zone = lookup(local.zones, var.location, "eu-central")
  ip_range     = "10.0.1.0/24"
}

resource "hcloud_firewall" "mine" {
  name   = local.name
  labels = local.labels

  rule {
    direction  = "in"
    protocol   = "tcp"
    port       = "22"
    source_ips = [var.ssh_from]
  }

  rule {
    direction  = "in"
    protocol   = "icmp"
    source_ips = local.everybody
  }

  dynamic "rule" {
    for_each = distinct(compact(split(" ", trimspace(var.rigger_platform_ports))))
    content {
      direction  = "in"
      protocol   = "tcp"
      port       = rule.value
      source_ips = [var.platform_from]
    }
  }
}

# Scaling down removes the last servers. What they say to each other goes by the network, which no firewall is in.
resource "hcloud_server" "node" {
  count        = var.nodes
  name         = "${local.name}-node-${count.index + 1}"
  server_type  = var.server_type
  image        = var.image
  location     = var.location
  ssh_keys     = [hcloud_ssh_key.mine.id]
  firewall_ids = [hcloud_firewall.mine.id]
  labels       = local.labels

  network {
    subnet_id = hcloud_network_subnet.mine.id
    ip        = cidrhost(hcloud_network_subnet.mine.ip_range, count.index + 10)
    alias_ips = []
  }
}

output "nodes" {
  value = [for index, server in hcloud_server.node : {
    name            = "node-${index + 1}"
    address         = server.ipv4_address
    private_address = cidrhost(hcloud_network_subnet.mine.ip_range, index + 10)
    ssh             = { user = "root", port = 22, key = var.ssh_key }
    labels          = { server = tostring(server.id), location = server.location }
  }]
}

output "tunnel" {
  value = hcloud_server.node[0].ipv4_address
}

output "domain" {
  value = "${hcloud_server.node[0].ipv4_address}.nip.io"
}
