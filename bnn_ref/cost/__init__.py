"""What a network costs: weights, operations, bits of memory and bytes in a packed file, layer by layer.

`counts` are the numbers, `conventions` say what they take in memory, `counting` finds them, `cost` is the
report and `table` shows it.
"""

from bnn_ref.cost.conventions import CONVENTIONS as CONVENTIONS
from bnn_ref.cost.conventions import Convention as Convention
from bnn_ref.cost.counting import cost as cost
from bnn_ref.cost.counts import Counts as Counts
from bnn_ref.cost.report import Cost as Cost
from bnn_ref.cost.report import LayerCost as LayerCost

__all__ = ["CONVENTIONS", "Convention", "Cost", "Counts", "LayerCost", "cost"]
