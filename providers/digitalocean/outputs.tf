output "nodes" {
  value = [for index, droplet in digitalocean_droplet.node : {
    name            = "node-${index + 1}"
    address         = droplet.ipv4_address
    private_address = droplet.ipv4_address_private
    ssh             = { user = var.ssh_user, port = var.ssh_port, key = var.ssh_key }
    labels          = { droplet = tostring(droplet.id), region = droplet.region, size = droplet.size }
  }]
}

output "tunnel" {
  value = "${digitalocean_droplet.node[0].ipv4_address}${var.ssh_port == 22 ? "" : ":${var.ssh_port}"}"
}

output "domain" {
  value = local.ours ? "${local.host}.${var.dns_zone}" : "${local.addresses[0]}.nip.io"
}
