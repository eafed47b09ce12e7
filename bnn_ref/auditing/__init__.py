"""Is this gradient right? Level 1 asks it of one operation, level 2 of a whole network.

Level 3 asks whether a gradient that is right as declared points where the loss falls: `Site`, `agreement`.
"""

from bnn_ref.auditing.agreement import Agreement, agreement
from bnn_ref.auditing.api import audit, audit_operation
from bnn_ref.auditing.composition import audit_layer, audit_model
from bnn_ref.auditing.criterion import Decomposition, Witness, decompose, judge, synthesize
from bnn_ref.auditing.fidelity import Site
from bnn_ref.auditing.identify import Identity, identify
from bnn_ref.auditing.operation import Operation
from bnn_ref.auditing.report import Check, Report
from bnn_ref.auditing.residual import audit_estimator_in_network, residual_net

__all__ = [
    "Agreement",
    "Check",
    "Decomposition",
    "Identity",
    "Operation",
    "Report",
    "Site",
    "Witness",
    "agreement",
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
