"""Other libraries compute packed files, in processes and environments of their own.

`worker.py` is run there. Nothing here needs bnn_ref: a rival reads the file by its specification,
docs/packed-format.md.
"""
