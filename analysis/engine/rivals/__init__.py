"""Other libraries compute packed files, in a process and an environment of their own: `worker.py` is run there.

Nothing here needs bnn_ref: a rival reads the file by its specification (docs/packed-format.md).
"""
