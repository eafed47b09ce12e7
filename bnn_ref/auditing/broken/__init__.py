"""Wrong on purpose: estimators, layers and networks that an audit must catch, each by the check named here.

An auditor that has never caught anything proves nothing. Every entry runs the ordinary audit on something
subtly wrong; a test demands that it fails, and fails for the right reason. Several are real bugs that were
shipped by others. Source: ours.
"""

from bnn_ref.auditing.broken.base import Broken
from bnn_ref.auditing.broken.estimators import ESTIMATORS
from bnn_ref.auditing.broken.layers import LAYERS
from bnn_ref.auditing.broken.networks import NETWORKS

BROKEN: tuple[Broken, ...] = (*ESTIMATORS, *LAYERS, *NETWORKS)

__all__ = ["BROKEN", "ESTIMATORS", "LAYERS", "NETWORKS", "Broken"]
