# The machines. rigger brings install, create (init, plan, apply), check, plan, audit and destroy; this file is all the rest.
# Put your cloud's machines in the place of terraform_data, and delete the file exec: what is reached by ssh needs none.

variable "nodes" { type = number }
variable "size" { type = string }

resource "terraform_data" "machine" {
  count = var.nodes
  input = "node-${count.index + 1}"

  # Folders in this provider's own place. Machines of a cloud need no such thing.
  provisioner "local-exec" {
    command = "mkdir -p \"$RIGGER_STATE_DIR/machines/${self.input}\""
  }
  provisioner "local-exec" {
    when    = destroy
    command = "rm -rf \"$RIGGER_STATE_DIR/machines/${self.input}\""
  }
}

# The inventory: a name and an address for every machine, and for ssh = { user = "root", port = 22 }.
output "nodes" {
  value = [for n, machine in terraform_data.machine : {
    name    = machine.output
    address = "127.0.1.${n + 1}"
    labels  = { size = var.size }
  }]
}

# Any other output becomes a var of that name in capitals, MACHINES_MADE, and a secret if it is sensitive.
output "machines_made" { value = var.nodes }
