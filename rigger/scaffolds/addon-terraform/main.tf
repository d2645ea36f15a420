# rigger brings plan, apply, check, audit and destroy; this file is all the rest. A variable has the answer of the question of
# its name.
variable "size" { type = number }

# Put what your add-on makes in the place of terraform_data.
resource "terraform_data" "member" {
  count = var.size
  input = "member-${count.index + 1}"
}

# Outputs are the add-on's output in the state; one that is sensitive becomes a secret.
output "members" { value = terraform_data.member[*].output }
