"""FDA-BNN's figures, redone: its panels of spectra, and what its number of terms costs and brings.

    python -m analysis.fda

The tables are drawn by `figures.fda`, one picture a figure of the paper.
"""
