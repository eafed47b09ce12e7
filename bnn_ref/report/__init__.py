"""One self-contained HTML page out of audits, cards, spectra, training and packed checks."""

from bnn_ref.report.findings import DEFAULT_ESTIMATORS, Findings, Packing, Plan, gather
from bnn_ref.report.page import render, write
from bnn_ref.report.progress import telling

__all__ = ["DEFAULT_ESTIMATORS", "Findings", "Packing", "Plan", "gather", "render", "telling", "write"]
