"""ProxConnect's and ProxConnect++'s methods on small networks: weights alone or activations too."""
