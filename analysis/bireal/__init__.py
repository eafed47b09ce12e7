"""Bi-Real Net's ablation at any size, and how far the gradients of its estimators, and others, point astray.

    python -m analysis.bireal       # minutes; its arguments make it larger

`grid` says which networks are trained and what is asked of them, `training` trains them, `mismatch` holds
gradients to the loss. The tables are drawn by `figures.ablation` and `figures.mismatch`.
"""
