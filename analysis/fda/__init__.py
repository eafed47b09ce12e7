"""FDA-BNN's experiments and figures, redone: its parts trained one against another, its spectra, its cost.

    python -m analysis.fda          # minutes; its arguments make it larger
    python -m analysis.fda.speed    # the slope alone, ten million elements

The tables are drawn by `figures.fda`, one picture a figure of the paper.
"""
