"""Studies: one question a file, its answer a small text table that a rerun reproduces.

    python -m analysis              # all of them, into analysis/results
    python -m analysis.spectra      # one of them

A study (`analysis.study.Study`) asks, computes with bnn_ref, and answers in tables of text, each with a
header that says what was asked, the seeds, and the versions that computed it; never a date. The tables are
committed: a changed number is a changed line. Pictures are drawn from them, in `figures`.

    spectra     what each estimator sees of sign: its filter, its harmonics on a period, its distance
    fda         FDA-BNN's figures: its spectra, and what its number of terms costs and brings
    bireal      Bi-Real Net's ablation, and how well the gradients of estimators point
    magnitude   what batch norm leaves of a weight gradient that carries the weight's magnitude
    areas       the areas between sign and what Bi-Real Net compares for it
    cost        what Bi-Real networks take in memory and operations, under which convention
    capability  how many values the tensors of a Bi-Real block can take, and do take
    proximal    what proximal optimizers do on toy problems, and who solves random binary least squares
    checkers    what generic gradient checkers say of a right and of a dead backward, and what an audit says
    claims      the ledger: what the papers claim, and what was found
"""
