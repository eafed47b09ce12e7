"""Binary neural networks, for reference: every gradient estimator audited, every kernel exact.

    import bnn_ref
    b = bnn_ref.get("fda", terms=10)        # (F, T): what it answers, what it learns from
    b.backward(x, dy)                       # dy * T'(x)
    print(bnn_ref.audit(b))                 # is that right?
    bnn_ref.spectrum(b).gain(w)             # the filter through which it sees sign

What to read, in order: `binarizer` (the idea), `estimators` (the table), `layers`, `auditing`.
"""

from bnn_ref import data as data
from bnn_ref import models as models
from bnn_ref import pose as pose
from bnn_ref import train as train
from bnn_ref.auditing import audit as audit
from bnn_ref.auditing import audit_estimator_in_network as audit_estimator_in_network
from bnn_ref.auditing import audit_layer as audit_layer
from bnn_ref.auditing import audit_model as audit_model
from bnn_ref.auditing import audit_operation as audit_operation
from bnn_ref.auditing import decompose as decompose
from bnn_ref.auditing import synthesize as synthesize
from bnn_ref.binarizer import Binarizer as Binarizer
from bnn_ref.binarizer import Compose as Compose
from bnn_ref.binarizer import Curve as Curve
from bnn_ref.binarizer import Detach as Detach
from bnn_ref.binarizer import Faded as Faded
from bnn_ref.binarizer import Map as Map
from bnn_ref.binarizer import Scaled as Scaled
from bnn_ref.binarizer import Sign as Sign
from bnn_ref.binarizer import Sum as Sum
from bnn_ref.cost import cost as cost
from bnn_ref.estimators import get as get
from bnn_ref.estimators import names as names
from bnn_ref.packed import PackedModel as PackedModel
from bnn_ref.packed import load_packed as load_packed
from bnn_ref.packed import pack as pack
from bnn_ref.parameter import Parameter as Parameter
from bnn_ref.spectra import spectrum as spectrum
from bnn_ref.train import load_model as load_model
from bnn_ref.train import save_model as save_model

__version__ = "0.1.0"
