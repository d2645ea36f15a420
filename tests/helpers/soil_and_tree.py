"""Manifests of a provider `soil` with types and conditions, and of a platform `tree` with versions."""

PROVIDER = """
    types:
      small: {NODES: 1, SIZE: s}
      large: {NODES: 5, SIZE: xl}
    questions:
      - {name: NODES, type: integer, default: 3}
      - {name: REGION, default: "r-{{ NODES }}"}
      - {name: ZONE, when: "{{ REGION == 'far' }}", default: z}
      - {name: TOKEN, type: secret, optional: true}
"""
PLATFORM = "    prefix: OAK\n    versions: [1.9.0, 1.10.0, 1.10.0-rc.1]\n    questions:\n      - {name: COLOUR, default: green}\n"
