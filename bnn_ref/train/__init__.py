"""Training: a loop, its files, and sweeps over build options and seeds.

`fit` trains, `fit_stages` trains a chain of networks, `save_model` and `load_model` keep the result,
`compare` asks which arm of a sweep is better.
"""

from bnn_ref.train.compare import compare as compare
from bnn_ref.train.comparison import Comparison as Comparison
from bnn_ref.train.comparison import Difference as Difference
from bnn_ref.train.comparison import Run as Run
from bnn_ref.train.comparison import Summary as Summary
from bnn_ref.train.config import LOSSES as LOSSES
from bnn_ref.train.config import Config as Config
from bnn_ref.train.evaluation import Evaluation as Evaluation
from bnn_ref.train.evaluation import evaluate as evaluate
from bnn_ref.train.evaluation import predict_classes as predict_classes
from bnn_ref.train.files import TrainedModel as TrainedModel
from bnn_ref.train.files import load_model as load_model
from bnn_ref.train.files import save_model as save_model
from bnn_ref.train.fit import fit as fit
from bnn_ref.train.history import Epoch as Epoch
from bnn_ref.train.history import History as History
from bnn_ref.train.norms import retrain_norms as retrain_norms
from bnn_ref.train.past import Past as Past
from bnn_ref.train.poses import Poses as Poses
from bnn_ref.train.progress import Progress as Progress
from bnn_ref.train.projection import quantization_gap as quantization_gap
from bnn_ref.train.projection import reestimate_norms as reestimate_norms
from bnn_ref.train.slopes import trained_slopes as trained_slopes
from bnn_ref.train.stages import Stage as Stage
from bnn_ref.train.stages import carry_over as carry_over
from bnn_ref.train.stages import fit_stages as fit_stages
from bnn_ref.train.statistics import smallest_difference as smallest_difference
from bnn_ref.train.task import Classification as Classification
from bnn_ref.train.task import Task as Task
