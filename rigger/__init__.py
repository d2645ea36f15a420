"""rigger stands a self-hosted platform up on any provider and looks after it for years."""

__version__ = "0.1.0"
