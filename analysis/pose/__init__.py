"""Do binary pose networks find joints, and which gradient estimator helps them?

`task` says what is drawn and shown, `arms` what is compared and asked, `photographs` is a check of the same
way on real images. `python -m analysis.pose` runs all of it.
"""
