"""Is this gradient right? Level 1 asks it of one operation, level 2 of a whole network."""

from bnn_ref.auditing.api import audit, audit_operation
from bnn_ref.auditing.composition import audit_layer, audit_model
from bnn_ref.auditing.criterion import Decomposition, Witness, decompose, judge, synthesize
from bnn_ref.auditing.identify import Identity, identify
from bnn_ref.auditing.operation import Operation
from bnn_ref.auditing.report import Check, Report
from bnn_ref.auditing.residual import audit_estimator_in_network, residual_net

__all__ = [
    "Check",
    "Decomposition",
    "Identity",
    "Operation",
    "Report",
    "Witness",
    "audit",
    "audit_estimator_in_network",
    "audit_layer",
    "audit_model",
    "audit_operation",
    "decompose",
    "identify",
    "judge",
    "residual_net",
    "synthesize",
]
