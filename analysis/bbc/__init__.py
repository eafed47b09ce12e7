"""BBC's weak points, shown: how its learned slope begins, where it goes, and what that does to training.

    python -m analysis.bbc       # minutes; its arguments make it larger

`start` measures what follows from the formulas, `toy` a regression with 64 binary weights, `training` small
networks. Everything here is ours: the body of the paper could not be obtained, and of what its abstract and
its authors' code say nothing is contradicted or confirmed at this size.
"""
