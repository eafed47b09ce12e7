"""Pictures, one a file, drawn from the results of `analysis` and from nothing else.

    python -m figures                     # all of them, into out/figures, as PNG and SVG
    python -m figures.spectra --results analysis/results --out out/figures
    python -m figures.fda                 # the four figures of one paper

A picture reads tables of text (`analysis.tables.load`), so that what is drawn is what is on record. Style and
saving are those of `bnn_ref.plot`.
"""
