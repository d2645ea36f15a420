# Everything is named after the environment's id, which no other environment has: what is left over can be found.
locals {
  name  = "rigger-${var.rigger_environment_id}"
  ports = distinct(compact(split(" ", trimspace(var.rigger_platform_ports))))
  key   = var.ssh_key_in_account == "upload" ? digitalocean_ssh_key.mine[0].fingerprint : var.ssh_key_in_account
  added = fileexists("${path.module}/user-data") ? file("${path.module}/user-data") : "" # create's, of the platform
  own   = [for n in range(var.nodes) : templatefile("${path.module}/user-data.yml.tftpl", { hostname = "node-${n + 1}" })]
}

resource "digitalocean_tag" "mine" {
  name = local.name
}

resource "digitalocean_ssh_key" "mine" {
  count      = var.ssh_key_in_account == "upload" ? 1 : 0
  name       = local.name
  public_key = var.ssh_public_key
}

# Droplets learn their keys when they are made: another key needs new ones.
resource "terraform_data" "key" {
  input = local.key
}

# Scaling down removes the last droplets.
resource "digitalocean_droplet" "node" {
  count      = var.nodes
  name       = "${local.name}-node-${count.index + 1}"
  region     = var.region
  size       = var.size
  image      = var.image
  vpc_uuid   = local.vpc
  monitoring = true
  ssh_keys   = [local.key]
  tags       = [digitalocean_tag.mine.name]
  volume_ids = var.volume_size > 0 ? [digitalocean_volume.data[count.index].id] : []
  user_data = local.added == "" ? local.own[count.index] : templatefile("${path.module}/user-data.mime.tftpl", {
    parts = [local.own[count.index], local.added]
  })

  lifecycle {
    # The API does not tell them of a droplet that was imported, and a newer template is for newer droplets.
    ignore_changes       = [ssh_keys, user_data]
    replace_triggered_by = [terraform_data.key]
  }
}

resource "digitalocean_volume" "data" {
  count                   = var.volume_size > 0 ? var.nodes : 0
  name                    = "${local.name}-data-${count.index + 1}"
  region                  = var.region
  size                    = var.volume_size
  initial_filesystem_type = "ext4"
  tags                    = [digitalocean_tag.mine.name]
}

resource "digitalocean_project" "mine" {
  name        = local.name
  description = "${var.rigger_environment}, made by rigger"
  purpose     = "Service or API"
  environment = var.type == "production" ? "Production" : "Development"
  resources = concat(
    digitalocean_droplet.node[*].urn,
    digitalocean_volume.data[*].urn,
    digitalocean_loadbalancer.front[*].urn,
  )

  lifecycle {
    ignore_changes = [description] # the script claim writes there who changed the cluster last
  }
}
