"""Jointed figures, drawn: pictures of persons whose joints are known exactly, as many as one likes.

The set is ours. It stands in for photographs where a network is to be trained and judged at small size.
"""

from bnn_ref.pose.figures.scene import DIFFICULTIES as DIFFICULTIES
from bnn_ref.pose.figures.scene import Difficulty as Difficulty
from bnn_ref.pose.figures.scene import generate as generate
