"""Binary neural networks, for reference."""

__version__ = "0.1.0"
