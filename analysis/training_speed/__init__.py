"""What a training step costs, in time and memory, beside the same network in torch."""
