variable "rigger_environment" {
  type = string
}

variable "rigger_environment_id" {
  type = string
}

variable "rigger_platform_ports" {
  description = "What the platform publishes on every node, separated by blanks"
  type        = string
  default     = ""
}

variable "type" {
  type    = string
  default = "development"
}

variable "region" {
  type = string
}

variable "nodes" {
  type = number
}

variable "size" {
  type = string
}

variable "image" {
  type = string
}

variable "ssh_key" {
  description = "The file of the private key, for the inventory alone"
  type        = string
}

variable "ssh_key_in_account" {
  description = "The fingerprint of a key of the account, or upload"
  type        = string
}

variable "ssh_public_key" {
  description = "What to upload; create finds it beside SSH_KEY"
  type        = string
  default     = ""
}

variable "ssh_user" {
  type = string
}

variable "ssh_port" {
  type = number
}

variable "ssh_from" {
  type = string
}

variable "platform_from" {
  type = string
}

variable "vpc" {
  description = "The ID of a VPC, or new"
  type        = string
}

variable "load_balancer" {
  type = bool
}

variable "volume_size" {
  description = "GiB for each droplet, 0 for none"
  type        = number
}

variable "dns_zone" {
  description = "A domain of the account, or nip.io"
  type        = string
}
