"""Is a small error to sign what predicts accuracy? Estimators compared by what can be computed of them.

    python -m analysis.predictors   # minutes; its arguments make it larger

BBC's abstract says that even a linear estimator beats complicated soft functions (bbc2023); that a small
error to sign is not what counts is our reading of it, and the question here. List and measures are ours.
"""
