"""Human poses: COCO's files, crops of persons, heat maps and what is read from them, COCO's evaluation."""

from bnn_ref.pose.annotations import Annotations as Annotations
from bnn_ref.pose.annotations import Results as Results
from bnn_ref.pose.annotations import parse_annotations as parse_annotations
from bnn_ref.pose.annotations import parse_results as parse_results
from bnn_ref.pose.annotations import read_annotations as read_annotations
from bnn_ref.pose.annotations import read_results as read_results
from bnn_ref.pose.annotations import result_records as result_records
from bnn_ref.pose.evaluation import Evaluation as Evaluation
from bnn_ref.pose.evaluation import evaluate as evaluate
from bnn_ref.pose.oks import oks as oks
from bnn_ref.pose.oks import oks_nms as oks_nms
